"""`revoke_api_token`: end a token for good."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from organizations.management.reporting import Report, ReportingCommand
from organizations.models import ApiToken
from organizations.tokens import revoke_token


class Command(ReportingCommand):
    help = "Revoke an API token, by the id that list_api_tokens shows."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", metavar="ID", type=int)

    def run(self, *, id: int, **_: Any) -> Report:
        token = None
        if 0 < id < 2**63:
            token = ApiToken.objects.select_related("organization").filter(pk=id).first()
        if token is None:
            raise CommandError(f"There is no API token with the id {id}.")
        revoke_token(token, actor=None)
        return Report(
            lines=[f"The token {token} of {token.organization.name} is revoked."],
            data={"id": str(token.pk)},
        )

"""`create_api_token`: a bearer token for the REST API."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from organizations.management.reporting import Report, ReportingCommand
from organizations.models import ApiToken, AuditEntry, Organization, Scope


class Command(ReportingCommand):
    help = "Create an API token of an organization. It is shown only once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--name", required=True, help="What the token is for.")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.READ.value)

    @transaction.atomic
    def run(self, *, organization: str, name: str, scope: str, **_: Any) -> Report:
        owner = Organization.objects.filter(slug=organization).first()
        if owner is None:
            raise CommandError(f"There is no organization with the slug {organization!r}.")
        if not 1 <= len(name) <= 100:
            raise CommandError("A token's name must have 1 to 100 characters.")
        token, text = ApiToken.issue(owner, name, Scope(scope))
        AuditEntry.record(owner, "token.created", token, details={"scope": scope})
        return Report(
            lines=[f"Created the token {token} of {owner.name}. It is shown only once:", text],
            data={"token": text},
        )

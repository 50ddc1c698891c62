"""`create_api_token`: a bearer token for the REST API."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from jobs.models import ProviderAccount
from jobs.query.references import find_by_id
from organizations.management.reporting import Report, ReportingCommand
from organizations.models import Organization, Scope
from organizations.tokens import issue_token


class Command(ReportingCommand):
    help = "Create an API token of an organization. It is shown only once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--name", required=True, help="What the token is for.")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.READ.value)
        parser.add_argument(
            "--account",
            action="append",
            metavar="ID",
            help="An account that it may use, repeatable; all of them if left out.",
        )
        parser.add_argument(
            "--expires", metavar="DATE", help="The last day on which it works, in UTC: 2027-06-30."
        )

    def run(
        self,
        *,
        organization: str,
        name: str,
        scope: str,
        account: list[str] | None,
        expires: str | None,
        **_: Any,
    ) -> Report:
        owner = Organization.objects.filter(slug=organization).first()
        if owner is None:
            raise CommandError(f"There is no organization with the slug {organization!r}.")
        if not 1 <= len(name) <= 100:
            raise CommandError("A token's name must have 1 to 100 characters.")
        token, text = issue_token(
            owner,
            name,
            Scope(scope),
            actor=None,
            account_ids=None if account is None else [_find(owner, one) for one in account],
            expires_at=_read_end(expires) if expires else None,
        )
        return Report(
            lines=[f"Created the token {token} of {owner.name}. It is shown only once:", text],
            data={"token": text},
        )


def _find(organization: Organization, text: str) -> int:
    account = find_by_id(ProviderAccount.objects.for_organization(organization), text)
    if account is None:
        raise CommandError(f"{organization.name} has no account with the id {text}.")
    return account.pk


def _read_end(text: str) -> datetime:
    """The end of that day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise CommandError(f"{text!r} is not a date such as 2027-06-30.") from None
    end = datetime.combine(day, time(), UTC)
    if end <= timezone.now():
        raise CommandError(f"{text} is in the past.")
    return end

"""`list_api_tokens`: which tokens an organization has, and what they may do."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from organizations.management.reporting import Report, ReportingCommand
from organizations.models import ApiToken, Organization


class Command(ReportingCommand):
    help = "List the API tokens of an organization, those that were revoked too."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organization", required=True, metavar="SLUG")

    def run(self, *, organization: str, **_: Any) -> Report:
        owner = Organization.objects.filter(slug=organization).first()
        if owner is None:
            raise CommandError(f"There is no organization with the slug {organization!r}.")
        tokens = ApiToken.objects.for_organization(owner).order_by("pk")
        shown = [_describe(token) for token in tokens]
        return Report(
            lines=[_line(one) for one in shown] or [f"{owner.name} has no API tokens."],
            data={"tokens": shown},
        )


def _describe(token: ApiToken) -> dict[str, Any]:
    ids = token.account_ids
    return {
        "id": str(token.pk),
        "name": token.name,
        "prefix": token.prefix,
        "scope": token.scope,
        "state": token.state.value,
        "accounts": None if ids is None else [str(pk) for pk in ids],
        "created_at": _time(token.created_at),
        "last_used_at": _time(token.last_used_at),
        "last_used_from": token.last_used_from,
        "expires_at": _time(token.expires_at),
        "revoked_at": _time(token.revoked_at),
    }


def _time(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds").replace("+00:00", "Z") if value else None


def _line(one: dict[str, Any]) -> str:
    accounts = "all accounts" if one["accounts"] is None else f"accounts {one['accounts']}"
    origin = f" from {one['last_used_from']}" if one["last_used_from"] else ""
    return (
        f"{one['id']}  {one['name']} ({one['prefix']}…): {one['state']}, {one['scope']}, "
        f"{accounts}, last used {one['last_used_at'] or 'never'}{origin}, "
        f"expires {one['expires_at'] or 'never'}"
    )

"""`integration_mode`: have all new jobs of an account be test jobs, or no longer."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.accounts.integration import ModeUnsupported, switch_integration_mode
from jobs.models import ProviderAccount
from jobs.query.references import find_by_id
from organizations.management.reporting import Report, ReportingCommand
from providers.core.errors import ProviderError


class Command(ReportingCommand):
    help = "Switch an account's integration mode: when on, all its new jobs are test jobs."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--account", required=True, metavar="ID")
        parser.add_argument("mode", choices=("on", "off"))

    def run(self, *, account: str, mode: str, **_: Any) -> Report:
        found = find_by_id(ProviderAccount.objects.select_related("organization"), account)
        if found is None:
            raise CommandError(f"No account has the id {account}.")
        try:
            switch_integration_mode(found, mode == "on", user=None)
        except (ModeUnsupported, ProviderError) as error:
            raise CommandError(str(error)) from error
        return Report(
            lines=[f"Integration mode of {found.name} is {mode}."],
            data={"id": str(found.pk), "integration_mode": mode},
        )

"""`watch_job`: one job, by the provider's id."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.actions.watching import InvalidId, watch_job
from jobs.models import ProviderAccount
from jobs.query.references import find_by_id
from organizations.management.reporting import Report, ReportingCommand


class Command(ReportingCommand):
    help = "Add one job by the provider's id and print its id here; the next sync reads it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--account", required=True, metavar="ID")
        parser.add_argument("remote_id", metavar="REMOTE_ID")

    def run(self, *, account: str, remote_id: str, **_: Any) -> Report:
        accounts = ProviderAccount.objects.select_related("organization")
        found = find_by_id(accounts, account)
        if found is None:
            raise CommandError(f"No account has the id {account}.")
        try:
            job, _is_due = watch_job(found, remote_id)
        except InvalidId as error:
            raise CommandError(str(error)) from error
        return Report(lines=[str(job.pk)], data={"id": str(job.pk)})

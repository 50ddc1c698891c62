"""`prune_bulk_results`: what became of each job of old bulk actions, deleted."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from jobs.bulk import retention
from organizations.management.reporting import Report, ReportingCommand


class Command(ReportingCommand):
    help = (
        "Delete the results of bulk actions that ended long ago, as is done every night. Their "
        "counts and the audit log stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--days",
            type=int,
            default=settings.BULK_RESULTS_DAYS,
            help="How many days after its end (BULK_RESULTS_DAYS: %(default)s).",
        )

    def run(self, *, days: int, **_: Any) -> Report:
        deleted = retention.prune(timezone.now(), max(days, 0))
        return Report(
            lines=[f"{deleted:,} result{'' if deleted == 1 else 's'}"], data={"deleted": deleted}
        )

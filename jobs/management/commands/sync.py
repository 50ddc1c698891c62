"""`sync`: read the providers now, in the foreground."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.models import ProviderAccount
from jobs.query.references import MAX_ID
from jobs.sync.report import Report as PassReport
from jobs.sync.runner import sync_account
from organizations.management.reporting import Report, ReportingCommand
from organizations.models import Organization
from providers.http.redaction import redact_text


class Command(ReportingCommand):
    help = "Sync accounts now, ignoring back-off, until their first import is complete."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organization", metavar="SLUG")
        parser.add_argument("--account", action="append", type=int, metavar="ID")
        parser.add_argument(
            "--full",
            action="store_true",
            help="Read the whole list, and find jobs that are gone.",
        )

    def run(
        self, *, organization: str | None, account: list[int] | None, full: bool, **_: Any
    ) -> Report:
        accounts = ProviderAccount.objects.filter(enabled=True).order_by("pk")
        if organization is not None:
            if not Organization.objects.filter(slug=organization).exists():
                raise CommandError(f"There is no organization with the slug {organization!r}.")
            accounts = accounts.filter(organization__slug=organization)
        if account:
            # a longer number is no id, and more than a database can be asked about
            accounts = accounts.filter(pk__in=[pk for pk in account if 0 < pk <= MAX_ID])
            missing = set(account) - set(accounts.values_list("pk", flat=True))
            if missing:
                ids = ", ".join(map(str, sorted(missing)))
                raise CommandError(f"No enabled account has the id {ids}.")
        reports = [self._sync(one, full=full) for one in accounts]
        failed = [report for report in reports if not report.ok]
        return Report(
            lines=[_line(one, report) for one, report in zip(accounts, reports, strict=True)]
            or ["There are no accounts to sync."],
            data={"accounts": [vars(report) for report in reports]},
            failure=f"{len(failed)} of {len(reports)} accounts failed." if failed else "",
        )

    def _sync(self, account: ProviderAccount, *, full: bool) -> PassReport:
        shows_progress = sys.stderr.isatty()

        def show(account: ProviderAccount, jobs: int) -> None:
            self.show_progress(f"{account.name}: {jobs:,} jobs read")

        try:
            report = sync_account(
                account.pk,
                foreground=True,
                full=full,
                on_progress=show if shows_progress else None,
            )
        except Exception as error:  # the other accounts still run
            # only the errors of providers are free of secrets
            message = redact_text(f"{type(error).__name__}: {error}")
            report = PassReport(str(account.pk), ok=False, error=message)
        if shows_progress:
            self.stderr.write("")
        return report or PassReport(
            str(account.pk), ok=False, error="Another worker is syncing this account."
        )


def _line(account: ProviderAccount, report: PassReport) -> str:
    if not report.ok:
        return f"{account.name}: failed. {report.error}"
    return (
        f"{account.name}: {report.created:,} new, {report.changed:,} changed, "
        f"{report.unchanged:,} unchanged, {report.gone:,} gone; {report.requests:,} requests "
        f"in {report.duration_ms / 1000:.1f} s"
    )

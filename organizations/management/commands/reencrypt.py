"""`reencrypt`: after a new key in CREDENTIALS_KEYS, have it encrypt what is stored."""

from typing import Any

from django.core.management.base import CommandParser

from organizations.management.reporting import Report, ReportingCommand
from organizations.reencryption import count_remaining, rewrite_all


class Command(ReportingCommand):
    help = "Encrypt every stored secret with the newest of CREDENTIALS_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def run(self, *, dry_run: bool, **_: Any) -> Report:
        rewritten = 0 if dry_run else rewrite_all()
        counts = count_remaining()
        remaining = sum(counts.values())
        lines = [f"{rewritten:,} encrypted with the newest key."]
        lines += [f"{name}: {count:,} need an older key." for name, count in counts.items()]
        if not remaining:
            lines.append("Nothing needs an older key: they can be removed.")
        if remaining and not dry_run:
            self.warn(
                "Some need an older key still. Restart web, worker and beat with the new "
                "CREDENTIALS_KEYS, then run this again; or their key is lost."
            )
        return Report(lines=lines, data={"rewritten": rewritten, "remaining": remaining})

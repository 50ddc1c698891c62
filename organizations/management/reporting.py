"""How our commands talk: to people by default, to scripts with `--json`."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError


@dataclass(frozen=True, slots=True)
class Report:
    """What a command made: `text` for people, `data` for scripts (JSON values).

    `failure`, a sentence, ends the command with exit code 1 after the report was printed, for
    work of which a part succeeded.
    """

    text: str
    data: Mapping[str, Any]
    failure: str = ""


class ReportingCommand(BaseCommand):
    """Base of our commands: override `run`, and `add_arguments` calling super.

    Standard output carries the report alone: its text, or with `--json` exactly one JSON object.
    Progress and warnings go to `self.stderr`. Exit code 0 on success, 1 on a failure told in
    one sentence on standard error (raise CommandError), 2 on wrong usage.
    """

    _called_from_command_line: bool  # Django's, and not in its type stubs

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="Print one JSON object."
        )

    def run(self, *args: Any, **options: Any) -> Report:
        """Do the work. Raises CommandError with a sentence."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = self.run(**options)
        except (OperationalError, ProgrammingError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise CommandError(
                f"The database cannot be used ({reason}); is it running and migrated?"
            ) from error
        self.stdout.write(json.dumps(report.data) if options["as_json"] else report.text)
        if report.failure:
            raise CommandError(report.failure)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            # Django puts the name of the class before the sentence; --traceback asks for that
            if not self._called_from_command_line or options.get("traceback"):
                raise
            self.stderr.write(str(error))
            sys.exit(error.returncode)

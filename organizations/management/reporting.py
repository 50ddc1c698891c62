"""How our commands talk: to people by default, to scripts with `--json`."""

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from providers.parsing.text import is_storable, make_one_line, make_visible


@dataclass(frozen=True, slots=True)
class Report:
    """What a command made: `lines` for people, `data` for scripts (JSON values).

    `failure`, a sentence, ends the command with exit code 1 after the report was printed, for
    work of which a part succeeded.
    """

    lines: Iterable[str]
    data: Mapping[str, Any]
    failure: str = ""


class ReportingCommand(BaseCommand, ABC):
    """Base of our commands: override `run`, and `add_arguments` calling super.

    Standard output carries the report alone: its lines, or with `--json` exactly one JSON object.
    Warnings go to `warn`, progress to `show_progress`. Nothing else is written, so that no name
    and no provider's message steers the terminal. Exit code 0 on success, 1 on a failure with
    one sentence on standard error (raise CommandError), 2 on wrong usage.
    """

    _called_from_command_line: bool  # Django's, and not in its type stubs

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="Print one JSON object."
        )

    @abstractmethod
    def run(self, *args: Any, **options: Any) -> Report:
        """Do the work. Raises CommandError with a sentence."""

    def warn(self, sentence: str) -> None:
        self.stderr.write(make_one_line(sentence))

    def show_progress(self, text: str) -> None:
        """Write over the line written before."""
        self.stderr.write(make_one_line(text), ending="\r")

    def handle(self, *args: Any, **options: Any) -> None:
        for name, value in options.items():
            # what a shell passes on of bytes that are no UTF-8
            if not all(is_storable(text) for text in _texts(value)):
                raise CommandError(f"The value of {name} is not valid text.")
        try:
            report = self.run(**options)
        except (OperationalError, ProgrammingError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise CommandError(
                f"The database cannot be used ({reason}); is it running and migrated?"
            ) from error
        if options["as_json"]:
            text = make_visible(json.dumps(report.data))  # its escapes are JSON's own
        else:
            text = "\n".join(map(make_one_line, report.lines))
        self.stdout.write(text)
        if report.failure:
            raise CommandError(report.failure)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            # Django puts the name of the class before the sentence; --traceback asks for that
            if not self._called_from_command_line or options.get("traceback"):
                raise
            self.warn(str(error))
            sys.exit(error.returncode)


def _texts(value: object) -> list[str]:
    return [
        text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)
    ]

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sandbox import cli
from sandbox.options import OptionError


class Command(BaseCommand):
    help = cli.DESCRIPTION
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        cli.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cli.run(options, self.stdout)
        except (OptionError, OSError) as error:
            # not CommandError: Django would put that name before the sentence
            self.stderr.write(str(error))
            sys.exit(1)

"""`python -m sandbox`: the same server without Django."""

import argparse
import sys

from sandbox import cli
from sandbox.options import OptionError

parser = argparse.ArgumentParser(prog="sandbox", description=cli.DESCRIPTION)
cli.add_arguments(parser)
try:
    cli.run(vars(parser.parse_args()), sys.stdout)
except (OptionError, OSError) as problem:
    sys.exit(str(problem))

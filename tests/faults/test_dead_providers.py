"""What dead providers cost the others, with real processes: prints a table."""

import os
import subprocess
import sys

import pytest

from tests import services
from tests.faults.silence import PROJECT_DIR
from tests.redis.server import RedisServer

# Four situations of a minute and a half, each with its start and the wait for what is left.
LONGEST_S = 1200


@pytest.mark.faults
@pytest.mark.postgres
@pytest.mark.redis
def test_live_accounts_and_submissions_go_on_beside_dead_ones(
    capsys: pytest.CaptureFixture[str], redis_server: RedisServer
) -> None:
    """Times are for a person to read. Nothing live is left behind."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults.silence"],
        cwd=PROJECT_DIR,
        env={
            **{name: value for name, value in os.environ.items() if name != "VAR_DIR"},
            "DATABASE_URL": services.POSTGRES.address,
            "CELERY_BROKER_URL": redis_server.url,
        },
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{run.stdout}")
    assert run.returncode == 0, run.stderr

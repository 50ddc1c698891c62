"""The sandbox as a process: what it prints, how it ends, and what is left afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from sandbox.server import start
from scripts.supervise import STOP_SECONDS
from tests.waiting import PATIENCE_S, wait_until

SandboxProcess = subprocess.Popen[str]


@pytest.fixture
def run_sandbox(tmp_path: Path) -> Iterator[Callable[..., SandboxProcess]]:
    running: list[SandboxProcess] = []

    def begin(*arguments: str) -> SandboxProcess:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", "0", "--state-dir", str(tmp_path)]
            + list(arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def url_of(process: SandboxProcess) -> str:
    """From the first line that it prints."""
    assert process.stdout
    return process.stdout.readline().split()[-1].rstrip("/")


def encoders_of(folder: Path) -> list[int]:
    """Processes that encode files of this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            # -readrate: an encoding that is held to a speed, not a short probe of a file.
            program = command.split(b"\0")[0]
            if b"ffmpeg" in program and b"-readrate" in command and os.fsencode(folder) in command:
                found.append(int(entry.name))
    return found


def test_it_prints_its_keys_and_ends_on_sigterm(
    run_sandbox: Callable[..., SandboxProcess], tmp_path: Path
) -> None:
    process = run_sandbox("--no-encode", "--key", "zencoder_api_key=planted-key")
    url = url_of(process)
    keys = json.loads((tmp_path / "keys.json").read_text())
    assert keys["zencoder_api_key"] == "planted-key"
    assert requests.get(f"{url}/_sandbox/health", timeout=PATIENCE_S).json() == {"ok": True}

    began = time.monotonic()
    process.terminate()
    assert process.stdout
    rest = process.stdout.read()
    process.wait(timeout=PATIENCE_S)

    assert time.monotonic() - began < STOP_SECONDS  # or the demo would kill it
    assert process.returncode == 0
    for name, value in keys.items():
        assert (f"{name} = {value}" in rest) == (name != "link_secret")


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_no_encoder_outlives_it_and_the_job_goes_on_at_the_next_start(
    run_sandbox: Callable[..., SandboxProcess], tmp_path: Path, ending: signal.Signals
) -> None:
    process = run_sandbox("--encode-speed", "0.1", "--key", "zencoder_api_key=k")
    url = url_of(process)
    headers = {"Zencoder-Api-Key": "k"}
    created = requests.post(
        f"{url}/zencoder/api/v2/jobs",
        json={"input": f"{url}/media/in/no-audio.mp4", "outputs": [{"height": 60}]},
        headers=headers,
        timeout=PATIENCE_S,
    ).json()
    wait_until(lambda: encoders_of(tmp_path))

    process.send_signal(ending)
    process.wait(timeout=PATIENCE_S)

    # long before it would have ended by itself
    wait_until(lambda: not encoders_of(tmp_path), "their end", seconds=30)
    port = int(url.rsplit(":", 1)[1])  # it is in the input's URL
    with start(port=port, state_dir=tmp_path, time_scale=0) as again:

        def state() -> str:
            path = f"{again.api_url('zencoder')}/jobs/{created['id']}/progress"
            return str(requests.get(path, headers=headers, timeout=PATIENCE_S).json()["state"])

        wait_until(lambda: state() in ("pending", "waiting"))  # from its beginning
        again.set_time_scale(1)
        wait_until(lambda: state() == "finished")


def test_two_sandboxes_do_not_share_a_folder(
    run_sandbox: Callable[..., SandboxProcess], tmp_path: Path
) -> None:
    with start(state_dir=tmp_path, encode=False):
        _, complaint = run_sandbox().communicate(timeout=PATIENCE_S)

    assert "Another sandbox uses" in complaint


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fault", "nonsense=1"], "There is no fault 'nonsense'"),
        (["--fault", "drop"], "--fault must be NAME=VALUE"),
        (["--fault", "drop=often"], "must be a number"),
        (["--key", "zencoder=1"], "There is no key named zencoder"),
        (["--seed-jobs", "-1"], "--seed-jobs must not be negative"),
    ],
)
def test_a_wrong_option_is_reported_in_one_sentence(
    run_sandbox: Callable[..., SandboxProcess], arguments: list[str], sentence: str
) -> None:
    process = run_sandbox(*arguments)
    _, complaint = process.communicate(timeout=PATIENCE_S)

    assert sentence in complaint
    assert "Traceback" not in complaint
    assert process.returncode != 0


def test_the_command_reports_it_in_the_same_sentence_alone(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "sandbox", "--port", "0", "--state-dir", str(tmp_path)]
    ended = subprocess.run(
        [*command, "--fault", "nonsense=1"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert ended.stderr.startswith("There is no fault 'nonsense'")
    assert ended.returncode == 1


def test_each_start_brings_moving_jobs_of_its_own(tmp_path: Path) -> None:
    for starts in (1, 2, 3):
        with start(
            state_dir=tmp_path, encode=False, seed_jobs=5, seed_moving=2, time_scale=0
        ) as sandbox:
            reported = sandbox.state()["jobs"]["zencoder"]
            assert reported == {"finished": 5, "pending": 2 * starts}


def test_jobs_and_keys_are_kept_over_a_restart(tmp_path: Path) -> None:
    with start(state_dir=tmp_path, encode=False, seed_jobs=5) as first:
        keys, jobs = dict(first.keys), first.state()["jobs"]
    with start(state_dir=tmp_path, encode=False, seed_jobs=5) as second:
        assert dict(second.keys) == keys
        assert second.state()["jobs"] == jobs


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (
            "sandbox --port 0",
            1,
            "Encoding needs FFmpeg: install requirements-demo.txt, or give --no-encode.\n",
        ),
        ("check", 0, ""),
    ],
)
def test_only_encoding_needs_the_package_of_ffmpeg(
    command: str, code: int, message: str, tmp_path: Path
) -> None:
    """It is in requirements-demo.txt, and so absent from a server."""
    without = (
        "import sys; sys.modules['imageio_ffmpeg'] = None\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(['manage.py', *sys.argv[1:]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", without, *command.split()],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "dashboard.settings",
            "VAR_DIR": str(tmp_path),
            "DEBUG": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (code, message)

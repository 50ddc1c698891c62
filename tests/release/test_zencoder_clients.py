"""The clients that Zencoder's customers use, pinned, at the sandbox."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import RunningSandbox, start

pytestmark = pytest.mark.release

NODE = """
const zencoder = require("zencoder");
const client = zencoder(process.env.KEY, process.env.URL);
(async () => {
  const job = (await client.Job.create({input: "s3://harbour/dawn.mov"})).data;
  await client.Job.cancel(job.id);
  const cancelled = (await client.Job.details(job.id)).data.job.state;
  await client.Job.resubmit(job.id);
  const listed = (await client.Job.list()).data.map((item) => item.job);
  console.log(JSON.stringify({id: job.id, cancelled, listed}));
})().catch((error) => { console.error(error); process.exit(1); });
"""
PYTHON = """
import json, os
from zencoder import Zencoder
client = Zencoder(os.environ["KEY"], base_url=os.environ["URL"] + "/")
job = client.job.create("s3://harbour/dawn.mov").body
assert client.job.cancel(job["id"]).code == 204
cancelled = client.job.details(job["id"]).body["job"]["state"]
assert client.job.resubmit(job["id"]).code == 204
listed = [item["job"] for item in client.job.list().body]
print(json.dumps({"id": job["id"], "cancelled": cancelled, "listed": listed}))
"""


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with start(encode=False, rate_limit=0) as running:
        yield running


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install_for_node(folder: Path) -> list[str | Path]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        pytest.skip("Node with npm is not installed")
    run(npm, "install", "--no-audit", "--no-fund", "zencoder@2.0.1", folder=folder)
    return [node, "-e", NODE]


def install_for_python(folder: Path) -> list[str | Path]:
    run(sys.executable, "-m", "venv", "client", folder=folder)
    python = folder / "client" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "zencoder==0.6.5", folder=folder)
    return [python, "-c", PYTHON]


@pytest.mark.parametrize("install", [install_for_node, install_for_python])
def test_the_client_lists_creates_cancels_and_resubmits(
    sandbox: RunningSandbox, tmp_path: Path, install: Any
) -> None:
    command = install(tmp_path)
    url, key = sandbox.api_url("zencoder"), sandbox.keys["zencoder_api_key"]
    found = json.loads(run(*command, folder=tmp_path, URL=url, KEY=key))
    assert found["cancelled"] == "cancelled"
    (job,) = found["listed"]
    assert job["id"] == found["id"]
    assert job["state"] in ("pending", "waiting", "processing")

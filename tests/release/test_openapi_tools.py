"""Tools from npm that know the API by its document: nothing in it makes them complain."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from django.test import Client

pytestmark = pytest.mark.release

SOURCES = Path(__file__).parent / "clients"
COMPILER = (
    *("--noEmit", "--strict", "--noUncheckedIndexedAccess", "--types", "node"),
    *("--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the tools, and the document as it is published."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node with npm is not installed")
    made = tmp_path_factory.mktemp("clients")
    shutil.copytree(SOURCES, made, dirs_exist_ok=True)
    run(made, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
    document = Client().get("/api/v1/openapi.json").json()
    (made / "openapi.json").write_text(json.dumps(document))
    return made


def run(folder: Path, *command: str) -> str:
    """What it printed, also as errors."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    return printed


def test_spectral_reports_nothing(folder: Path) -> None:
    printed = run(folder, "npx", "spectral", "lint", "--ruleset", "spectral.yaml", "openapi.json")
    assert "No results" in printed


def test_the_minimal_submission_compiles_by_generated_types(folder: Path) -> None:
    printed = run(folder, "npx", "openapi-typescript", "openapi.json", "--output", "schema.d.ts")
    assert "warn" not in printed.lower()
    run(folder, "npx", "tsc", *COMPILER, "--exactOptionalPropertyTypes", "fetch.ts")


def test_the_minimal_submission_compiles_by_generated_functions(folder: Path) -> None:
    printed = run(
        folder, "npx", "openapi-ts", "--input", "openapi.json", "--output", "sdk",
        "--client", "@hey-api/client-fetch",
    )  # fmt: skip
    assert "warn" not in printed.lower()
    run(folder, "npx", "tsc", *COMPILER, "sdk.ts")

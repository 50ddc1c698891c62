"""What provider tests share: the cases of each registered provider, an adapter, a wire."""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import responses

from providers.core.contract import Account, Provider
from providers.core.registry import all_providers
from providers.http.client import HttpClient
from tests.providers.cases.shape import Cases

FIXTURES = Path(__file__).parent.parent / "fixtures"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for `cases` once a provider: being registered is enough.

    A module may name its own `SLUGS`.
    """
    if "cases" in metafunc.fixturenames:
        registered = [provider.slug for provider in all_providers()]
        slugs = getattr(metafunc.module, "SLUGS", registered)
        metafunc.parametrize("cases", slugs, indirect=True)


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> Cases:
    module: Any = import_module(f"tests.providers.cases.{request.param}")
    found: Cases = module.CASES
    found.prepare()
    return found


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def http() -> Iterator[HttpClient]:
    with HttpClient(allow_private_addresses=False) as client:
        yield client


@pytest.fixture
def load() -> Callable[[str], Any]:
    """Read a fixture by `<slug>/<name>`: JSON as values, others as text."""

    def read(path: str) -> Any:
        file = FIXTURES / path
        return json.loads(file.read_text()) if file.suffix == ".json" else file.read_text()

    return read


@pytest.fixture
def adapter(cases: Cases, http: HttpClient) -> Provider:
    account = Account(cases.base_url, cases.credentials, cases.options)
    return cases.provider(account, http)

"""What a provider's module in this folder defines for the contract suite."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import responses

from providers.core.contract import Provider
from providers.core.errors import ProviderError
from providers.core.types import JobRequest

# Planted in every fixture wherever a provider may repeat a secret.
CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Wire:
    """One HTTP answer, and the call it answers."""

    method: str
    path: str
    status: int = 200
    json: Any = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def register(self, wire: responses.RequestsMock, base_url: str) -> None:
        content = {"json": self.json} if self.body is None else {"body": self.body}
        wire.add(
            self.method,
            base_url + self.path,
            status=self.status,
            headers=dict(self.headers),
            **content,
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer outside of 2xx, the call that meets it, and the error it must become.

    `others` are answered beside it, where the call sends more than one request.
    """

    wire: Wire
    call: Callable[[Provider], Any]
    error: type[ProviderError]
    error_class: str
    transient: bool = False
    ambiguous: bool = False
    wait_s: float | None = None
    others: tuple[Wire, ...] = ()


@dataclass(frozen=True, slots=True)
class Cases:
    """Everything that differs by provider in the contract suite.

    `jobs` are whole bodies, one a stage of life, with what each becomes; `wrap_list` makes an
    answer of the list from job bodies; `read` gives the wires that answer reading one job.
    `prepare` is called before each test, for a provider that has to be signed in.
    """

    provider: type[Provider]
    base_url: str
    credentials: Mapping[str, str]
    options: Mapping[str, Any]
    jobs: Mapping[str, tuple[Any, str]]
    list_path: str
    wrap_list: Callable[[list[Any]], Any]
    read: Callable[[Any], tuple[Wire, ...]]
    set_status: Callable[[Any, Any], Any]
    request: JobRequest
    created: Wire
    refusals: tuple[Refusal, ...]
    webhook_headers: Mapping[str, str] = field(default_factory=dict)
    webhook_body: Any = None
    webhook_job: str = ""
    prepare: Callable[[], object] = lambda: None

"""Stands in for the adapter of a provider that this installation no longer has.

Accounts and jobs stay when a provider is removed: their pages work, and whatever would call the
provider fails with a sentence.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NoReturn

from providers.core.contract import Provider
from providers.core.errors import ProviderError
from providers.core.issues import RequestIssue
from providers.core.types import JobRequest, Page, RemoteJob


class RemovedProvider(Provider):
    docs_url = default_base_url = ""
    capabilities = frozenset()
    credential_fields = ()
    job_statuses = {}

    def list_jobs(self, cursor: str | None = None) -> Iterator[Page]:
        self._fail()

    def get_job(self, remote_id: str) -> RemoteJob:
        self._fail()

    def check_request(self, request: JobRequest) -> list[RequestIssue]:
        self._fail()

    def build_request(self, request: JobRequest, key: str | None = None) -> dict[str, Any]:
        self._fail()

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        self._fail()

    def cancel(self, remote_id: str) -> None:
        self._fail()

    def resubmit(self, remote_id: str) -> None:
        self._fail()

    def _fail(self) -> NoReturn:
        raise ProviderError(
            f"The provider {self.label} is not part of this installation.",
            error_class="provider.withdrawn",
        )


@cache
def removed_provider(slug: str) -> type[Provider]:
    return type("RemovedProvider", (RemovedProvider,), {"slug": slug, "label": slug})

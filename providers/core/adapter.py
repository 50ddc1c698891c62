"""What all adapters share: each provider's module adds its declarations and translations."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.core.contract import Provider
from providers.core.errors import Rejected
from providers.core.issues import RequestIssue
from providers.core.request_checks import find_declared_issues
from providers.core.types import JobRequest

# As long as the key of a submission: a UUID with its dashes.
LONGEST_KEY = "0" * 36


class Adapter(Provider):
    """Sends, pages, opens and finishes; a subclass translates."""

    # Acting

    def check_request(self, request: JobRequest) -> list[RequestIssue]:
        body = self.build_request(request, LONGEST_KEY)
        return [
            *find_declared_issues(type(self), request, body),
            *self.find_issues(request, body),
        ]

    def find_issues(self, request: JobRequest, body: Mapping[str, Any]) -> Iterator[RequestIssue]:
        """Yield what does not follow from the declarations. `body` is what would be sent."""
        yield from ()

    def finish_request(
        self, body: dict[str, Any], request: JobRequest, key: str | None
    ) -> dict[str, Any]:
        """Merge `extra` in, which wins, and write the metadata and our key into their field.

        Metadata that `extra` gives in the provider's own field is the customer's, and keeps our
        key as well.
        """
        body = {**body, **request.extra}
        if self.customer_field:
            self.customer_field.fill(body, request.metadata, key)
        return body

    def build_submission(self, request: JobRequest, key: str) -> dict[str, Any]:
        """Build the body to send. Raises Rejected where our key finds no room in it."""
        body = self.build_request(request, key)
        if self.customer_field and self.customer_field.is_too_long(body):
            raise Rejected("The metadata is too long: there is no room left for our key.")
        return body

"""A list that somebody has open, as its script sees it."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from jobs.models import Job

LIST = "/o/harbour-studio/jobs/"


@dataclass
class ListPage:
    """What the page says of itself when it polls; `poll` takes over what it is answered."""

    client: Client
    url: str
    rows: dict[str, str]
    since: str
    revision: str
    new: str
    health: str

    @classmethod
    def open(cls, client: Client, query: str = "") -> "ListPage":
        html = client.get(LIST + query).content.decode()
        url, since = _find(r'hx-get="([^"]*/live/[^"]*)"[^>]*data-live-since="([^"]*)"', html)
        page = cls(client, url.replace("&amp;", "&"), {}, since, "", "0", "")
        page._read(html)
        return page

    def poll(self) -> str:
        """What came; empty for a 204."""
        response = self.ask()
        html = response.content.decode()
        assert (response.status_code == 204) is (html == "")
        self._read(html)
        return html

    def ask(self) -> Any:
        said = {name: getattr(self, name) for name in ("since", "revision", "new", "health")}
        rows = "_".join(f"{pk}.{version}" for pk, version in self.rows.items())
        return self.client.get(self.url, {**_query(self.url), **said, "rows": rows})

    def shows(self, job: Job) -> bool:
        return str(job.pk) in self.rows

    def _read(self, html: str) -> None:
        self.rows |= dict(re.findall(r'<tr id="job-(\d+)"\s+data-version="(\w+)"', html))
        for name, pattern in (
            ("revision", r'data-revision="([^"]*)"'),
            ("new", r'id="new-jobs"[^>]*data-count="(\d+)"'),
            ("health", r'data-fingerprint="([^"]*)"'),
        ):
            if found := re.search(pattern, html):
                setattr(self, name, found[1])


def tab_counts(html: str) -> dict[str, str]:
    """What the tabs say, by status."""
    return dict(
        re.findall(r'id="tab-(\w+)"(?:(?!</a>).)*?class="count[^"]*">([^<]*)<', html, re.DOTALL)
    )


def _find(pattern: str, html: str) -> tuple[str, ...]:
    found = re.search(pattern, html)
    assert found is not None, pattern
    return found.groups()


def _query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)

"""Keys that look for text find what a reader of all rows finds, from the index and without it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.mirror import writer
from jobs.models import EventSource, Job
from jobs.models.search.normalization import normalize
from jobs.query.jobs import JobFilter
from jobs.query.language.tree import And, Filter, Node, Not, Or, Value
from jobs.query.language.write import write
from jobs.query.search import matches
from jobs.query.visibility import Visibility
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind, RemoteError, RemoteInput, RemoteJob, RemoteOutput
from providers.parsing.urls import parse_url, strip_query
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account, make_job

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LETTERS = "ab/é 夜É,\"'\\*%_"
SHORT = st.text(LETTERS, min_size=1, max_size=4)
NAMES = st.text(LETTERS, max_size=6)
URLS = st.one_of(
    st.builds("s3://b/{}".format, NAMES),
    st.builds("https://h.example/{}%20{}.mov?X-Signature=ab{}".format, NAMES, NAMES, NAMES),
    NAMES,
)
METADATA = st.recursive(
    st.one_of(NAMES, st.booleans(), st.none(), st.integers(0, 99)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=2)),
    max_leaves=4,
)
OUTPUTS = st.builds(
    RemoteOutput,
    remote_id=SHORT,
    kind=st.sampled_from([OutputKind.VIDEO, OutputKind.IMAGE]),
    status=st.just(OutputStatus.SUCCEEDED),
    label=NAMES,
    url=URLS,
)
JOBS = st.builds(
    RemoteJob,
    remote_id=st.just(""),
    status=st.just(JobStatus.FAILED),
    provider_status=st.just("failed"),
    name=NAMES,
    created_at=st.just(NOON),
    input=st.builds(RemoteInput, url=URLS),
    outputs=st.lists(OUTPUTS, max_size=2, unique_by=lambda one: one.remote_id).map(tuple),
    errors=st.lists(st.builds(RemoteError, st.just("output.failed"), SHORT), max_size=1).map(tuple),
    metadata=st.one_of(st.none(), st.dictionaries(NAMES, METADATA, max_size=2)),
)
VALUES = st.builds(Value, SHORT, is_prefix=st.booleans())
FILTERS = st.builds(
    Filter,
    st.sampled_from(["name", "file", "output", "label", "meta", "code"]),
    st.lists(VALUES, min_size=1, max_size=2).map(tuple),
)
QUERIES = st.recursive(
    FILTERS,
    lambda inner: st.one_of(
        st.builds(Not, FILTERS),
        st.builds(And, st.tuples(inner, inner)),
        st.builds(Or, st.tuples(inner, inner)),
    ),
    max_leaves=4,
)


def entries(key: str, job: Job) -> list[str]:
    """What `key` looks at, as it is stored."""
    media = [output for output in job.outputs.all() if output.kind != OutputKind.IMAGE]
    match key:
        case "name":
            return [job.name]
        case "code":
            return [job.error_code]
        case "file":
            return [strip_query(job.input_url), f"/{parse_url(job.input_url).file_name}"]
        case "output":
            urls = [(strip_query(one.url), f"/{parse_url(one.url).file_name}") for one in media]
            return [*(one.remote_id for one in media), *(url for both in urls for url in both)]
        case "label":
            return [one.label for one in media]
    return list(leaves(job.metadata))


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def has(key: str, value: Value, texts: list[str]) -> bool:
    text = normalize(value.text)
    known = [entry for entry in map(normalize, texts) if entry.strip("/")]
    if key in ("file", "output") and value.is_prefix:
        return any(f"/{text}" in entry for entry in known)
    if value.is_prefix:
        return any(entry.startswith(text) for entry in known)
    if key == "code":
        return text in known
    return not text or any(text in entry for entry in known)


def fits(node: Node, job: Job) -> bool:
    match node:
        case Filter():
            texts = entries(node.key, job)
            return any(has(node.key, value, texts) for value in node.values)
        case Not():
            return not fits(node.node, job)
        case And():
            return all(fits(inner, job) for inner in node.nodes)
        case Or():
            return any(fits(inner, job) for inner in node.nodes)
    raise AssertionError(node)


@settings(max_examples=10)
@given(
    st.lists(st.tuples(JOBS, JOBS), min_size=1, max_size=4),
    st.lists(QUERIES, min_size=1, max_size=6),
)
def test_from_the_index_and_without_it_they_find_what_the_rows_say(
    jobs: list[tuple[RemoteJob, RemoteJob]], queries: list[Node]
) -> None:
    account = make_account(make_organization())
    # all of them as they are now, which differs from before in names, outputs and whatever else
    for minute, payloads in enumerate(zip(*jobs, strict=True)):
        named = [replace(one, remote_id=f"{number}") for number, one in enumerate(payloads)]
        at = NOON + timedelta(minutes=minute)
        writer.apply(account, named, source=EventSource.POLL, observed_at=at)
    visible = Visibility(account.organization)
    for query in queries:
        expected = {job.pk for job in visible.jobs() if fits(query, job)}
        for common in (0, 100):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(matches, "COMMON", common)
                filters = JobFilter.parse({"q": [write(query)]}, visible)
                assert not filters.errors
                found = {job.pk for job in filters.apply(visible.jobs())}
            assert found == expected, (write(query), common)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name:quay", True),
        ("file:quay* -is:test ran:>1m", True),
        ("(meta:quay has:error) OR label:quay,pier", True),
        ("quay (ran:>1m OR -name:q)", True),
        # an index says nothing about these, or not about all of them
        ("name:q", False),
        ("name:*", False),
        ("name:reel", False),
        ("name:quay OR is:test", False),
        ("-name:quay", False),
        ("name:a1,a2,a3,a4,a5,a6,a7,a8,a9", False),
    ],
)
def test_text_that_few_jobs_have_is_served_by_the_index_whatever_else_is_asked_for(
    text: str, expected: bool
) -> None:
    account = make_account(make_organization())
    for number in range(matches.COMMON):
        make_job(account, name=f"reel {number}")
    filters = JobFilter.parse({"q": [text]}, Visibility(account.organization))
    assert not filters.errors
    assert filters.is_served is expected

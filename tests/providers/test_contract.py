"""What holds for every adapter in the registry. `cases/<slug>.py` has what differs."""

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from providers.core.contract import Account, Provider
from providers.core.errors import CLASSES, BadAnswer, ProviderError, Unreachable, WebhookRefused
from providers.core.status import JobStatus, OutputStatus, normalize_status, read_status
from providers.core.types import Capability, JobRequest, RemoteJob, Rendition, Thumbnails
from providers.http.client import HttpClient
from providers.http.redaction import CUT
from providers.parsing.values import MAX_ITEMS
from tests.providers.cases.shape import CANARY, Cases

# The method of a capability. The others add a fact, not a method.
METHODS = {
    Capability.SUBMIT: ("submit", "build_request"),
    Capability.CANCEL: ("cancel",),
    Capability.RESUBMIT: ("resubmit",),
    Capability.FIND_BY_KEY: ("find_by_key",),
    Capability.PRESETS: ("list_presets",),
    Capability.WEBHOOK: ("read_webhook",),
    Capability.JOB_WEBHOOK: ("add_webhook",),
    Capability.CHECK_CREDENTIALS: ("check_credentials",),
    Capability.USAGE: ("usage",),
    Capability.INTEGRATION_MODE: ("switch_integration_mode",),
    Capability.OUTPUT_LINKS: ("resolve_output_url",),
}
KEY = "0123456789abcdef0123456789abcdef"
MALFORMED: list[Any] = [
    None,
    [],
    {},
    0,
    "text",
    True,
    [None, 3, "x", [], {}],
    {"job": None},
    {"job": []},
    {"errors": {"a": [1, None, {"b": "c"}]}},
]
UNREADABLE = ["<html>", "{", "\x00", '{"id": 1}{', "[" * 100_000, "9" * 5000, "NaN,"]


def read_page(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock, bodies: list[Any]
) -> tuple[RemoteJob, ...]:
    wire.get(cases.base_url + cases.list_path, json=cases.wrap_list(bodies))
    return next(adapter.list_jobs()).jobs


def read_one(cases: Cases, adapter: Provider, wire: responses.RequestsMock, body: Any) -> RemoteJob:
    for answer in cases.read(body):
        answer.register(wire, cases.base_url)
    return adapter.get_job(read_page(cases, adapter, wire, [body])[0].remote_id)


def flatten(value: Any) -> list[Any]:
    """List everything below a value, dataclasses included."""
    if is_dataclass(value):
        return [item for f in fields(value) for item in flatten(getattr(value, f.name))]
    if isinstance(value, dict):
        return [item for pair in value.items() for part in pair for item in flatten(part)]
    if isinstance(value, list | tuple):
        return [item for part in value for item in flatten(part)]
    return [value]


def without_secret_urls(job: RemoteJob) -> RemoteJob:
    """Take off the one field that is made to hold a secret, and is kept encrypted."""
    return replace(
        job,
        input=replace(job.input, secret_url=None),
        outputs=tuple(replace(output, secret_url=None) for output in job.outputs),
    )


def test_thumbnails_are_declared_where_they_can_be_made(cases: Cases) -> None:
    makes_thumbnails = cases.provider.supports(Capability.THUMBNAILS)
    assert (cases.provider.thumbnails is not None) == makes_thumbnails


def test_declared_capabilities_and_overridden_methods_agree(cases: Cases) -> None:
    for capability, methods in METHODS.items():
        for method in methods:
            own = getattr(cases.provider, method)
            inherited = getattr(Provider, method)
            is_overridden = getattr(own, "__func__", own) is not getattr(
                inherited, "__func__", inherited
            )
            assert is_overridden == cases.provider.supports(capability), method


def test_a_provider_that_finds_by_key_can_submit(cases: Cases) -> None:
    form_capabilities = {Capability.FIND_BY_KEY, Capability.TEST_MODE, Capability.PRIORITY}
    if cases.provider.capabilities & form_capabilities:
        assert cases.provider.supports(Capability.SUBMIT)


def test_a_webhook_secret_has_a_header_and_a_credential_field(cases: Cases) -> None:
    names = {field.name for field in cases.provider.credential_fields}
    has_secret = cases.provider.supports(Capability.WEBHOOK_SECRET)
    assert has_secret == ("webhook_secret" in names)
    assert has_secret == (cases.provider.webhook_secret_header is not None)


def test_status_tables_hold_normalized_labels_and_no_invented_unknown(cases: Cases) -> None:
    for table in (cases.provider.job_statuses, cases.provider.output_statuses):
        assert table
        assert all(normalize_status(label) == label for label in table)
        assert JobStatus.UNKNOWN not in table.values()
    assert JobStatus.SUBMITTING not in cases.provider.job_statuses.values()


def test_every_error_class_that_a_table_names_is_in_the_catalogue(cases: Cases) -> None:
    assert set(cases.provider.error_classes.values()) <= set(CLASSES)


def test_every_listed_status_is_read_in_any_case_and_spelling(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    body = cases.jobs[next(iter(cases.jobs))][0]
    for label, status in cases.provider.job_statuses.items():
        spelled = f" {label.upper()}_ "
        (job,) = read_page(cases, adapter, wire, [cases.set_status(body, spelled)])
        wire.reset()
        assert job.status is status
        assert job.provider_status == spelled.strip()


@pytest.mark.parametrize("label", ["reticulating", "", None, 7, ["finished"], {"a": 1}])
def test_an_unlisted_status_is_unknown_and_kept(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock, label: Any
) -> None:
    body = cases.jobs[next(iter(cases.jobs))][0]
    (job,) = read_page(cases, adapter, wire, [cases.set_status(body, label)])
    assert job.status is JobStatus.UNKNOWN
    assert job.provider_status == (str(label) if isinstance(label, str | int) else "")


def test_each_stage_of_life_is_read_from_the_list_and_alone(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    for stage, (body, status) in cases.jobs.items():
        (listed,) = read_page(cases, adapter, wire, [body])
        wire.reset()
        job = read_one(cases, adapter, wire, body)
        wire.reset()
        assert (stage, job.status) == (stage, listed.status) == (stage, JobStatus(status))
        assert len(listed.outputs) >= 2
        assert len({output.remote_id for output in job.outputs}) == len(job.outputs)
        assert bool(job.errors) == (job.status is JobStatus.FAILED)
        assert job.name


def test_times_are_aware_and_numbers_fit_their_columns(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    bodies = [body for body, _ in cases.jobs.values()]
    found = flatten(read_page(cases, adapter, wire, bodies))
    times = [value for value in found if isinstance(value, datetime)]
    assert times
    assert all(moment.utcoffset() == timedelta(0) for moment in times)
    assert all(abs(value) < 2**63 for value in found if isinstance(value, int))


def test_no_planted_secret_is_in_anything_but_the_url_that_opens(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    bodies = [body for body, _ in cases.jobs.values()]
    assert CANARY in json.dumps(bodies).lower()
    jobs = read_page(cases, adapter, wire, bodies)
    assert any(CANARY in str(flatten(job)) for job in jobs)  # in secret_url
    for job in jobs:
        assert CANARY not in str(flatten(without_secret_urls(job))).lower()
        assert CANARY not in repr(adapter.account)
    if cases.provider.supports(Capability.SUBMIT):
        cases.created.register(wire, cases.base_url)
        created = adapter.submit(cases.request, KEY)
        assert CANARY not in str(flatten(without_secret_urls(created))).lower()
    if cases.provider.supports(Capability.WEBHOOK):
        event = cases.provider.read_webhook(
            cases.webhook_headers, json.dumps(cases.webhook_body).encode(), ""
        )
        assert CANARY not in str(event).lower()


def test_each_refusal_becomes_its_error(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    for refusal in cases.refusals:
        for answer in (refusal.wire, *refusal.others):
            answer.register(wire, cases.base_url)
        with pytest.raises(ProviderError) as caught:
            refusal.call(adapter)
        wire.reset()
        error = caught.value
        assert type(error) is refusal.error, refusal
        assert error.error_class == refusal.error_class, refusal
        assert error.transient == refusal.transient, refusal
        assert error.ambiguous == refusal.ambiguous, refusal
        assert error.wait_s == refusal.wait_s, refusal
        assert str(error).strip() == str(error) != ""


def test_no_error_repeats_a_credential(
    cases: Cases, http: HttpClient, wire: responses.RequestsMock
) -> None:
    with HttpClient(
        allow_private_addresses=False, secrets=cases.credentials.values()
    ) as knowing_http:
        adapter = cases.provider(
            Account(cases.base_url, cases.credentials, cases.options), knowing_http
        )
        reported = {"errors": [f"Key {value} is no good." for value in cases.credentials.values()]}
        wire.get(cases.base_url + cases.list_path, json=reported, status=400)
        with pytest.raises(ProviderError) as caught:
            list(adapter.list_jobs())
    assert CANARY not in str(caught.value)
    assert CANARY not in str(flatten(vars(caught.value)))


@pytest.mark.parametrize("status", [200, 201, 400, 403, 404, 409, 422, 500])
def test_a_malformed_body_ends_in_an_error_or_nothing_never_in_a_traceback(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock, status: int
) -> None:
    calls = [
        lambda: [page.jobs for page in adapter.list_jobs()],
        lambda: [page.jobs for page in adapter.list_unfinished()],
        lambda: adapter.get_job("77"),
        lambda: adapter.refresh_job(RemoteJob("77", JobStatus.RUNNING)),
    ]
    if adapter.supports(Capability.SUBMIT):
        calls.append(lambda: adapter.submit(cases.request, KEY))
    if adapter.supports(Capability.OUTPUT_LINKS):
        calls.append(lambda: adapter.resolve_output_url("77", "0"))
    if adapter.supports(Capability.FIND_BY_KEY):
        calls.append(lambda: adapter.find_by_key(KEY, cases.request, datetime.now(UTC)))
    for body in MALFORMED:
        cases.prepare()
        answer_everything(cases, wire, body, status)
        for call in calls:
            with suppress(ProviderError):  # any other exception is what fails here
                call()


def answer_everything(cases: Cases, wire: responses.RequestsMock, body: Any, status: int) -> None:
    wire.reset()
    for method in ("GET", "POST", "PUT", "DELETE"):
        wire.add(method, f"{cases.base_url}{cases.list_path}", json=body, status=status)
        for path in ("/77", "/77/progress", "/77/cancel", "/77/resubmit"):
            url = f"{cases.base_url}{cases.list_path.rstrip('/')}{path}"
            wire.add(method, url, json=body, status=status)


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: text[:5])
def test_what_is_not_json_is_a_bad_answer(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock, text: str
) -> None:
    wire.get(cases.base_url + cases.list_path, body=text, content_type="application/json")
    with pytest.raises(BadAnswer):
        list(adapter.list_jobs())


def test_an_odd_value_anywhere_in_a_body_never_ends_in_a_traceback(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    """Put each odd value at each place of the largest body, one at a time."""
    body = largest_body(cases)
    odds: list[Any] = [None, {"id": {}}, 2**70, "s3://[bucket]/\x00\ud800", "http://a／b.example/x"]
    for odd in odds:
        read_page(cases, adapter, wire, replace_each(body, odd))
        wire.reset()


def largest_body(cases: Cases) -> Any:
    return max((body for body, _ in cases.jobs.values()), key=lambda body: len(str(body)))


def replace_each(value: Any, odd: Any) -> list[Any]:
    """Copies of `value`, each with another one of its parts replaced by `odd`."""
    if isinstance(value, dict):
        return [
            {**value, key: changed}
            for key, part in value.items()
            for changed in [odd, *replace_each(part, odd)]
        ]
    if isinstance(value, list):
        return [
            [*value[:index], changed, *value[index + 1 :]]
            for index, part in enumerate(value)
            for changed in [odd, *replace_each(part, odd)]
        ]
    return []


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is done to one place of a body: the place is dropped, or holds `odd`."""

    place: int
    is_dropped: bool
    odd: Any


def nested(kind: str, depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value] if kind == "list" else {"id": value}
    return value


ODD_VALUES: list[Any] = [
    *(None, True, False, "", " ", "x", [], {}, [[]], {"id": {}}, [None, 3, "x", {}]),
    *(0, -1, 1.5, 2**31, 2**63, -(2**70), 10**400, 1e308, "9" * 400, "1e999", "NaN", "-0"),
    *("\x00", "\ud800", "a\u202eb", "<script>alert(1)</script>", "x" * 20_000, "%00", "٣"),
    *("https://[", "https://keeper:canary@host/x", "//canary@", "https://h/a?token=canary"),
    *("9999-99-99T99:99:99Z", "0000-00-00", "2026-05-04T10:00:00", "2026-05-04T10:00:00+99:99"),
    *(nested("list", 15), nested("dict", 15), ["x"] * 1000),
]
mutations = st.builds(Mutation, st.integers(0, 10_000), st.booleans(), st.sampled_from(ODD_VALUES))


def places_of(value: Any) -> list[tuple[Any, Any]]:
    """Each place below `value`, as what holds it and its key."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    return [place for key in list(keys) for place in [(value, key), *places_of(value[key])]]


def mutate(body: Any, mutation: Mutation) -> None:
    places = places_of(body)
    if not places:
        return
    holder, key = places[mutation.place % len(places)]
    if mutation.is_dropped:
        del holder[key]
    else:
        holder[key] = deepcopy(mutation.odd)


def check_sound(job: RemoteJob) -> None:
    """What the mirror and the pages rely on, whatever a provider sent."""
    assert isinstance(job.status, JobStatus)
    assert CANARY not in str(flatten(without_secret_urls(job))).lower()
    assert all(
        value.utcoffset() == timedelta(0)
        for value in flatten(replace(job, raw=None, metadata=None))
        if isinstance(value, datetime)
    )
    assert len({output.remote_id for output in job.outputs}) == len(job.outputs)
    assert {error.error_class for error in job.errors} <= set(CLASSES)
    assert job.errors or job.status is not JobStatus.FAILED
    percentages = [job.progress, *(output.progress for output in job.outputs)]
    assert all(percent is None or 0 <= percent <= 100 for percent in percentages)
    assert job.console_url is None or job.console_url.startswith("https://")
    json.dumps([job.raw, job.metadata])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=st.lists(mutations, min_size=1, max_size=3))
def test_a_mutated_body_is_read_soundly_and_hides_no_other(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock, done: list[Mutation]
) -> None:
    body = deepcopy(largest_body(cases))
    other = next(found for found, _ in cases.jobs.values() if found != body)
    (whole,) = read_page(cases, adapter, wire, [other])
    wire.reset()
    for mutation in done:
        mutate(body, mutation)
    jobs = read_page(cases, adapter, wire, [body, other])
    wire.reset()
    assert jobs[-1] == whole
    with suppress(KeyError, TypeError, IndexError):  # it has no id to be asked for
        for answer in cases.read(body):
            answer.register(wire, cases.base_url)
    for job in jobs:
        check_sound(job)
        with suppress(ProviderError):
            check_sound(adapter.get_job(job.remote_id))
    wire.reset()


def test_a_provider_out_of_reach_is_reported_as_such(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    with pytest.raises(Unreachable) as caught:
        adapter.get_job("77")  # nothing is registered, so the connection fails
    assert caught.value.transient


def test_a_submission_carries_our_key_once_and_reads_it_back(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    if not adapter.supports(Capability.SUBMIT):
        pytest.skip("the provider takes no submissions")
    cases.created.register(wire, cases.base_url)
    request = replace(cases.request, metadata="text of the customer")
    job = adapter.submit(request, KEY)
    sent = str(wire.calls[-1].request.body)
    assert sent.count(KEY) == 1
    assert "text of the customer" in sent
    assert job.key == KEY
    assert KEY not in json.dumps(adapter.build_request(request))
    assert wire.calls[-1].request.method == cases.created.method
    assert len(wire.calls) == 1


def test_a_request_that_names_nothing_to_make_is_refused(cases: Cases, adapter: Provider) -> None:
    if not adapter.supports(Capability.SUBMIT):
        pytest.skip("the provider takes no submissions")
    extras: list[dict[str, Any]] = [{}, {"region": "europe"}]
    extras += [{name: []} for name in ("outputs", "output", "presets", "resolutions")]
    for extra in extras:
        request = JobRequest("s3://rushes/harbour.mov", "s3://results/", extra=extra)
        issues = adapter.check_request(request)
        assert "renditions" in {issue.field for issue in issues if issue.blocking}, extra


@pytest.mark.parametrize(
    "fields",
    [
        {"input": "s3://another/place.mov"},
        {"destination": "s3://another/place/"},
        {"renditions": (Rendition("hls", (144,)), Rendition("mp4", (2160,)))},
        {"thumbnails": Thumbnails(count=3)},
        {"thumbnails": Thumbnails(interval_s=2, formats=("png",), width=320, height=240)},
        {"thumbnails": Thumbnails(timestamps=(1, 2.5), filters=("blur",))},
        {"metadata": {"order": 7}},
        {"test": True},
        {"priority": 3},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_no_field_of_a_request_is_left_out_in_silence(
    cases: Cases, adapter: Provider, fields: dict[str, Any]
) -> None:
    """Each is in the body, refused, or said to be approximated; also where extra replaces it."""
    if not adapter.supports(Capability.SUBMIT):
        pytest.skip("the provider takes no submissions")
    (name,) = fields
    plain = replace(cases.request, thumbnails=None)
    request = replace(plain, **fields)
    replacing = adapter.build_request(replace(request, metadata="of extra"))
    for extra in ({**plain.extra}, {**plain.extra, **replacing}):
        with_field = adapter.build_request(replace(request, extra=extra))
        without = adapter.build_request(replace(plain, extra=extra))
        issues = adapter.check_request(replace(request, extra=extra))
        named = {issue.field.partition(".")[0] for issue in issues}
        assert with_field != without or name in named, extra


def test_extra_wins_over_what_the_adapter_builds(cases: Cases, adapter: Provider) -> None:
    if not adapter.supports(Capability.SUBMIT):
        pytest.skip("the provider takes no submissions")
    for name in adapter.build_request(cases.request):
        request = replace(cases.request, extra={name: "mine", "another": [1]})
        body = adapter.build_request(request)
        assert body[name] == "mine"
        assert body["another"] == [1]


def test_a_webhook_with_a_wrong_secret_is_refused(cases: Cases) -> None:
    if not cases.provider.supports(Capability.WEBHOOK):
        pytest.skip("the provider sends no webhooks")
    body = json.dumps(cases.webhook_body).encode()
    secret = cases.credentials.get("webhook_secret", "")
    event = cases.provider.read_webhook(cases.webhook_headers, body, secret)
    assert event.remote_id == cases.webhook_job
    if cases.provider.supports(Capability.WEBHOOK_SECRET):
        for headers in ({}, dict.fromkeys(cases.webhook_headers, "wröng")):
            with pytest.raises(WebhookRefused):
                cases.provider.read_webhook(headers, body, secret)


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"\xff\xfe", b"[]", b"3", b"[" * 100_000])
def test_a_webhook_that_is_not_readable_is_refused(cases: Cases, body: bytes) -> None:
    if not cases.provider.supports(Capability.WEBHOOK):
        pytest.skip("the provider sends no webhooks")
    with pytest.raises(WebhookRefused):
        cases.provider.read_webhook({}, body, "")


def test_output_statuses_are_read_by_the_same_rule(cases: Cases) -> None:
    for label, status in cases.provider.output_statuses.items():
        table = cases.provider.output_statuses
        assert read_status(label.title(), table, OutputStatus.UNKNOWN) is status


# What redaction takes for the beginning of a secret, so that it would take our key for its end.
SUSPECTS = [
    *("basic", "Basic", "plan: basic", "token", "delivery token", "apikey", "password:", "auth:"),
    *("secret=", "reset token -", "Authorization: Bearer", 'say "token": "abc', "pass='x", "//a:b"),
    *("-----BEGIN RSA PRIVATE KEY-----", '{"tier":"basic"}', "https://h/a?token=", "rb:", "rb:x"),
]
metadata_texts = st.lists(st.sampled_from([*SUSPECTS, " ", "é", "show"]), min_size=1).map(" ".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    metadata=metadata_texts
    | st.text(min_size=1)
    | st.dictionaries(metadata_texts, metadata_texts, max_size=2)
)
@example(metadata="basic")
@example(metadata={"token": "abc", "tier": "basic"})
def test_our_key_is_read_back_whatever_the_customer_wrote_beside_it(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock, metadata: Any
) -> None:
    """A key that is lost is taken for a submission that made no job, which is then sent twice."""
    if not adapter.supports(Capability.FIND_BY_KEY):
        pytest.skip("the provider finds no submissions")
    job = read_one(cases, adapter, wire, echo(cases, adapter, metadata))
    wire.reset()
    assert job.key == KEY


def test_a_secret_in_metadata_is_redacted_all_the_same(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    if not adapter.supports(Capability.FIND_BY_KEY):
        pytest.skip("the provider finds no submissions")
    for metadata in (f"password={CANARY}", f"Bearer {CANARY}-0123", {"token": CANARY}, "basic"):
        job = read_one(cases, adapter, wire, echo(cases, adapter, metadata))
        wire.reset()
        assert job.key == KEY
        check_sound(job)
        assert KEY not in str(job.metadata)


def echo(cases: Cases, adapter: Provider, metadata: Any) -> Any:
    """The body of a job that returns what was sent in the field that carries our key."""
    body = cases.jobs[next(iter(cases.jobs))][0]
    sent = adapter.build_request(replace(cases.request, metadata=metadata), KEY)
    kept = {name: value for name, value in sent.items() if KEY in json.dumps(value)}
    assert len(kept) == 1
    return {**body, "job": {**body["job"], **kept}} if "job" in body else {**body, **kept}


@pytest.mark.parametrize("items", [[None, 3, "x", [], {}], [{"id": {}, "lamp": []}] * 100])
def test_a_page_of_which_nothing_can_be_read_is_neither_empty_nor_the_last(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock, items: list[Any]
) -> None:
    """Were it skipped, its jobs would be missing until everything is read again."""
    with pytest.raises(BadAnswer) as caught:
        read_page(cases, adapter, wire, items)
    assert caught.value.transient


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_a_job_that_is_nested_too_deeply_is_cut_and_stops_no_other(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock, kind: str
) -> None:
    body, other = [deepcopy(found) for found, _ in cases.jobs.values()][:2]
    holder = body.get("job", body)
    holder["junk"] = nested(kind, 300)
    jobs = read_page(cases, adapter, wire, [body, other])
    assert len(jobs) == 2
    assert CUT in json.dumps(jobs[0].raw)


def test_an_empty_page_ends_the_list(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    assert read_page(cases, adapter, wire, []) == ()


def test_a_job_of_countless_parts_keeps_a_bounded_number_of_them(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock
) -> None:
    """Each list of objects in the body is made as long as a hostile one may be."""
    body = lengthen(largest_body(cases), 1200)
    (job,) = read_page(cases, adapter, wire, [body])
    assert 100 < len(job.outputs) <= MAX_ITEMS
    assert len(job.presets) <= MAX_ITEMS
    assert len(job.errors) <= MAX_ITEMS


def lengthen(value: Any, length: int, depth: int = 0) -> Any:
    """Copies in which each list of the job itself has `length` items with ids of their own."""
    if isinstance(value, dict):
        return {name: lengthen(part, length, depth) for name, part in value.items()}
    if not isinstance(value, list) or depth or not value:
        return value
    first = value[0]
    if isinstance(first, dict):
        ids = [name for name in ("id", "beam") if name in first]
        return [{**first, **dict.fromkeys(ids, 10**9 + n)} for n in range(length)]
    return [f"{n}p" for n in range(length)]

"""What no provider should send and some do: stored as far as it can be, and nothing else lost."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jobs.models import Job, Output, Preset, ProviderAccount
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import RemoteError, RemoteInput, RemotePreset
from providers.parsing.text import (
    find_hidden,
    is_storable,
    make_one_line,
    make_storable,
    make_storable_id,
)
from tests.jobs.answers import apply, newest, output, reported
from tests.jobs.factories import make_output

pytestmark = pytest.mark.django_db

TEXT = "a\x00b\ud83dc" + "x" * 10_000
NUMBERS: list[Any] = [float("nan"), float("inf"), -1, -(2**70), 2**31, 2**63, 10**40, 1e300]


def hostile(number: Any) -> Any:
    error = RemoteError("input.corrupt", TEXT, TEXT, TEXT)
    return reported(
        status=JobStatus.FAILED,
        provider_status=TEXT,
        name=TEXT,
        phase=TEXT,
        console_url=TEXT,
        progress=number,
        priority=number,
        metadata={TEXT: [TEXT, number]},
        errors=(error, *(replace(error, code=f"{place}") for place in range(120))),
        input=RemoteInput(
            url=TEXT,
            secret_url=TEXT,
            duration_ms=number,
            size_bytes=number,
            width=number,
            frame_rate=number,
            video_codec=TEXT,
        ),
        outputs=(
            output(
                "a",
                OutputStatus.FAILED,
                label=TEXT,
                format=TEXT,
                url=TEXT,
                secret_url=TEXT,
                height=number,
                size_bytes=number,
                duration_ms=number,
                frame_rate=number,
                progress=number,
                error=error,
                preset_id="p",
            ),
            output("b"),
        ),
        presets=(RemotePreset("p", TEXT, TEXT, {TEXT: number}),),
    )


@pytest.mark.parametrize("number", NUMBERS)
def test_hostile_values_are_stored_with_what_cannot_be_made_visible(
    account: ProviderAccount, number: Any
) -> None:
    apply(account, hostile(number), reported("72"))
    job = newest(account)
    assert job.name.startswith(r"a\u0000b\ud83dcxxx")
    assert len(job.name) == 255
    assert job.error_class == "input.corrupt"
    assert len(job.errors) == 100
    assert job.input_width is None
    made = job.outputs.get(remote_id="a")
    assert made.height is None
    assert made.progress is None or 0 <= made.progress <= 100
    assert newest(account, "72").status == JobStatus.RUNNING
    assert not apply(account, hostile(number), at=9).is_news


@pytest.mark.parametrize("status", JobStatus)
def test_a_status_that_no_column_holds_is_in_the_history(
    account: ProviderAccount, status: JobStatus
) -> None:
    apply(account, replace(hostile(1), status=status))
    job = newest(account)
    assert job.provider_status.startswith(r"a\u0000b\ud83dcxxx")
    if status == JobStatus.UNKNOWN:
        assert job.provider_status in job.events.get().message


def test_ids_that_no_column_holds_are_spelled_out_and_stay_apart(account: ProviderAccount) -> None:
    ids = ["7\x001", "71", "\ud800", "x" * 256, "x" * 257, "x" * 255]
    jobs = [reported(remote_id, presets=(RemotePreset(remote_id, "p"),)) for remote_id in ids]
    apply(account, *jobs)
    kept = set(Job.objects.values_list("remote_id", flat=True))
    assert len(kept) == len(ids)
    assert kept > {r"7\u00001", "71", r"\ud800", "x" * 255}
    assert set(account.presets.values_list("remote_id", flat=True)) == kept
    assert not apply(account, *jobs, at=9).is_news


def test_only_a_job_without_any_id_is_left_out(account: ProviderAccount) -> None:
    apply(account, reported(""), reported("72"))
    assert Job.objects.get().remote_id == "72"


def test_outputs_with_ids_that_cannot_be_kept_stay_apart(account: ProviderAccount) -> None:
    long = "thumbnail:" + "x" * 255
    parts = (output(f"{long}1"), output(f"{long}2"), output("a\x00"), output("a"))
    apply(account, reported(outputs=parts))
    assert newest(account).outputs.count() == 4
    assert not apply(account, reported(outputs=parts, progress=None), at=9).is_news


def test_a_secret_url_that_no_key_decrypts_is_replaced(
    account: ProviderAccount, settings: Any
) -> None:
    url = "https://b.example/a?sig=1"
    signed = output("a", url="https://b.example/a?sig=REDACTED", secret_url=url)
    apply(account, reported(outputs=(signed, output("b"))))
    settings.CREDENTIALS_KEYS = ["a-new-key-after-the-old-one-was-lost"]
    apply(account, reported(outputs=(signed, output("b")), progress=5.0), at=9)
    assert Output.objects.get(remote_id="a").opens_at == url


texts = st.text(st.characters(codec=None), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(metadata=values, text=texts, number=st.integers() | st.floats())
def test_any_value_is_stored_and_read_back(
    account: ProviderAccount, metadata: Any, text: str, number: Any
) -> None:
    Job.objects.all().delete()
    wild = reported(
        name=text,
        metadata=metadata,
        priority=number,
        input=RemoteInput(url=text, size_bytes=number, frame_rate=number),
        outputs=(output("a", label=text, width=number), output("b", url=text)),
    )
    apply(account, wild)
    before = Job.objects.values().get()
    apply(account, wild, at=5)
    assert Job.objects.values().get() == before


Part = TypeVar("Part")
UNSTORABLE = "a\x00b\ud800c\x1b[31m\u202ed\ne"


def spell(part: Part, text: str) -> Part:
    """A value of an adapter with `text` in each of its places for text, found by introspection."""
    changes: dict[str, Any] = {}
    for one in fields(part):  # type: ignore[arg-type]
        value = getattr(part, one.name)
        if isinstance(value, tuple):
            changes[one.name] = tuple(spell(item, text) for item in value)
        elif is_dataclass(value):
            changes[one.name] = spell(value, text)
        elif "str" in str(one.type) and "Mapping" not in str(one.type):
            changes[one.name] = text
        elif one.type in (Any, "Any") or "Mapping" in str(one.type):
            changes[one.name] = {text: [text]}
    return replace(part, **changes)  # type: ignore[type-var]


def texts_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_of(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts_of(part)]
    return [value] if isinstance(value, str) else []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts.filter(bool))
@example(text=UNSTORABLE)
@example(text="\x00" * 10_000)
def test_every_text_of_an_answer_is_stored_with_what_cannot_be_made_visible(
    account: ProviderAccount, text: str
) -> None:
    Job.objects.all().delete()
    Preset.objects.all().delete()
    error = RemoteError("input.corrupt", "x", "x", "x")
    remote = reported(
        status=JobStatus.FAILED,
        errors=(error,),
        outputs=(output("a", OutputStatus.FAILED, error=error),),
        presets=(RemotePreset("p", "x"),),
    )
    assert apply(account, replace(spell(remote, text), key=None)).created
    job = Job.objects.select_related("body", "secret").get()
    made, preset = job.outputs.get(), Preset.objects.get()
    clean, line = make_storable(text), make_one_line(text)
    assert (job.remote_id, made.remote_id) == (make_storable_id(text), make_storable_id(text))
    assert (preset.remote_id, preset.name) == (make_storable_id(text), clean[:255])
    assert (job.name, made.label, job.input_url) == (clean[:255], clean[:255], clean)
    assert (job.error_message, made.error_code) == (line[:1000], line[:200])
    assert not find_hidden(job.error_message)
    assert job.metadata == job.body.value == {clean: [clean]}
    for row in (job, made, preset):
        for field in row._meta.concrete_fields:
            for stored in texts_of(getattr(row, field.name)):
                assert is_storable(stored), field


def test_the_same_error_is_stored_once(account: ProviderAccount) -> None:
    error = RemoteError("input.corrupt", "Bad", "The file\r\nis \x1b[31mdamaged.", "input")
    apply(
        account, reported(status=JobStatus.FAILED, errors=(error, error, replace(error, code="x")))
    )
    job = newest(account)
    assert [listed["code"] for listed in job.errors] == ["Bad", "x"]
    assert job.error_message == r"The file is \u001b[31mdamaged."


def test_outputs_that_are_no_longer_listed_stay(account: ProviderAccount) -> None:
    apply(account, reported())
    make_output(newest(account), remote_id="c")
    apply(account, reported(outputs=(output("b"),), progress=1.0), at=5)
    assert newest(account).outputs.count() == 3

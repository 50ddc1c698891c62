"""Outputs have the provider's own file id as soon as there is one, and stay the same rows."""

from typing import Any

import pytest

from jobs.models import Output, ProviderAccount
from providers.core.adapter import Adapter
from providers.core.contract import Account
from providers.core.registry import get
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import RemoteOutput
from providers.http.client import HttpClient
from tests.jobs.answers import apply, newest, output, reported


def rows(account: ProviderAccount) -> dict[str, tuple[int, str, str]]:
    return {
        row.slot: (row.pk, row.remote_id, row.status)
        for row in newest(account).outputs.order_by("position")
    }


def waiting(slot: str) -> RemoteOutput:
    return output(slot, OutputStatus.QUEUED, slot=slot)


def done(*outputs: RemoteOutput, **fields: Any) -> Any:
    return reported(status=JobStatus.SUCCEEDED, outputs=outputs, **fields)


def test_an_output_gets_the_id_of_its_file_and_stays_the_same_row(
    account: ProviderAccount,
) -> None:
    apply(account, reported(outputs=(waiting("p:240"), waiting("p:360"))))
    before = rows(account)
    assert [remote_id for _, remote_id, _ in before.values()] == ["p:240", "p:360"]
    apply(account, done(output("f2", slot="p:240"), output("f1", slot="p:360")), at=60)
    after = rows(account)
    assert [pk for pk, _, _ in after.values()] == [pk for pk, _, _ in before.values()]
    assert [remote_id for _, remote_id, _ in after.values()] == ["f2", "f1"]


def test_a_payload_that_leaves_the_files_out_keeps_what_is_known(account: ProviderAccount) -> None:
    apply(account, done(output("f2", slot="p:240"), output("f1", slot="p:360")))
    before = rows(account)
    unnamed = (output(slot, OutputStatus.UNKNOWN, slot=slot) for slot in ("p:240", "p:360"))
    apply(account, done(*unnamed, name="b.mov"), at=60)
    assert rows(account) == before
    assert newest(account).outputs_succeeded == 2


def test_a_file_that_turns_out_to_be_another_output_is_that_one(account: ProviderAccount) -> None:
    first = reported(outputs=(output("f1", slot="p:240"), waiting("p:360"), waiting("p:720")))
    apply(account, first)
    count = Output.objects.count()
    moved = (output("f2", slot="p:240"), output("f1", slot="p:360"), output("f3", slot="p:720"))
    apply(account, done(*moved), at=60)
    assert Output.objects.count() == count
    assert {slot: remote_id for slot, (_, remote_id, _) in rows(account).items()} == {
        "p:240": "f2",
        "p:360": "f1",
        "p:720": "f3",
    }


def test_a_file_that_is_replaced_is_the_same_output(account: ProviderAccount) -> None:
    apply(account, reported(outputs=(output("f1", slot="p:240"), output("b"))))
    (before, *_) = rows(account).values()
    apply(account, done(output("f9", slot="p:240"), output("b")), at=60)
    assert rows(account)["p:240"][:2] == (before[0], "f9")


def test_two_places_with_one_file_are_two_outputs(account: ProviderAccount) -> None:
    for at in (0, 60):
        apply(account, done(output("f1", slot="0"), output("f1", slot="1"), priority=at), at=at)
        assert {slot: one[1] for slot, one in rows(account).items()} == {"0": "f1", "1": "1"}


@pytest.mark.parametrize(
    ("slug", "body", "ids"),
    [
        (
            "videosdk",
            {
                "id": "65f0a1b2c3d4e5f607182930",
                "status": "completed",
                "presets": [{"id": "p1", "format": "mp4", "resolutions": ["240", "360"]}],
                "files": [
                    {"id": "f360", "type": "video", "fileUrl": "https://c.example/b.mp4",
                     "meta": {"resolution": {"width": 640, "height": 360}, "format": "mp4"}},
                    {"id": "f240", "type": "video", "fileUrl": "https://c.example/a.mp4",
                     "meta": {"resolution": {"width": 426, "height": 240}, "format": "mp4"}},
                    {"id": "i1", "type": "image", "fileUrl": "https://c.example/a.jpg"},
                ],
            },
            ["f240", "f360", "i1"],
        ),
        (
            "xvid",
            {
                "id": "65f0a1b2c3d4e5f607182930",
                "status": "SUCCESS",
                "outputs": [
                    {"file": {"id": "f1"}, "thumbnails": [{"file": {"id": "t1"}}]},
                    {"file": {"id": "f2"}, "thumbnail_zip": {"file": {"id": "z2"}}},
                    {"file": None},
                ],
            },
            ["f1", "t1", "f2", "z2", "2"],
        ),
    ],
)  # fmt: skip
def test_each_provider_keeps_the_id_of_its_file(
    slug: str, body: dict[str, Any], ids: list[str]
) -> None:
    adapter_class = get(slug)
    with HttpClient(allow_private_addresses=False) as http:
        adapter = adapter_class(Account(adapter_class.default_base_url, {}), http)
        assert isinstance(adapter, Adapter)
        job = adapter.read_job(body)
    assert job
    assert [one.remote_id for one in job.outputs] == ids

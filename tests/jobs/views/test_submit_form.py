"""How the form for a new job is drawn: accounts side by side, heights as a table, what is wrong."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from jobs.forms import job as job_form
from jobs.models import ProviderAccount
from organizations.models import Organization
from tests.jobs.factories import NOON, make_account
from tests.markup import without_isolation

NEW = reverse("jobs:new", args=["harbour-studio"])


def show(client: Client, query: str = "") -> str:
    return " ".join(without_isolation(client.get(NEW + query).content.decode()).split())


def tiles(html: str) -> list[tuple[str, str, bool, bool]]:
    """Title, the line below it, whether it is chosen, and whether something is wrong."""
    found = re.findall(r'<label class="account-tile.*?</label>', html)
    return [
        (
            re.findall(r'"tile-title">(.*?)<', one)[0],
            re.findall(r'"tile-note">(.*?)<', one)[0],
            "checked" in one,
            "is-wrong" in one,
        )
        for one in found
    ]


@pytest.fixture
def others(studio: Organization) -> ProviderAccount:
    make_account(studio, name="archive")
    make_account(studio, provider="xvid", name="Old Xvid MediaHub", refused_at=NOON)
    return make_account(studio, provider="tpstreams", name="lessons", enabled=False)


def test_accounts_are_side_by_side_and_say_what_is_wrong_in_place_of_their_name(
    operator: Client, account: ProviderAccount, others: ProviderAccount
) -> None:
    html = show(operator, f"?account={others.pk}")
    shown = {title: rest for title, *rest in tiles(html)}
    assert len(tiles(html)) == 4
    assert shown["Old Xvid MediaHub"] == ["Key refused", False, True]
    assert shown["TPStreams"] == ["Paused", True, True]
    assert ("Zencoder", "archive") in [one[:2] for one in tiles(html)]
    # the first one, where none is named
    assert [one[2] for one in tiles(show(operator))].count(True) == 1


def test_many_accounts_are_a_list(
    operator: Client,
    account: ProviderAccount,
    others: ProviderAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_form, "TILES", 3)
    html = show(operator, f"?account={others.pk}")
    assert tiles(html) == []
    assert f'<option value="{others.pk}" selected>' in html


@pytest.mark.parametrize(
    ("provider", "takes", "lacks"),
    [
        ("zencoder", "HLS, MP4, Destination, Thumbnails, Test mode", "No presets"),
        ("tpstreams", "HLS, Destination", "No presets, No MP4, No thumbnails, No test mode"),
        ("xvid", "Presets, Destination, Thumbnails", "No test mode"),
    ],
)
def test_what_the_account_takes_is_below_it(
    operator: Client, studio: Organization, provider: str, takes: str, lacks: str
) -> None:
    chosen = make_account(studio, provider=provider)
    html = show(operator, f"?account={chosen.pk}")
    listed = html.partition('class="abilities"')[2].partition("</ul>")[0]
    words = re.findall(r"<li ?>.*?</svg>(.*?)</li>", listed)
    assert ", ".join(words) == takes
    words = re.findall(r'<li class="muted">.*?</svg>(.*?)</li>', listed)
    assert ", ".join(words) == lacks


def test_heights_are_columns_and_a_copied_odd_one_is_among_them(
    operator: Client, account: ProviderAccount
) -> None:
    sent = {"choose": "yes", "account": account.pk, "hls": [720], "mp4": [432, 2160]}
    html = operator.post(NEW, sent).content.decode()
    html = " ".join(without_isolation(html).split())
    heads = re.findall(r'<th scope="col">(\d+p)</th>', html)
    assert heads == ["240p", "360p", "432p", "480p", "720p", "1080p", "2160p"]
    hls, mp4 = re.findall(r'<tr id="id_(?:hls|mp4)".*?</tr>', html)
    assert hls.count("<td>") == mp4.count("<td>") == len(heads)
    assert re.findall(r'value="(\d+)"[^>]* checked', mp4) == ["432", "2160"]
    assert 'value="432"' not in hls


def test_the_number_of_fields_to_change_leads_to_the_first(
    operator: Client, account: ProviderAccount
) -> None:
    sent = {"account": account.pk, "fields_of": account.pk, "extra": "{", "hls": 240}
    html = operator.post(NEW, sent).content.decode()
    assert re.search(r'href="#id_input"[^>]*>2 fields need a change</a>', html)
    sent |= {"input": "https://cdn.example/a.mov"}
    html = operator.post(NEW, sent).content.decode()
    assert re.search(r'href="#id_extra"[^>]*>1 field needs a change</a>', html)
    assert "a change</a>" not in show(operator)

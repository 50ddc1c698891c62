"""Notes on jobs and errors: who writes, changes and deletes them, and whom they mention."""

import re
from typing import Any

import pytest
from django.test import Client

from jobs.models import Job, JobErrorGroup, Mention, Note, ProviderAccount
from jobs.notes.service import edit_note
from jobs.views.notes import panel
from organizations.models import AuditEntry, Membership, Organization, Role
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.factories import make_job, make_note
from tests.jobs.views.list_page import LIST
from tests.jobs.views.test_notices import fingerprint

HOME = LIST.replace("/jobs/", "/")
MENTIONS = f"{HOME}mentions/"


@pytest.fixture
def ann(studio: Organization) -> Membership:
    user = make_user("ann@studio.example", name="Ann Ashe")
    return make_membership(studio, Role.OPERATOR, user=user)


@pytest.fixture
def bob(studio: Organization) -> Membership:
    return make_membership(studio, Role.VIEWER, user=make_user("bob@studio.example", name="Bob"))


def client_of(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def write(client: Client, job: Job, text: str) -> Any:
    return client.post(f"{LIST}{job.pk}/notes/", {"text": text})


def notes_part(client: Client, path: str) -> str:
    text = client.get(path).content.decode()
    return text.partition('<section id="notes"')[2].partition("</section>")[0]


def unread(client: Client, path: str = LIST) -> str:
    """What the account menu says."""
    text = client.get(path).content.decode()
    found = re.search(r'id="mentions-count"[^>]*>\s*([^<]*?)\s*<', text)
    assert found
    return found[1]


def test_a_note_is_plain_text_with_lines_links_and_mentions(
    ann: Membership, bob: Membership, job: Job
) -> None:
    client = client_of(ann)
    text = (
        "<b>Policy</b>\r\nsee https://t.example/OPS-1?a=1&b=2. @bob@studio.example @zed@x.example"
    )
    response = write(client, job, text)
    note = Note.objects.get()
    assert response["Location"] == f"{LIST}{job.pk}/#note-{note.pk}"
    shown = notes_part(client, f"{LIST}{job.pk}/")
    assert "&lt;b&gt;Policy&lt;/b&gt;\nsee <a " in shown
    url = "https://t.example/OPS-1?a=1&amp;b=2"
    assert f'<a href="{url}" rel="noopener noreferrer nofollow">{url}</a>. ' in shown
    assert 'title="@bob@studio.example">@<bdi>Bob</bdi></span> @zed@x.example' in shown
    assert "Ann Ashe" in shown
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.target_id) == ("job.note_added", job.pk)
    assert entry.details == {
        "note": note.pk,
        "author": "ann@studio.example",
        "mentioned": ["bob@studio.example"],
    }
    # the reader, who may write none
    assert "Policy" in notes_part(client_of(bob), f"{LIST}{job.pk}/")
    assert "<textarea" not in notes_part(client_of(bob), f"{LIST}{job.pk}/")


@pytest.mark.parametrize("text", ["", " \n", "x" * 4_001, "a\x1bb"])
def test_what_is_no_note_is_refused_with_a_reason(ann: Membership, job: Job, text: str) -> None:
    response = write(client_of(ann), job, text)
    assert response.status_code == 422
    assert response.context["note_form"].errors["text"]
    assert not Note.objects.exists()


def test_the_author_changes_a_note_and_an_owner_deletes_it(
    ann: Membership, owner: Client, operator: Client, job: Job
) -> None:
    note = make_note(job, ann.user, "Wrong bucket")
    page, edit, delete = (
        f"{LIST}{job.pk}/",
        f"{HOME}notes/{note.pk}/edit/",
        f"{HOME}notes/{note.pk}/delete/",
    )
    client = client_of(ann)
    for other in (owner, operator):
        assert other.post(edit, {"text": "mine"}).status_code == 403
    assert operator.post(delete).status_code == 403
    shown = notes_part(operator, page)
    assert edit not in shown
    assert delete not in shown
    assert edit in notes_part(client, page)
    assert client.post(edit, {"text": "Wrong key"}).status_code == 302
    assert "Wrong key" in notes_part(client, page)
    assert "edited" in notes_part(client, page)
    client.post(edit, {"text": "Wrong key"})  # again: nothing
    assert delete in notes_part(owner, page)
    assert owner.post(delete).status_code == 302
    assert "Wrong key" not in notes_part(client, page)
    entries = list(AuditEntry.objects.order_by("pk"))
    assert [entry.action for entry in entries] == ["job.note_changed", "job.note_deleted"]
    assert not any("Wrong" in str(vars(entry)) for entry in entries)


def test_a_note_keeps_the_name_of_an_author_who_was_deleted(
    ann: Membership, operator: Client, job: Job
) -> None:
    make_note(job, ann.user)
    ann.user.delete()
    assert "ann@studio.example" in notes_part(operator, f"{LIST}{job.pk}/")


def test_a_mention_is_unread_until_the_note_is_seen(
    ann: Membership, bob: Membership, job: Job
) -> None:
    client, reader = client_of(ann), client_of(bob)
    write(client, job, "@bob@studio.example @ann@studio.example")
    assert [unread(one) for one in (client, reader)] == ["", "1 unread"]
    assert "1 unread mention in notes" in reader.get(HOME).content.decode()
    listed = reader.get(MENTIONS).content.decode()
    note = Note.objects.get()
    assert f'href="{LIST}{job.pk}/#note-{note.pk}"' in listed
    assert "harbour-at-dawn.mov" in listed
    assert unread(reader) == "1 unread"
    assert unread(reader, f"{LIST}{job.pk}/") == ""
    assert "unread mention" not in reader.get(HOME).content.decode()
    assert "harbour-at-dawn.mov" in reader.get(MENTIONS).content.decode()
    assert "harbour-at-dawn.mov" not in client.get(MENTIONS).content.decode()


def test_all_are_read_at_once_and_an_edit_tells_those_who_are_new(
    ann: Membership, bob: Membership, operator: Client, job: Job
) -> None:
    client, reader = client_of(ann), client_of(bob)
    for _ in range(2):
        write(client, job, "@bob@studio.example")
    assert unread(reader) == "2 unread"
    assert reader.post(MENTIONS).status_code == 302
    assert unread(reader) == ""
    make_membership(ann.organization, user=make_user("cleo@studio.example"))
    note = Note.objects.latest("pk")
    url = f"{HOME}notes/{note.pk}/edit/"
    client.post(url, {"text": "@bob@studio.example @cleo@studio.example"})
    assert unread(reader) == ""  # read before
    rows = note.mentions.select_related("membership__user")
    assert {(str(row.membership.user), row.read_at is None) for row in rows} == {
        ("bob@studio.example", False),
        ("cleo@studio.example", True),
    }
    client.post(url, {"text": "never mind"})
    assert not note.mentions.exists()


def test_only_members_of_the_organization_are_mentioned_and_whoever_leaves_is_not(
    ann: Membership, bob: Membership, job: Job
) -> None:
    elsewhere = make_membership(make_organization("elsewhere"), user=make_user("zed@x.example"))
    both = make_membership(elsewhere.organization, user=bob.user)
    write(client_of(ann), job, "@zed@x.example @bob@studio.example")
    assert list(Mention.objects.values_list("membership", flat=True)) == [bob.pk]
    other = client_of(both).get(f"/o/{both.organization.slug}/mentions/").content.decode()
    assert "harbour-at-dawn.mov" not in other
    bob.delete()
    assert not Mention.objects.exists()
    assert "@bob@studio.example" in notes_part(client_of(ann), f"{LIST}{job.pk}/")


def test_a_poll_brings_the_count_and_costs_no_query_more(
    ann: Membership, bob: Membership, job: Job, django_assert_num_queries: Any
) -> None:
    reader = client_of(bob)
    text = reader.get(f"{LIST}{job.pk}/").content.decode()
    health = re.findall(r'data-fingerprint="([^"]*)"', text.partition('id="health"')[2])[0]
    notices = fingerprint(text.partition('id="toasts"')[2])
    poll = f"{LIST}live/?health={health}&notices={notices}"
    reader.get(poll)
    with django_assert_num_queries(4):  # session, user, membership and accounts
        assert reader.get(poll).status_code == 204
    write(client_of(ann), job, "@bob@studio.example")
    with django_assert_num_queries(4):
        news = reader.get(poll).content.decode()
    assert "1 unread mention" in news
    assert 'id="mentions-count"' in news


def test_an_error_has_its_notes_and_those_of_what_is_merged_into_it(
    ann: Membership, account: ProviderAccount
) -> None:
    client = client_of(ann)
    jobs = [make_job(account, status="failed", error_message=text) for text in ("Aa", "Bb")]
    one, two = (job.error_group for job in jobs)
    assert isinstance(one, JobErrorGroup)
    assert isinstance(two, JobErrorGroup)
    for group, text in ((one, "first"), (two, "second")):
        assert client.post(f"{HOME}errors/{group.pk}/notes/", {"text": text}).status_code == 302
    page = f"{HOME}errors/{one.pk}/"
    client.post(f"{HOME}errors/{two.pk}/merge/", {"into": one.pk})
    shown = notes_part(client, page)
    assert shown.index("first") < shown.index("second")
    # to a page that was opened before the merge
    client.post(f"{HOME}errors/{two.pk}/notes/", {"text": "third"})
    assert "third" in notes_part(client, page)
    client.post(f"{HOME}errors/{two.pk}/split/")
    shown = notes_part(client, page)
    assert "second" not in shown
    assert "third" in shown
    assert "first" not in notes_part(client, f"{LIST}{jobs[0].pk}/")


def test_notes_go_with_their_job(ann: Membership, bob: Membership, job: Job) -> None:
    make_note(job, ann.user, "@bob@studio.example")
    job.delete()
    assert not Note.objects.exists()
    assert not Mention.objects.exists()


def test_notes_cost_the_same_however_many_there_are(
    ann: Membership, bob: Membership, job: Job, django_assert_max_num_queries: Any
) -> None:
    reader, costs = client_of(bob), []
    for number in (1, 9):
        for _ in range(number):
            make_note(job, make_user(), "@ann@studio.example")
        reader.get(f"{LIST}{job.pk}/")
        with django_assert_max_num_queries(60) as queries:
            reader.get(f"{LIST}{job.pk}/")
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_earlier_notes_are_on_a_page_of_their_own(
    ann: Membership, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel, "SHOWN", 2)
    notes = [make_note(job, ann.user, f"Note {number}") for number in "ABC"]
    client = client_of(ann)
    shown = notes_part(client, f"{LIST}{job.pk}/")
    assert re.findall("Note [ABC]", shown) == ["Note B", "Note C"]
    assert f"{LIST}{job.pk}/notes/?before={notes[1].pk}" in shown
    earlier = notes_part(client, f"{LIST}{job.pk}/notes/?before={notes[1].pk}")
    assert re.findall("Note [ABC]", earlier) == ["Note A"]


def test_members_are_found_by_what_is_typed(ann: Membership, bob: Membership) -> None:
    client, path = client_of(ann), f"{HOME}notes/members/"
    make_membership(make_organization("elsewhere"), user=make_user("bobby@away.example"))

    def found(typed: str) -> list[str]:
        text = client.get(path, {"q": typed}).content.decode()
        return re.findall(r'data-insertion="@([^ ]*) "', text)

    assert found("BO") == ["bob@studio.example"]
    assert found("ashe") == ["ann@studio.example"]
    assert found("studio.example") == ["ann@studio.example", "bob@studio.example"]
    assert found("%") == found("\x00") == []


def test_a_note_that_was_deleted_while_it_was_changed_is_not_changed_in_silence(
    ann: Membership, job: Job
) -> None:
    note = make_note(job, ann.user)
    Note.objects.all().delete()
    with pytest.raises(ValueError, match="deleted meanwhile"):
        edit_note(note, "Bucket restored", by=ann.user)

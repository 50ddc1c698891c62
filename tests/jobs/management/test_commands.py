"""The commands that people script against: what they print, and how they end."""

import json
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from jobs.models import Job, ProviderAccount, Submission
from jobs.submission.templates.service import change_template
from jobs.submission.templates.settings import TemplateSettings
from organizations.models import Organization
from tests.factories import make_user
from tests.jobs.factories import make_account, make_template
from tests.jobs.fake_zencoder import Answer, FakeZencoder

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def run(*phrase: str) -> str:
    out = StringIO()
    call_command(*phrase, stdout=out, stderr=StringIO())
    return out.getvalue()


def run_json(*phrase: str) -> Any:
    return json.loads(run(*phrase, "--json"))


def test_sync_prints_one_object(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    zencoder.add(1)
    zencoder.add(2, "failed")
    printed = run_json("sync")
    [one] = printed["accounts"]
    assert one.pop("duration_ms") >= 0
    assert one == {
        "id": str(account.pk),
        "ok": True,
        "error": None,
        "created": 2,
        "changed": 0,
        "unchanged": 0,
        "gone": 0,
        "requests": 1,
    }
    assert "main: 0 new, 0 changed, 2 unchanged, 0 gone; 1 requests" in run("sync")


def test_sync_runs_the_others_when_one_fails_and_ends_with_a_failure(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(1)
    bad = make_account(account.organization, name="a bad one", credentials={"api_key": "no"})
    out = StringIO()
    with pytest.raises(CommandError, match=r"1 of 2 accounts failed\.") as caught:
        call_command("sync", "--json", stdout=out)
    assert caught.value.returncode == 1
    ended = {
        one["id"]: (one["ok"], one["created"]) for one in json.loads(out.getvalue())["accounts"]
    }
    assert ended == {str(account.pk): (True, 1), str(bad.pk): (False, 0)}


def test_sync_goes_on_past_an_account_that_no_key_opens(
    account: ProviderAccount, zencoder: FakeZencoder, settings: Any
) -> None:
    settings.CREDENTIALS_KEYS = ["a-new-key-after-the-old-one-was-lost"]
    fresh = make_account(account.organization, name="fresh", credentials={"api_key": "key-of-main"})
    zencoder.add(1)
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 2"):
        call_command("sync", stdout=out)
    assert "main: failed. ProviderAccount.credentials cannot be decrypted" in out.getvalue()
    assert Job.objects.get().account_id == fresh.pk


def test_sync_chooses_by_organization_and_account(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    other = make_account(account.organization, credentials={"api_key": "key-of-main"})
    printed = run_json("sync", "--organization", account.organization.slug, f"--account={other.pk}")
    assert [one["id"] for one in printed["accounts"]] == [str(other.pk)]
    ProviderAccount.objects.filter(pk=other.pk).update(enabled=False)
    with pytest.raises(CommandError, match=f"No enabled account has the id {other.pk}"):
        run("sync", f"--account={other.pk}")


def test_sync_refuses_what_is_not_there(account: ProviderAccount) -> None:
    with pytest.raises(CommandError, match="no organization with the slug 'nobody'"):
        run("sync", "--organization", "nobody")
    for number in ("0", "-1", "9" * 23, f"-{'9' * 23}"):
        with pytest.raises(CommandError, match=f"No enabled account has the id {number}"):
            run("sync", f"--account={number}")


def test_sync_of_an_organization_without_accounts_says_so(organization: Organization) -> None:
    assert run_json("sync", "--organization", organization.slug) == {"accounts": []}


def test_sync_ignores_the_back_off(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    ProviderAccount.objects.update(consecutive_failures=9, next_sync_at="2099-01-01T00:00:00Z")
    assert run_json("sync")["accounts"][0]["ok"] is True


def test_sync_full_counts_what_is_gone(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    zencoder.add(1)
    zencoder.add(2)
    run("sync")
    del zencoder.jobs[1]
    assert run_json("sync", "--full")["accounts"][0]["gone"] == 1


def add(organization: Organization, *phrase: str) -> Any:
    where = ("--organization", organization.slug, "--provider", "zencoder", "--name", "board")
    return run_json("add_account", *where, *phrase)


def test_add_account_prints_its_webhook_url(organization: Organization) -> None:
    printed = add(organization, "--credential", "api_key=abc=def")
    account = ProviderAccount.objects.get()
    assert printed == {
        "id": str(account.pk),
        "webhook_url": f"http://127.0.0.1:8000/hooks/zencoder/{account.pk}/{account.hook_secret}/",
    }
    assert account.credentials == {"api_key": "abc=def"}
    assert account.base_url == "https://app.zencoder.com/api/v2"
    assert account.enabled


def test_add_account_warns_of_the_same_account_under_another_name(
    organization: Organization, zencoder: FakeZencoder, account: ProviderAccount
) -> None:
    said = StringIO()
    call_command(
        "add_account",
        f"--organization={organization.slug}",
        "--provider=zencoder",
        "--name=again",
        f"--base-url={account.base_url}",
        f"--credential=api_key={account.credentials['api_key']}",
        stdout=StringIO(),
        stderr=said,
    )
    assert "the same Zencoder account as “main”" in said.getvalue()


def test_add_account_reads_a_file(organization: Organization, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    add(organization, "--credential", f"api_key=@{tmp_path / 'key'}")
    assert ProviderAccount.objects.get().credentials == {"api_key": "from-a-file"}
    with pytest.raises(CommandError, match="file for api_key"):
        add(organization, "--credential", f"api_key=@{tmp_path / 'none'}")


def test_add_account_again_changes_what_is_given_alone(organization: Organization) -> None:
    first = add(organization, "--credential", "api_key=one", "--disabled")
    again = add(
        organization,
        "--credential",
        "api_key=three",
        "--credential",
        "webhook_secret=two",
        "--option",
        "interval_s=30",
        "--base-url",
        "https://mirror.example/api/v2/",
    )
    account = ProviderAccount.objects.get()
    assert first == again
    assert account.credentials == {"api_key": "three", "webhook_secret": "two"}
    assert (account.options, account.base_url) == (
        {"interval_s": "30"},
        "https://mirror.example/api/v2",
    )
    assert account.enabled is False


def test_add_account_after_a_lost_key_takes_new_credentials(
    organization: Organization, settings: Any
) -> None:
    first = add(organization, "--credential", "api_key=one")
    settings.CREDENTIALS_KEYS = ["a-new-key-after-the-old-one-was-lost"]
    again = add(organization, "--credential", "api_key=two")
    assert (again["id"], again["webhook_url"] != first["webhook_url"]) == (first["id"], True)
    assert ProviderAccount.objects.get().credentials == {"api_key": "two"}


@pytest.mark.parametrize(
    ("phrase", "sentence"),
    [
        ((), "needs API key"),
        (("--credential", "api_key"), "NAME=VALUE"),
        (("--credential", "token=1"), "has no credential token"),
        (("--credential", "api_key=1", "--option", "speed=1"), "no option speed"),
        (("--credential", "api_key=1", "--option", "interval_s=soon"), "whole number"),
        (("--credential", "api_key=1\x1b"), "control characters"),
        (("--credential", "api_key=1", "--name", "a\x1b"), "control characters"),
        (("--credential", "api_key=1", "--name", "a\udcff"), "name is not valid text"),
        (("--credential", "api_key=\udcff"), "credential is not valid text"),
        (("--credential", "api_key=1", "--base-url", "ftp://x"), "http or https"),
        (("--credential", "api_key=1", "--base-url", "https://u:p@x.example"), "http or https"),
    ],
)
def test_add_account_refuses_in_one_sentence(
    organization: Organization, phrase: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        add(organization, *phrase)
    assert not ProviderAccount.objects.exists()


def submit(account: ProviderAccount, *phrase: str) -> Any:
    where = ("--organization", account.organization.slug, "--account", account.name)
    return run_json("submit", *where, "--input", "s3://rushes/harbour.mov", *phrase)


def test_submit_prints_the_id_and_makes_one_job(account: ProviderAccount) -> None:
    phrase = ("--height=240", "--height=360", "--packaging=mp4", "--packaging=hls")
    printed = submit(account, *phrase, "--idempotency-key=k")
    job = Job.objects.get()
    assert printed == {"id": str(job.pk), "created": True}
    assert job.status == "submitting"
    assert Submission.objects.get().request["renditions"] == [
        {"packaging": packaging, "heights": [240, 360]} for packaging in ("mp4", "hls")
    ]
    again = submit(account, *phrase, "--idempotency-key=k")
    assert again == {"id": str(job.pk), "created": False}
    with pytest.raises(CommandError, match="already used for another request"):
        submit(account, "--idempotency-key=k")


def test_submit_takes_from_a_template_what_no_option_gives(account: ProviderAccount) -> None:
    version = make_template(account.organization, "Episodes", metadata="series", test=False)
    phrase = ("--template=Episodes", "--metadata=film", "--idempotency-key=k")
    printed = submit(account, *phrase)
    job = Job.objects.get()
    assert job.template_version == version
    sent = Submission.objects.get().request
    assert (sent["metadata"], sent["renditions"][0]["heights"]) == ("film", [360])
    change_template(version.template, "Episodes", TemplateSettings(), make_user())
    assert submit(account, *phrase) == {"id": str(job.pk), "created": False}
    assert submit(account, "--template=Episodes", "--height=720")["created"] is True
    assert Submission.objects.latest("pk").request["renditions"] == [
        {"packaging": "mp4", "heights": [720]}
    ]
    assert printed["created"] is True


@pytest.mark.parametrize(
    ("phrase", "sentence"),
    [
        (("--template", "Films"), "has no template 'Films'"),
        (("--extra", "{"), "not valid JSON"),
        (("--extra", "[1]"), "a JSON object"),
        (("--extra", "[" * 100_000), "nested too deep"),
        (("--extra", '{"a": ' * 21 + "1" + "}" * 21), "at most 20 levels"),
        (("--extra", '{"a": NaN}'), "NaN is not JSON"),
        *((("--height", height), "from 1 to 4320") for height in ("0", "-5", str(10**20))),
        (("--metadata", "x" * 300), "at most 255 characters of metadata"),
    ],
)
def test_submit_refuses_in_one_sentence(
    account: ProviderAccount, phrase: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        submit(account, *phrase)
    assert not Job.objects.exists()


def test_submit_says_that_a_paused_account_holds_the_job(account: ProviderAccount) -> None:
    ProviderAccount.objects.update(enabled=False)
    printed = submit(account)
    hold = f"The job is held: {account.name} is paused. It is sent when the account is resumed."
    assert printed == {"id": str(Job.objects.get().pk), "created": True, "held": hold}


def test_submit_asks_before_it_repeats_a_job(account: ProviderAccount) -> None:
    submit(account)
    with pytest.raises(CommandError, match="within 24 hours"):
        submit(account)
    assert submit(account, "--allow-duplicate")["created"] is True


def test_submit_to_a_foreign_account_finds_none(
    account: ProviderAccount, organization: Organization
) -> None:
    with pytest.raises(CommandError, match="has no account 'theirs'"):
        run("submit", "--organization", organization.slug, "--account=theirs", "--input=s3://a/b")


ESCAPES = "\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202e\x7f\nforged: ok"


@pytest.mark.parametrize("as_json", [True, False])
def test_no_command_sends_what_steers_a_terminal(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    as_json: bool,
) -> None:
    """What a provider answers, what a person named, and what a user typed."""
    text = json.dumps({"errors": [f"No.{ESCAPES}"]})

    def refuse(request: object) -> Answer:
        return 422, {"Content-Type": "application/json"}, text

    zencoder.faults |= {"list": refuse, "account": refuse}
    Organization.objects.update(name=f"Harbour{ESCAPES}")
    make_account(account.organization, name=f"bad{ESCAPES}", credentials={"api_key": "no"})
    slug = account.organization.slug
    where = (f"--organization={slug}", "--provider=zencoder")
    for phrase in (
        ["sync"],
        ["add_account", *where, f"--name=new{ESCAPES}", "--credential=api_key=no"],
        ["add_account", *where, "--name=new", f"--credential={ESCAPES}=1"],
        ["add_account", *where, f"--name=x{ESCAPES}", f"--base-url=https://{ESCAPES}"],
        ["create_api_token", f"--organization={slug}", f"--name={ESCAPES}"],
        ["create_organization", f"--name={ESCAPES}", f"--slug={slug}", f"--owner={ESCAPES}"],
        ["create_organization", f"--name={ESCAPES}", f"--slug={slug}"],
        ["submit", f"--organization={slug}", f"--account={ESCAPES}", "--input=s3://a/b"],
        ["submit", f"--organization={slug}", "--account=main", f"--input=s3://a/b{ESCAPES}"],
    ):
        written = from_terminal(*phrase, *(["--json"] if as_json else []))
        assert written
        assert not [char for char in written if char != "\n" and not char.isprintable()], phrase
        assert not [line for line in written.splitlines() if line.startswith("forged")], phrase


def test_progress_does_not_steer_the_terminal_either(
    account: ProviderAccount, zencoder: FakeZencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    zencoder.add(1)
    ProviderAccount.objects.update(name=f"main{ESCAPES}")
    terminal = StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", terminal)
    written = from_terminal("sync")
    assert "jobs read\r" in written
    assert not [char for char in written if char not in "\r\n" and not char.isprintable()]


def from_terminal(*phrase: str) -> str:
    """All that a command writes where a person started it."""
    written = StringIO()
    command = load_command_class(get_commands()[phrase[0]], phrase[0])
    command._called_from_command_line = True  # type: ignore[attr-defined]  # not in the stubs
    parser = command.create_parser("manage.py", phrase[0])
    options = vars(parser.parse_args(phrase[1:]))
    with suppress(SystemExit):
        command.execute(**options | {"stdout": written, "stderr": written, "skip_checks": True})
    return written.getvalue()


def test_watch_job_adds_a_job_once_and_prints_its_id(account: ProviderAccount) -> None:
    printed = run_json("watch_job", "--account", str(account.pk), "881200")
    job = Job.objects.get(account=account, remote_id="881200")
    assert printed == {"id": str(job.pk)}
    assert run("watch_job", "--account", str(account.pk), "881200").strip() == str(job.pk)
    with pytest.raises(CommandError, match=r"No account has the id 99999999\."):
        run("watch_job", "--account", "99999999", "881200")
    with pytest.raises(CommandError, match="An id has no spaces"):
        run("watch_job", "--account", str(account.pk), "two phrase")

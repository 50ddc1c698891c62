"""What the demo's board holds: organizations, accounts at the sandbox and a few first jobs.

Everything goes the way that a deployment's own would: the command that adds an account, the call
that registers a webhook, and a submission that a worker sends.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import requests
from django.core.management import call_command

from dashboard import schema_version
from jobs.models import ProviderAccount, Submission
from jobs.submission.service import submit
from organizations.models import User
from providers.core.types import JobRequest, Rendition, Thumbnails
from scripts.demo.place import CLIPS, Place, make_secret_file, stop
from scripts.supervise import PROJECT_DIR

EMAIL = "demo@example.com"
ORGANIZATIONS = {"harbor": "Harbor Film", "northlight": "Northlight Studio"}
ANSWER_SECONDS = 10


@dataclass(frozen=True)
class DemoAccount:
    """`credentials` and `options` are names of the sandbox's keys, by our names."""

    organization: str
    provider: str
    name: str
    path: str
    credentials: Mapping[str, str]
    options: Mapping[str, str] = field(default_factory=dict)


ACCOUNTS = (
    DemoAccount(
        "harbor",
        "zencoder",
        "Zencoder",
        "/zencoder/api/v2",
        {"api_key": "zencoder_api_key", "webhook_secret": "zencoder_webhook_secret"},
    ),
    DemoAccount(
        "harbor",
        "videosdk",
        "Video SDK",
        "/videosdk/v1",
        {"api_key": "videosdk_api_key", "secret": "videosdk_secret"},
    ),
    DemoAccount(
        "harbor",
        "tpstreams",
        "TPStreams",
        "/tpstreams/api/v1",
        {"token": "tpstreams_token", "webhook_secret": "tpstreams_webhook_secret"},
        {"organization_id": "tpstreams_organization_id"},
    ),
    DemoAccount(
        "harbor",
        "xvid",
        "Xvid MediaHub",
        "/xvid/v1",
        {"client_id": "xvid_client_id", "client_secret": "xvid_client_secret"},
        {"pipeline_id": "xvid_pipeline_id"},
    ),
    DemoAccount(
        "northlight",
        "zencoder",
        "Zencoder of Northlight",
        "/zencoder/api/v2",
        {"api_key": "zencoder_second_api_key", "webhook_secret": "zencoder_second_webhook_secret"},
    ),
)


def prepare(place: Place) -> str:
    """Migrate, collect static files, make organizations and the user; return the password."""
    if (problem := schema_version.find_problem()) == schema_version.OLDER_DATABASE:
        stop(problem)
    call_command("migrate", verbosity=0)
    _collect_static(place.var_dir / "static")
    for slug, name in ORGANIZATIONS.items():
        call_command("create_organization", name=name, slug=slug, owner=EMAIL, stdout=StringIO())
    password = Path(make_secret_file(place.var_dir / "demo_password", size=6)).read_text()
    user = User.objects.get(email=EMAIL)
    if not user.check_password(password):
        user.set_password(password)
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["password", "is_staff", "is_superuser"])
    return password


def fill(place: Place) -> None:
    """Add the accounts and submit the first jobs; the sandbox has to be running."""
    keys = json.loads((place.sandbox_dir / "keys.json").read_text())
    _add_accounts(place.sandbox_url, keys)
    _submit_first_jobs({clip: place.clip_url(clip) for clip in CLIPS})


def is_synced() -> bool:
    """Whether every account's list has been read once."""
    return not ProviderAccount.objects.filter(enabled=True, imported_at=None).exists()


def _collect_static(folder: Path) -> None:
    """Collect and compress static files where one is newer than what was collected."""
    manifest = folder / "staticfiles.json"
    sources = [*(PROJECT_DIR / "static").rglob("*"), PROJECT_DIR / ".venv" / ".installed"]
    newest = max((path.stat().st_mtime for path in sources if path.exists()), default=0)
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)


def _add_accounts(sandbox: str, keys: Mapping[str, str]) -> None:
    """Add the accounts, or bring them up to date with the sandbox's URL and keys."""
    for account in ACCOUNTS:
        output = StringIO()
        call_command(
            "add_account",
            organization=account.organization,
            provider=account.provider,
            name=account.name,
            base_url=sandbox + account.path,
            credential=[f"{name}={keys[key]}" for name, key in account.credentials.items()],
            option=[f"{name}={keys[key]}" for name, key in account.options.items()],
            json=True,
            stdout=output,
        )
        if account.provider == "tpstreams":
            _register_webhook(sandbox, keys, json.loads(output.getvalue())["webhook_url"])


def _register_webhook(sandbox: str, keys: Mapping[str, str], url: str) -> None:
    """Register with the one provider whose webhooks belong to an organization, not to each job."""
    hooks_url = f"{sandbox}/tpstreams/api/v1/{keys['tpstreams_organization_id']}/webhooks/"
    headers = {"Authorization": f"Token {keys['tpstreams_token']}"}
    found = requests.get(hooks_url, headers=headers, timeout=ANSWER_SECONDS)
    found.raise_for_status()
    for hook in found.json()["results"]:
        if hook["url"] == url:
            return
        # of an earlier run on another port, where nobody listens any more
        requests.delete(
            f"{hooks_url}{hook['id']}/", headers=headers, timeout=ANSWER_SECONDS
        ).raise_for_status()
    requests.post(
        hooks_url,
        headers=headers,
        json={"url": url, "secret_token": keys["tpstreams_webhook_secret"]},
        timeout=ANSWER_SECONDS,
    ).raise_for_status()


def _submit_first_jobs(clips: Mapping[str, str]) -> None:
    """Submit a good and a bad clip at each account of the first organization, once ever."""
    if Submission.objects.exists():
        return
    user = User.objects.get(email=EMAIL)
    accounts = ProviderAccount.objects.filter(organization__slug="harbor").order_by("pk")
    for clip in CLIPS:
        for account in accounts.select_related("organization"):
            submit(
                organization=account.organization,
                account=account,
                request=_request(account, clips[clip]),
                user=user,
            )


def _request(account: ProviderAccount, clip: str) -> JobRequest:
    """What shows most of the account's provider."""
    both = (Rendition("hls", (240, 360)), Rendition("mp4", (360,)))
    settings: dict[str, dict[str, Any]] = {
        "zencoder": {
            "renditions": both,
            "thumbnails": Thumbnails(count=4, width=320),
        },
        "videosdk": {
            "renditions": both,
            "thumbnails": Thumbnails(timestamps=(1, 5), formats=("jpg", "webp")),
        },
        "tpstreams": {
            "destination": "s3://delivery-studio/demo/",
            "renditions": (Rendition("hls", (240, 360)),),
        },
        "xvid": {"extra": {"presets": ["House web 360p", "MP4-H264-AAC-240p"]}},
    }
    return JobRequest(input=clip, **settings[account.provider])

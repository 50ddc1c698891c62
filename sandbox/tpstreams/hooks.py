"""The webhooks of an organization: registered once, called for everything that happens in it."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.jobs.model import Job
from sandbox.jobs.store import Store
from sandbox.tpstreams import payloads

Hook = dict[str, str]


class Hooks:
    """Each has `id`, `url` and `secret_token`; the list shows the secrets."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all_of(self, account: str) -> list[Hook]:
        return list(json.loads(self._store.setting(_name(account), "[]")))

    def add(self, account: str, fields: Mapping[str, Any]) -> Hook:
        hook = {**_read(fields), "id": str(uuid.uuid4())}
        self._keep(account, [*self.all_of(account), hook])
        return hook

    def change(self, account: str, hook_id: str, fields: Mapping[str, Any]) -> Hook | None:
        changed = {**_read(fields), "id": hook_id}
        hooks = self.all_of(account)
        if hook_id not in [hook["id"] for hook in hooks]:
            return None
        self._keep(account, [changed if hook["id"] == hook_id else hook for hook in hooks])
        return changed

    def remove(self, account: str, hook_id: str) -> bool:
        hooks = self.all_of(account)
        left = [hook for hook in hooks if hook["id"] != hook_id]
        self._keep(account, left)
        return len(left) < len(hooks)

    def attach(self, job: Job) -> None:
        """Notify about a new job: when its first rendition is there, and when it ends."""
        targets = [
            {"url": hook["url"], "headers": _headers(hook)} for hook in self.all_of(job.account)
        ]
        job.notifications = targets
        job.outputs[0].notifications = targets

    def notify_asset(self, job: Job, now: float) -> None:
        """Each new job comes with an event that is about something else."""
        for hook in self.all_of(job.account):
            body = json.dumps(payloads.asset_event(job))
            self._store.add_delivery(job, hook["url"], _headers(hook), body, now)

    def _keep(self, account: str, hooks: list[Hook]) -> None:
        self._store.set(_name(account), json.dumps(hooks))


def find_problems(fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """By field, in Django REST framework's wording."""
    problems = {}
    for name in ("url", "secret_token"):
        value = fields.get(name)
        if not value or not isinstance(value, str):
            problems[name] = ["This field is required."]
    if "url" not in problems and not fields["url"].startswith(("http://", "https://")):
        problems["url"] = ["Enter a valid URL."]
    return problems


def _name(account: str) -> str:
    return f"tpstreams.webhooks.{account}"


def _read(fields: Mapping[str, Any]) -> Hook:
    return {"url": fields["url"], "secret_token": fields["secret_token"]}


def _headers(hook: Hook) -> dict[str, str]:
    return {"x-streams-token": hook["secret_token"]}

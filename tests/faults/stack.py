"""What a scenario runs on: a database, Redis, a sandbox and workers that are its own."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from jobs.models import ProviderAccount
from organizations.models import Organization
from sandbox.server import RunningSandbox
from sandbox.server import start as start_sandbox
from tests import services
from tests.browser.stack import ACCOUNTS
from tests.factories import make_organization
from tests.jobs.factories import make_account
from tests.redis.server import RedisServer
from tests.workers import PROJECT_DIR, Workers

FOLDER = PROJECT_DIR / "var" / "faults"


class NotInTime(Exception):
    """Something did not become true while it was waited for."""


@dataclass
class Stack:
    """Redis and the workers keep their files in `folder`; the workers are not started yet.

    `share`: of all that is killed, submitted and acted on; 1 but for trying a scenario.
    """

    folder: Path
    broker: RedisServer
    workers: Workers
    share: float
    organization: Organization = field(default_factory=make_organization)

    def scaled(self, count: int) -> int:
        return max(round(count * self.share), 1)

    @contextmanager
    def sandbox(self, rate_limit: int = 0) -> Iterator[RunningSandbox]:
        """One that serves on all addresses of loopback, so that each provider has its own host."""
        host = "0.0.0.0"  # noqa: S104
        with start_sandbox(
            encode=False, host=host, rate_limit=rate_limit, time_scale=20
        ) as sandbox:
            yield sandbox

    def account(self, sandbox: RunningSandbox, provider: str, per_minute: int) -> ProviderAccount:
        """An account at the sandbox with so many requests a minute, which no pass has read yet."""
        _, _, credentials, options = ACCOUNTS[provider]
        keys = {name: sandbox.keys[f"{provider}_{name}"] for name in (*credentials, *options)}
        host = f"127.0.0.{2 + list(ACCOUNTS).index(provider)}"
        return make_account(
            self.organization,
            provider=provider,
            name=provider,
            base_url=sandbox.api_url(provider).replace("127.0.0.1", host),
            credentials={name: keys[name] for name in credentials},
            options={
                **{name: keys[name] for name in options},
                "requests_per_minute": str(per_minute),
                "interval_s": "2",
            },
            imported_at=None,
            last_pass_at=None,
        )

    def wait_for(self, condition: Callable[[], bool], seconds: float, pause_s: float = 0.2) -> None:
        """Raises NotInTime, also where the worker ends by itself."""
        give_up_at = time.monotonic() + seconds
        while not condition():
            if not self.workers.are_alive():
                raise NotInTime("the worker ended by itself")
            if time.monotonic() > give_up_at:
                raise NotInTime(f"not within {seconds:.0f} s")
            time.sleep(pause_s)

    def restart_workers(self) -> None:
        """Kill them at once, in the middle of whatever they are at, and start new ones."""
        self.workers.kill()
        self.workers.start()

    def interrupt(self, progress: Callable[[], float], seconds: float) -> float:
        """Kill the workers at 20, 45 and 70 % of some work, and flush the broker with the second.

        The time of the last kill. Raises NotInTime where a part of it takes longer than `seconds`.
        """
        for part in (0.2, 0.45, 0.7):
            self.wait_for(lambda part=part: progress() >= part, seconds)  # type: ignore[misc]
            self.workers.kill()
            if part == 0.45:
                self.broker.flush()
            killed_at = time.monotonic()
            self.workers.start()
        return killed_at

    def count_tracebacks(self) -> int:
        return self.workers.log().count("Traceback (most recent call last)")


@contextmanager
def open_stack(name: str, settings: str, share: float) -> Iterator[Stack]:
    """`name` is that of a folder below var/faults, where the workers' log is left."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with _database():
        broker = RedisServer(folder)
        workers = Workers(folder, broker.url, settings)
        try:
            yield Stack(folder, broker, workers, share)
        finally:
            workers.stop()
            broker.kill()


@contextmanager
def _database() -> Iterator[None]:
    """A new one, which Django uses from here on; dropped at the end."""
    name = f"reelboard_faults_{os.getpid()}"
    identifier = sql.Identifier(name)
    address = urlunsplit(urlsplit(services.POSTGRES.address)._replace(path="/postgres"))
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(sql.SQL("create database {}").format(identifier))
        try:
            connections.close_all()
            connection.settings_dict["NAME"] = name
            call_command("migrate", verbosity=0)
            yield
        finally:
            connections.close_all()
            server.execute(sql.SQL("drop database {} with (force)").format(identifier))


def describe_rate(sandbox: RunningSandbox, per_minute: int) -> tuple[int, str]:
    """How many calls of any kind a minute held beyond `per_minute`; and a remark about it."""
    asked = sandbox.state()["requests"]
    # a provider limits each kind of call by itself
    most = max(count for path, count in asked["busiest_minute"].items() if path != "all")
    refused = asked["by_status"].get("403", 0) + asked["by_status"].get("429", 0)
    note = f"at most {most} calls of a kind in any minute, {refused} refused for their rate"
    return max(most - per_minute, 0), note


def count_inputs(sandbox: RunningSandbox, provider: str) -> Counter[str]:
    """How often each file was submitted, by its name, as the provider has it."""
    return Counter(
        job["input"].rpartition("/")[2] for job in sandbox.jobs() if job["provider"] == provider
    )

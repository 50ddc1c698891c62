"""The parts put together: requests go to a provider's API, to media, or to the controls."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from sandbox.clock import Clock
from sandbox.encoding.clips import Clips
from sandbox.encoding.encoder import Encoder
from sandbox.http import pages
from sandbox.http.control import Control
from sandbox.http.faults import Faults, Refusals
from sandbox.http.limits import Limiter
from sandbox.http.media import MediaLibrary
from sandbox.http.requests_log import RequestLog
from sandbox.http.web import Refused, Request, Response, text_response
from sandbox.jobs.model import Job, Media
from sandbox.jobs.notifications import Notice, Notifier
from sandbox.jobs.operations import JobOperations
from sandbox.jobs.seeding import History, Trickle
from sandbox.jobs.simulation import Mover
from sandbox.jobs.store import RETENTION_S, Store
from sandbox.keys import LINK_SECRET, load_keys
from sandbox.options import Options
from sandbox.tpstreams.api import TPStreams
from sandbox.tpstreams.history import TPStreamsHistory
from sandbox.videosdk.api import VideoSDK
from sandbox.videosdk.history import VideoSDKHistory
from sandbox.xvid.api import Xvid
from sandbox.xvid.history import XvidHistory
from sandbox.zencoder.api import FIRST, SECOND, Zencoder
from sandbox.zencoder.history import PROBLEMS

LEAST_MOVING = 4
PROVIDERS = (Zencoder, VideoSDK, TPStreams, Xvid)
# The past of one account of each provider.
HISTORIES: tuple[Callable[[str, int], History], ...] = (
    lambda account, seed: History("zencoder", account, PROBLEMS, seed),
    VideoSDKHistory,
    TPStreamsHistory,
    XvidHistory,
)


class Provider(Refusals, Protocol):
    """One provider's API: everything below `prefix` is its own."""

    slug: str
    prefix: str
    base_path: str

    def handle(self, request: Request) -> Response: ...
    def notice(self, job: Job, output: Media | None) -> Notice: ...


class Application:
    """Threads run between `start` and `stop`; `respond` may be called from many at once."""

    def __init__(self, options: Options, stopping: threading.Event) -> None:
        self.options = options
        state_dir = options.state_dir
        self.keys = load_keys(
            state_dir / "keys.json",
            [name for provider in PROVIDERS for name in provider.key_names],
            options.keys,
        )
        self.store = Store(state_dir / "sandbox.sqlite3")
        self.clock = Clock(options.time_scale)
        self.clips = Clips(state_dir / "media" / "in")
        self.media = MediaLibrary(state_dir / "media", self.keys[LINK_SECRET], self.clips, stopping)
        encoder = Encoder(
            self.store, self.media, self.clock, state_dir / "work", options.encode_speed
        )
        operations = JobOperations(self.store, self.media, self.clock, encoder, options.encode)
        self.faults = Faults(options.seed, stopping)
        self.faults.update(options.faults)
        self.log = RequestLog()
        self.control = Control(operations, self.faults, self.log)
        limiter = Limiter(options.rate_limit, time.monotonic)
        self.providers: Sequence[Provider] = (
            Zencoder(operations, limiter, self.keys),
            VideoSDK(operations, self.keys),
            TPStreams(operations, self.keys),
            Xvid(operations, self.keys),
        )
        makers = {provider.slug: provider.notice for provider in self.providers}
        notifier = Notifier(self.store, makers, self.clock.now)
        self.store.on_end = notifier.on_end
        self._threads: list[Encoder | Mover | Notifier | Trickle] = [
            encoder,
            Mover(self.store, self.clock),
            notifier,
        ]

    def start(self, base_url: str) -> None:
        self.media.base_url = base_url
        self.media.discard_expired()
        for token in self.store.prune(self.clock.now() - RETENTION_S, LEAST_MOVING * 100):
            self.media.discard(token)
        self._seed()
        for thread in self._threads:
            thread.start()
        if self.options.encode:
            warm_up = threading.Thread(target=self.clips.ensure, args=("good.mp4",), daemon=True)
            warm_up.start()

    def stop(self) -> None:
        """Within two seconds; what was under way goes on at the next start."""
        self.clips.stop()
        for thread in self._threads:
            thread.stop()
        for thread in self._threads:
            thread.join(timeout=0.4)
        self.store.close()

    def respond(self, request: Request) -> Response:
        provider = self._provider_of(request.path)
        fault = self.faults.pick(request, provider is not None)

        def handle() -> Response:
            try:
                return self._dispatch(request, provider)
            except Refused as refusal:
                return refusal.response

        response = self.faults.strike(fault, handle, provider) if fault else handle()
        if not request.path.startswith("/_sandbox"):
            self.log.note(request, response.status, fault.name if fault else None)
        return response

    @property
    def api_paths(self) -> dict[str, str]:
        return {provider.slug: provider.base_path for provider in self.providers}

    def _provider_of(self, path: str) -> Provider | None:
        return next((each for each in self.providers if path.startswith(each.prefix + "/")), None)

    def _dispatch(self, request: Request, provider: Provider | None) -> Response:
        path = request.path
        if provider:
            return provider.handle(request)
        if path.startswith("/media/"):
            return self.media.serve(request, self._is_simulated(path))
        if path.startswith("/_sandbox"):
            return self.control.handle(request)
        api_urls = [self.media.base_url + each for each in self.api_paths.values()]
        if (request.method, path) == ("POST", "/uploads"):
            return pages.take_upload(self.media, request, api_urls)
        if path == "/" and request.method in ("GET", "HEAD"):
            return pages.show_start(self.media, api_urls)
        return text_response(404, "There is no such URL.\n")

    def _is_simulated(self, path: str) -> bool:
        parts = path.split("/")
        if len(parts) < 5 or parts[2] != "out":
            return False
        job = self.store.by_token(parts[3])
        return job is not None and job.mode == "clock"

    def _seed(self) -> None:
        """The past is written once per state folder; what moves is topped up at each start."""
        starts = int(self.store.setting("starts", "0"))
        self.store.set("starts", str(starts + 1))
        for make_history in HISTORIES:
            self._seed_provider(make_history, starts)

    def _seed_provider(self, make_history: Callable[[str, int], History], starts: int) -> None:
        options, now = self.options, self.clock.now()
        # another start's moving jobs are others, with tokens of their own
        history = make_history(FIRST, options.seed + starts)
        seeded = f"seeded.{history.provider}"
        if not self.store.setting(seeded) and (options.seed_jobs or options.seed_second):
            second = make_history(SECOND, options.seed)
            self.store.add(history.jobs(options.seed_jobs, now))
            self.store.add(second.jobs(options.seed_second, now, all_well=True))
            self.store.add(history.unknown(now) for _ in range(options.seed_unknown))
            self.store.set(seeded, str(options.seed_jobs))
        moving = options.seed_moving
        self.store.add(history.moving(now, phase=n / moving * 0.8) for n in reversed(range(moving)))
        if options.trickle_s:
            at_most = max(moving, LEAST_MOVING)
            self._threads.append(
                Trickle(self.store, history, self.clock, options.trickle_s, at_most)
            )

"""The lists that are measured: each way to filter, sort, page and search, by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.urls import reverse

from benchmarks.seeding import EVERY_S, FIRST_ID
from benchmarks.world import LATEST, RARE_GROUP, World
from jobs.models import Job
from jobs.query.paging.keyset import Place
from jobs.query.paging.orderings import Ordering
from jobs.query.visibility import Visibility
from jobs.views.shared.job_filters import PageFilter

Params = list[tuple[str, str]]

# searches, by what they find: `{n}` and `{m}` are numbers of jobs of the large organization
SEARCHES = {
    "many match": ("large", "reel-77"),
    "nearly all match": ("large", "mp4"),
    "one matches": ("large", "order-{n}x"),
    "one matches, with a filter": ("large", "order-{n}x status:succeeded"),
    "two ids at once": ("large", "{n}7 {m}7"),
    "none matches": ("large", "nowhere"),
    "a number of no job": ("large", "order-99999999"),
    "common in the large organization, none here": ("minor", "nightshift"),
    "two characters, one matches": ("large", "zq"),
    "two characters, none matches": ("large", "qx"),
    "two digits, nearly all match": ("large", "77"),
    "words of which each is common": ("large", "mp4 nightshift"),
    "many match, of failed jobs": ("large", "reel-77 status:failed"),
    "name:": ("large", "name:reel-{n}"),
    "file:": ("large", "file:reel-{n}.mov"),
    "output:": ("large", "output:reel-{n}.mov_720p"),
    "label:": ("large", "label:mp4-720"),
    "meta:": ("large", "meta:order-{n}x"),
    "code:": ("large", "code:E4711"),
    "name: of none": ("large", "name:nowhere"),
    "meta: of none": ("large", "meta:nowhere"),
}

# The lists that no index serves: they are searched newest first, for a limited time.
BOUNDED = frozenset(
    {
        *("statistics: jobs that ran long, of a year", "statistics: few jobs of a year"),
        *("is: test", "is: waited:>10m", "is: waited:>40s", "is: ran:>20m", "is: ran:>40m"),
        *("is: has:error", "files: search, a word of jobs alone"),
        *("preset: common", "preset: common, failed jobs"),
    }
)


@dataclass(frozen=True, slots=True)
class Variant:
    """`plain` are the parameters by which the plain ListView has the same list, None where it has
    no such list; `admin` the same of the change list. What the pages of an organization share for
    some seconds is not there yet where it `begins_anew`."""

    group: str
    name: str
    url: str
    plain: Params | None = None
    admin: Params | None = None
    slug: str = "large"
    begins_anew: bool = False


def all_variants(world: World, jobs: int) -> list[Variant]:
    """Those of an organization's lists of `jobs` in all, but for the poll and the API."""
    return [
        *_pages(world, jobs),
        *_filters(world),
        *_times(jobs),
        *_sorts(),
        *_searches(jobs),
        *_files(world, jobs),
        *_job_pages(jobs),
        *_insights(world),
    ]


def list_url(params: Params, slug: str = "large") -> str:
    return f"{reverse('jobs:list', args=[slug])}?{urlencode(params)}"


def _pages(world: World, jobs: int) -> Iterator[Variant]:
    yield Variant("page", "first", list_url([]), [], [])
    for name, part in (("second", 60 / jobs), ("deep", 0.5)):
        params = _cursor(world, Ordering("created"), round(jobs * part))
        plain = [("page", str(max(2, round(jobs * 0.8 * part / 50))))]
        yield Variant("page", name, list_url(params), plain)
    for sort in ("created", "-finished"):
        params = _cursor(world, Ordering.parse(sort), jobs // 2, ("sort", sort))
        yield Variant("page", f"deep, by {sort}", list_url(params))
    yield Variant("page", "first of a small organization", list_url([], "minor"), [], slug="minor")
    yield Variant(
        "page",
        "with who submitted",
        list_url([("columns", "submitted_by,outputs")]),
    )


def _cursor(world: World, ordering: Ordering, number: int, *params: tuple[str, str]) -> Params:
    """A page that begins where job `number` is."""
    given: dict[str, list[str]] = {name: [value] for name, value in params}
    visible = Visibility(world.accounts["large"][0].organization)
    scope = PageFilter.parse(given, visible).scope
    place = Place(True, LATEST - timedelta(seconds=number * EVERY_S), 0)
    return [*params, ("cursor", place.write(ordering, scope))]


def _filters(world: World) -> Iterator[Variant]:
    main, second, third, _, small, rare = (str(one.pk) for one in world.accounts["large"])
    provider, other = (world.accounts["large"][place].provider for place in (0, 2))
    common, unusual = (str(one.pk) for one in world.presets)
    yield from _statuses()
    for name, params in {
        "one": [("account", main)],
        "a small one": [("account", small)],
        "a rare one": [("account", rare)],
        "several": [("account", main), ("account", third)],
        "two, one of them rare": [("account", third), ("account", rare)],
        "a provider of three": [("provider", provider)],
        "a provider with two of its accounts": [
            ("provider", provider),
            ("account", second),
            ("account", rare),
        ],
        "two providers": [("provider", provider), ("provider", other)],
        "one, its failed jobs": [("account", main), ("status", "failed")],
        "a rare one, its failed jobs": [("account", rare), ("status", "failed")],
        "a small one, its failed jobs": [("account", small), ("status", "failed")],
        "a small one, by end": [("account", small), ("sort", "-finished")],
        "one, its running jobs": [("account", main), ("status", "running")],
        "a rare one, its running jobs": [("account", rare), ("status", "running")],
        "one, by end": [("account", main), ("sort", "-finished")],
        "a rare one, by end": [("account", rare), ("sort", "-finished")],
    }.items():
        yield Variant("account", name, list_url(params), params)
    for name, params in {
        "input.*": [("error", "input.*")],
        "a class": [("error", "encode.failed")],
        "a class without jobs": [("error", "input.no_media")],
        "two classes": [("error", "encode.failed"), ("error", "quota.plan")],
        "a class of one account": [("error", "encode.failed"), ("account", main)],
        "a class of a rare account": [("error", "encode.failed"), ("account", rare)],
    }.items():
        plain = None if name == "input.*" else params
        yield Variant("error", name, list_url(params), plain)
    for name, place in (("one group", 0), ("one rare group", RARE_GROUP)):
        params = [("error_group", str(world.groups["large"][place].pk))]
        yield Variant("error", name, list_url(params), params)
    yield Variant("error", "a code", list_url([("q", "code:E4711")]), [("code", "E4711")])
    yield Variant("error", "a code of none", list_url([("q", "code:E9999")]), [("code", "E9999")])
    for name, params in {
        "common": [("preset", common)],
        "rare": [("preset", unusual)],
        "common, failed jobs": [("preset", common), ("status", "failed")],
        "rare, failed jobs": [("preset", unusual), ("status", "failed")],
    }.items():
        yield Variant("preset", name, list_url(params), params)
    yield Variant("batch", "one", list_url([("batch", "spring-0")]), [("batch", "spring-0")])
    yield Variant("by", "a person", list_url([("submitted_by", world.user.email)]))
    yield Variant("by", "a token", list_url([("submitted_by", world.token.reference)]))
    for name, params in {
        "to me": [("assigned", "me")],
        "to me, unresolved": [
            ("status", "failed"),
            ("unresolved", "true"),
            ("assigned", world.user.email),
        ],
    }.items():
        yield Variant("assigned", name, list_url(params))
    for name in ("suspect", "stuck", "partial", "gone", "unresolved", "test"):
        yield Variant("is", name, list_url([("q", f"is:{name}")]))
    for name, params in {
        "stuck, running": [("stuck", "true"), ("status", "running")],
        "stuck, of one account": [("stuck", "true"), ("account", main)],
        "stuck, of a rare account": [("stuck", "true"), ("account", rare)],
        "stuck, by start": [("stuck", "true"), ("sort", "started")],
    }.items():
        yield Variant("is", name, list_url(params))
    for text in ("waited:>10m", "waited:>40s", "ran:>20m", "ran:>40m", "has:error"):
        yield Variant("is", text, list_url([("q", text)]))


def _statuses() -> Iterator[Variant]:
    single = ("submitting", "queued", "running", "succeeded", "failed", "cancelled", "unknown")
    several = (
        ("running", "queued"),
        ("failed", "cancelled"),
        ("failed", "succeeded"),
        ("running", "failed"),
        ("unknown", "cancelled"),
        ("failed", "cancelled", "unknown"),
        ("running", "queued", "failed"),
    )
    for statuses in (*((one,) for one in single), *several):
        params = [("status", one) for one in statuses]
        yield Variant("status", ", ".join(statuses), list_url(params), params)
    params = [("status", "failed"), ("unresolved", "true")]
    yield Variant("status", "failed and unresolved", list_url(params))


def _times(jobs: int) -> Iterator[Variant]:
    oldest = LATEST - timedelta(seconds=jobs * EVERY_S)
    hour = timedelta(hours=2)
    for time in ("created", "started", "finished", "changed"):
        for name, side, moment in (
            ("after, few", "after", LATEST - hour),
            ("after, none", "after", LATEST + 20 * hour),
            ("after, nearly all", "after", oldest + hour),
            ("before, few", "before", oldest + hour),
            ("before, none", "before", oldest - 20 * hour),
            ("before, nearly all", "before", LATEST - hour),
        ):
            params = [(f"{time}_{side}", f"{moment:%Y-%m-%dT%H:%M:%SZ}")]
            is_plain = side == "after" and time != "changed"
            yield Variant("time", f"{time} {name}", list_url(params), params if is_plain else None)


def _sorts() -> Iterator[Variant]:
    for name in ("created", "started", "finished", "changed"):
        for sort in (f"-{name}", name):
            yield Variant("sort", sort, list_url([("sort", sort)]))
    for sort in ("-created", "created", "-started", "finished"):
        for status in ("failed", "succeeded", "running"):
            params = [("status", status), ("sort", sort)]
            yield Variant("sort", f"{sort}, {status} jobs", list_url(params))
    params = [("status", "failed"), ("status", "cancelled"), ("sort", "started")]
    yield Variant("sort", "started, failed and cancelled jobs", list_url(params))


def _searches(jobs: int) -> Iterator[Variant]:
    numbers = {"n": jobs // 2 // 100 * 100, "m": jobs // 3 // 100 * 100}
    for name, (slug, text) in SEARCHES.items():
        text = text.format(**numbers)
        plain = None if ":" in text else [("q", text)]
        yield Variant("search", name, list_url([("q", text)], slug), plain, plain, slug)


def _files(world: World, jobs: int) -> Iterator[Variant]:
    path, (common, rare) = reverse("jobs:files", args=["large"]), world.presets
    number = jobs // 2 // 100 * 100
    rare_account = str(world.accounts["large"][-1].pk)
    for name, params in {
        "all": [],
        "oldest first": [("sort", "created")],
        "a rare kind": [("kind", "captions")],
        "a kind without files": [("kind", "archive")],
        "of a rare account": [("account", rare_account)],
        "failed": [("status", "failed")],
        "of a preset": [("preset", str(common.pk))],
        "of a rare preset": [("preset", str(rare.pk))],
        "search, many match": [("q", "reel-77")],
        "search, one matches": [("q", f"reel-{number}.mov")],
        "search, none matches": [("q", "nowhere")],
        "search, two characters": [("q", "qx")],
        "search, a word of jobs alone": [("q", "nightshift")],
        "skipped, none": [("status", "skipped")],
        "created after, none": [("created_after", f"{LATEST + timedelta(days=2):%Y-%m-%d}")],
        "of few pixels, none": [("max_height", "100")],
        "of a format of none": [("format", "webm")],
    }.items():
        yield Variant("files", name, f"{path}?{urlencode(params)}")
    yield Variant("files", "all, and the counts of the tabs", path, begins_anew=True)


def _job_pages(jobs: int) -> Iterator[Variant]:
    """Jobs with their neighbours in the list that one comes from, and their place in it."""
    newest, middle = (FIRST_ID + number // 100 * 100 for number in (100, jobs // 2))
    failed = _find_failed(jobs // 3)
    for name, pk, query in (
        ("alone", newest, None),
        ("near the top of the list", newest, ""),
        ("in the middle of the list", middle, ""),
        ("of the failed ones", failed, "status=failed&unresolved=true"),
        ("of one account's", middle, "account=main"),
        ("of a search", middle, f"q=order-{middle - FIRST_ID}x"),
        ("of a common text", middle, "q=mp4"),
    ):
        path = reverse("jobs:detail", args=["large", pk])
        params = "" if query is None else f"?{urlencode({'list': query})}"
        yield Variant("job", name, f"{path}{params}")


def _find_failed(number: int) -> int:
    """The id of an unresolved failure of the large organization, near job `number`."""
    rows = Job.objects.filter(organization__slug="large", is_unresolved=True)
    return rows.filter(pk__gte=FIRST_ID + number).order_by("pk").values_list("pk", flat=True)[0]


def _statistics() -> Iterator[Variant]:
    path = reverse("insights:stats", args=["large"])
    for name, params in {
        "a day": [("span", "24h")],
        "a week": [("span", "7d")],
        "a year": [("span", "1y")],
        "a view in a year": [("span", "1y"), ("q", "account:main status:failed,succeeded")],
        "a family of errors in a year": [("span", "1y"), ("q", "error:input.*")],
        "a table of a year": [("span", "1y"), ("table", "outcomes")],
        "few jobs of a year": [("span", "1y"), ("q", "code:E4711 batch:spring-0")],
        "jobs that ran long, of a year": [("span", "1y"), ("q", "ran:>20m")],
    }.items():
        yield Variant("statistics", name, f"{path}?{urlencode(params)}")


def _insights(world: World) -> Iterator[Variant]:
    """What is counted over many jobs."""
    yield Variant("overview", "overview", reverse("insights:overview", args=["large"]))
    path = reverse("insights:errors", args=["large"])
    yield Variant("errors", "open", path)
    yield Variant("errors", "of one account", f"{path}?account=main")
    yield from _statistics()
    for name, place in (("one", 0), ("a rare one", RARE_GROUP)):
        group = world.groups["large"][place].pk
        url = reverse("insights:error", args=["large", group])
        yield Variant("errors", name, url)
        yield Variant("errors", f"{name}, by the hour", f"{url}?trend=hours")

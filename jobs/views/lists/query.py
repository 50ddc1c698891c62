"""The query box: what a query means, what may follow in it, and how the language is written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.query.box.completion import Option, complete
from jobs.query.box.error import MarkedError
from jobs.query.box.reading import read_query
from jobs.query.jobs import JobFilter
from jobs.query.language.grammar import MAX_LENGTH
from jobs.query.language.keys import KEYS
from jobs.query.language.query import Query
from jobs.query.language.tree import QueryError
from jobs.query.visibility import Visibility
from jobs.views.shared.layout import render_page
from organizations.access import Access, requires
from organizations.permissions import Permission

Groups = list[tuple[str, list[Option]]]

# What one can write, with what it finds
FORMS: Iterable[tuple[str, str]] = (
    ("lecture 12", "Both words: in names, ids, batch, URLs, labels, metadata or errors"),
    ('"lecture 12"', "This phrase"),
    ("101, 102", "Jobs with these ids"),
    ("status:failed", "What a key selects"),
    ("status:queued,running", "One of several values"),
    ('account:"EU main"', "A value with blanks, commas or parentheses"),
    ("batch:spring*", "A value that begins with this"),
    ("-status:failed", "Everything else"),
    ("is:partial OR is:suspect", "One or the other"),
    ("status:failed (night OR late)", "The first, and one of those in parentheses"),
)
TIMES: Iterable[tuple[str, str]] = (
    ("created:>2d", "In the last two days: s, m, h, d and w"),
    ("created:<2d", "Before that"),
    ("finished:today", "Today, in your time zone; also yesterday"),
    ("created:2026-11-12", "On this day"),
    ("created:>=2026-11-12T08:30", "Since this time"),
    ("created:2026-11-01..2026-12-01", "From a day until another begins"),
    ("ran:>20m", "Durations: 90s, 20m, 1h30m or 1:30:00"),
    ("ran:5m..20m", "From one duration to another"),
)


@require_safe
@requires(Permission.READ)
def query(request: HttpRequest, access: Access) -> HttpResponse:
    """What belongs under the box that holds `q`, with the cursor at `at`.

    What is being typed is not called wrong as long as it can still become something.
    """
    # the text as it is in the box: places count from its beginning
    text = request.GET.get("q", "")[: MAX_LENGTH + 1]
    at = _read_place(request.GET.get("at", ""), len(text))
    visible = Visibility(access.organization, member_id=access.member_id)
    zone = timezone.get_current_timezone()
    search = JobFilter.parse({"q": [text]}, visible, zone).search
    options = complete(text, at, search.context)
    shift = len(text) - len(text.lstrip())
    error = search.error
    if error and (error.is_unfinished or (options and error.end + shift >= options.start)):
        error = None
    shown: dict[str, Any] = {"access": access, "reading": _read_back(search)}
    if error is not None:
        marked = MarkedError.of(error, search.text, keeps_list="list" in request.GET)
        shown |= {"error": marked, "groups": _suggest(error, shift)}
    else:
        shown["groups"] = _group(("Keys", options.keys), ("Values", options.values))
    return render(request, "jobs/query/_help.html", shown)


def _read_place(text: str, longest: int) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    return min(int(text), longest) if is_number else longest


def _read_back(search: Query) -> str:
    return "" if search.error else read_query(search.tree, search.context)


def _suggest(error: QueryError, shift: int) -> Groups:
    name = error.suggestion
    if not name:
        return []
    label, title = (f"{name}:", KEYS[name].title) if name in KEYS else (name, "")
    option = Option(name, label, title, error.start + shift, error.end + shift)
    return [("Did you mean", [option])]


def _group(*groups: tuple[str, list[Option]]) -> Groups:
    return [(label, options) for label, options in groups if options]


@dataclass(frozen=True, slots=True)
class KeyRow:
    name: str
    title: str
    example: str


@require_safe
@requires(Permission.READ)
def query_syntax(request: HttpRequest, access: Access) -> HttpResponse:
    """How queries are written, with all keys."""
    rows = [KeyRow(name, key.title, key.example) for name, key in KEYS.items()]
    context = {"keys": rows, "forms": FORMS, "times": TIMES}
    return render_page(request, access, "jobs/query/query_syntax.html", context, section="jobs")

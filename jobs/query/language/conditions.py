"""What each key of a query selects: a filter becomes a condition on jobs.

None of them is ever NULL, so that the jobs a query leaves out are those that its negation finds.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, Q
from django.db.models import Value as DbValue
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
)

from jobs.models import BulkAction, BulkOutcome, SubmissionState
from jobs.models.bulk.target import SHOWN_OUTCOMES
from jobs.models.search.sections import END, Section
from jobs.query.language.context import Context
from jobs.query.language.times import Range, read_lengths, read_times
from jobs.query.language.tree import Filter, Value
from jobs.query.paging.orderings import SORT_TIMES, Ordering
from jobs.query.references import (
    explain_assignee,
    find_assignees,
    find_batches,
    find_error_groups,
    find_submitters,
    read_id,
)
from jobs.query.search.searches import any_of
from jobs.query.search.sections import Pattern, section_condition
from jobs.query.search.uses import Targets, Use
from jobs.query.search.words import id_condition
from providers.core import registry
from providers.core.errors import CLASSES
from providers.core.status import ACTIVE, JobStatus

Condition = Callable[[Filter, Context], Q]

MAX_PRESETS = 200
# by far more than a creation may be ahead of our clock
MAX_CLOCK_ERROR = timedelta(days=1)
# to which it can be added
_LATEST = datetime.max.replace(tzinfo=UTC) - MAX_CLOCK_ERROR

FLAGS = {
    "gone": Q(gone_at__isnull=False),
    # the status is named for the index of failures alone
    "unresolved": Q(status=JobStatus.FAILED, is_unresolved=True),
    "partial": Q(is_partial=True),
    "suspect": Q(is_suspect=True),
    "stuck": Q(is_stuck=True),
    "unconfirmed": Q(status=JobStatus.SUBMITTING, submission__state=SubmissionState.UNCONFIRMED),
    "test": Q(is_test=True),
}
PRESENT = {"error": ~Q(error_class=""), "assignee": Q(assignee__isnull=False)}


def choose(value: Value, names: Iterable[str], what: str, *, lists: bool = True) -> list[str]:
    """The ones of `names` that `value` means: one, or those that begin like it before a `*`.

    Raises QueryError, which lists the names where they are few.
    """
    names = list(names)
    text = value.text.lower()
    found = [name for name in names if name.lower() == text]
    if value.is_prefix:
        found = [name for name in names if name.lower().startswith(text)]
    if found:
        return found
    near = get_close_matches(text, names, 1)
    message = f"There is no {what} “{value.text}{'*' if value.is_prefix else ''}”."
    raise value.error(message + (f" Use {', '.join(names)}." if lists else ""), *near)


def no_prefix(value: Value) -> str:
    if value.is_prefix:
        raise value.error("Write it in full: * does not work here.")
    return value.text


def status(given: Filter, context: Context) -> Q:
    chosen = [name for value in given.values for name in choose(value, JobStatus, "status")]
    statuses = frozenset(map(JobStatus, chosen))
    return status_condition(statuses, asks_gone=context.asks_gone)


def status_condition(statuses: frozenset[JobStatus], *, asks_gone: bool) -> Q:
    """In one of `statuses`; among the active ones without gone jobs, unless these are asked for."""
    if asks_gone or not statuses & ACTIVE:
        return Q(status__in=sorted(statuses))
    active = Q(status__in=sorted(statuses & ACTIVE), is_active=True)
    others = sorted(statuses - ACTIVE)
    return active | Q(status__in=others) if others else active


def provider(given: Filter, context: Context) -> Q:
    accounts = context.accounts()
    # an account may be of a provider that was removed since
    known = dict.fromkeys([*dict(registry.choices()), *(slug for _, _, slug in accounts)])
    slugs = {name for value in given.values for name in choose(value, known, "provider")}
    return Q(account_id__in=[pk for pk, _, slug in accounts if slug in slugs])


def account(given: Filter, context: Context) -> Q:
    found = {pk for value in given.values for pk in _account_ids(value, context)}
    return Q(account_id__in=sorted(found))


def _account_ids(value: Value, context: Context) -> list[int]:
    accounts = context.accounts()
    if value.is_prefix:
        start = value.text.lower()
        found = [pk for pk, name, _ in accounts if name.lower().startswith(start)]
    else:
        pk = read_id(value.text)
        # an id goes before a name of digits
        found = [pk for known, _, _ in accounts if known == pk] if pk is not None else []
        found = found or [pk for pk, name, _ in accounts if name == value.text]
    if found:
        return found
    near = get_close_matches(value.text, [name for _, name, _ in accounts], 1)
    raise value.error(f"No account has the id or the name “{value.text}”.", *near)


def error(given: Filter, context: Context) -> Q:
    if any(value.is_prefix and not value.text for value in given.values):
        return PRESENT["error"]
    names = [
        name
        for value in given.values
        for name in choose(value, CLASSES, "error class", lists=False)
    ]
    return Q(error_class__in=sorted(set(names)))


def error_group(given: Filter, context: Context) -> Q:
    texts = [no_prefix(value) for value in given.values]
    known = find_error_groups(context.visible.organization, texts)
    for value in given.values:
        if value.text not in known:
            raise value.error(f"No error group has the id “{value.text}”.")
    return Q(error_group__in=sorted({pk for group in known.values() for pk in group}))


def code(given: Filter, context: Context) -> Q:
    return _in_section(given, context, Section.CODE, Pattern.all_of)


def name(given: Filter, context: Context) -> Q:
    return _in_section(given, context, Section.NAME)


def file(given: Filter, context: Context) -> Q:
    return _in_section(given, context, Section.FILE, before="/")


def output(given: Filter, context: Context) -> Q:
    return _in_section(given, context, Section.OUTPUT, before="/")


def label(given: Filter, context: Context) -> Q:
    return _in_section(given, context, Section.LABEL)


def metadata(given: Filter, context: Context) -> Q:
    return _in_section(given, context, Section.METADATA)


def _in_section(
    given: Filter,
    context: Context,
    section: Section,
    make: Callable[[str], Pattern] = Pattern.within,
    before: str = END,
) -> Q:
    """One of the values is in the section, or begins behind `before` where a `*` follows it."""
    organization_id = None if context.is_wordy else context.visible.organization.pk
    patterns = (
        Pattern.beginning(value.text, before) if value.is_prefix else make(value.text)
        for value in given.values
    )
    return any_of(section_condition(pattern, section, organization_id) for pattern in patterns)


def job_id(given: Filter, context: Context) -> Q:
    return any_of(
        _begins("remote_id", value.text) if value.is_prefix else id_condition(value.text)
        for value in given.values
    )


def batch(given: Filter, context: Context) -> Q:
    batches = context.visible.batches().order_by()
    known = find_batches(context.visible, [one.text for one in given.values if not one.is_prefix])
    found = Q(batch__in=sorted(known.values()))
    for value in given.values:
        if value.is_prefix:
            found |= Q(batch__in=batches.filter(_begins("name", value.text)).values("pk"))
        elif value.text not in known:
            raise value.error(f"No batch has the id or the name “{value.text}”.")
    return found


def _begins(column: str, text: str) -> Q:
    """As `startswith`, which on SQLite finds other capitals as well."""
    return Q(Exact(StrIndex(F(column), DbValue(text)), 1)) & Q(**{f"{column}__isnull": False})


def bulk(given: Filter, context: Context) -> Q:
    """`12`, or `12/failed` for those of its jobs with that outcome."""
    asked = {value.text: no_prefix(value).partition("/") for value in given.values}
    ids = {text: read_id(pk) for text, (pk, _, _) in asked.items()}
    rows = BulkAction.objects.filter(
        pk__in=[pk for pk in ids.values() if pk is not None],
        organization=context.visible.organization,
    )
    known = set(rows.values_list("pk", flat=True))
    chosen = set()
    for value in given.values:
        pk, (text, slash, outcome) = ids[value.text], asked[value.text]
        if pk is None or pk not in known:
            raise value.error(f"No bulk action has the id “{text}”.")
        if slash and outcome not in SHOWN_OUTCOMES:
            names = ", ".join(SHOWN_OUTCOMES)
            raise value.error(f"There is no outcome “{outcome}”. Use {names}.")
        chosen.add((pk, BulkOutcome(outcome) if slash else None))
    return Q(Targets(tuple(sorted(chosen, key=str))))


def preset(given: Filter, context: Context) -> Q:
    found = [pk for value in given.values for pk in _preset_ids(value, context)]
    return Q(Use(tuple(found)))


def _preset_ids(value: Value, context: Context) -> list[int]:
    """The presets with this id or name; no more than MAX_PRESETS."""
    text = value.text
    named = Q(name__istartswith=text) if value.is_prefix else Q(name=text) | Q(remote_id=text)
    if not value.is_prefix and (pk := read_id(text)) is not None:
        named |= Q(pk=pk)
    rows = context.visible.presets().filter(named).order_by("pk")
    found = list(rows.values_list("pk", flat=True)[:MAX_PRESETS])
    if not found:
        raise value.error(f"No preset has the id or the name “{text}”.")
    return found


def submitter(given: Filter, context: Context) -> Q:
    texts = [no_prefix(value) for value in given.values]
    known = find_submitters(context.visible.organization, texts)
    for value in given.values:
        if value.text not in known:
            raise value.error(
                f"No member has the e-mail address, and no token the name, “{value.text}”. "
                "Write an e-mail address or token:NAME."
            )
    return any_of(known.values())


def assigned(given: Filter, context: Context) -> Q:
    texts = [no_prefix(value) for value in given.values]
    known = find_assignees(context.visible, texts)
    for value in given.values:
        if value.text not in known:
            raise value.error(explain_assignee(value.text))
    return assignee_condition({pk for ids in known.values() for pk in ids})


def assignee_condition(members: Iterable[int]) -> Q:
    """Assigned to one of these; one alone is asked for as such, as its index is in the order of
    the list.
    """
    ids = sorted(members)
    return Q(assignee=ids[0]) if len(ids) == 1 else Q(assignee__in=ids)


def time(given: Filter, context: Context) -> Q:
    ranges = (read_times(value, context.zone, context.now) for value in given.values)
    return any_of(time_condition(given.key, times) for times in ranges)


def time_condition(key: str, times: Range[datetime]) -> Q:
    """In this range of one of SORT_TIMES; without the jobs that did not start, or did not end."""
    column, *replacements = SORT_TIMES[key]
    found = _within(F(column), times)
    if replacements:
        # the same again on what job_list_started and job_list_ended are made of, which gives them
        # their range
        found &= Q(**{f"{column}__isnull": False}) & _within(Ordering(key).expression, times)
    elif key == "changed" and times.end is not None:
        # nothing changes before it was created, as far as clocks agree: job_list starts there
        found &= Q(sort_at__lt=min(times.end, _LATEST) + MAX_CLOCK_ERROR)
    return found


def waited(given: Filter, context: Context) -> Q:
    """From creation to start, or until now for what has not started."""
    waits = Q(status__in=[JobStatus.SUBMITTING, JobStatus.QUEUED], is_active=True)
    return _lengths(given, context, ("created_at", "started_at"), waits, "first_seen_at")


def ran(given: Filter, context: Context) -> Q:
    """From start to end, or until now for what runs."""
    runs = Q(status=JobStatus.RUNNING, is_active=True)
    return _lengths(given, context, ("started_at", "finished_at"), runs)


def _lengths(
    given: Filter, context: Context, times: tuple[str, str], ongoing: Q, instead: str | None = None
) -> Q:
    """How long something took between two times, or, where `ongoing`, since the first of them.

    Nothing where a time is missing, or the end comes before the beginning.
    """
    begun, ended = times
    is_over = Q(**{f"{begun}__isnull": False, f"{ended}__isnull": False, f"{ended}__gte": F(begun)})
    length = ExpressionWrapper(F(ended) - F(begun), output_field=DurationField())
    since = Coalesce(begun, instead) if instead else F(begun)
    has_begun = Q() if instead else Q(**{f"{begun}__isnull": False})
    found = Q()
    for value in given.values:
        lengths = read_lengths(value)
        try:
            ages = Range(
                start=None if lengths.end is None else context.now - lengths.end,
                end=None if lengths.start is None else context.now - lengths.start,
                after_start=not lengths.with_end,
                with_end=not lengths.after_start,
            )
        except OverflowError:
            raise value.error("This duration is too long.") from None
        found |= is_over & ~ongoing & _within(length, lengths)
        found |= ongoing & has_begun & _within(since, ages)
    return found


def _within(expression: object, limits: Range[Any]) -> Q:
    found = Q()
    if limits.start is not None:
        above = GreaterThan if limits.after_start else GreaterThanOrEqual
        found &= Q(above(expression, limits.start))
    if limits.end is not None:
        below = LessThanOrEqual if limits.with_end else LessThan
        found &= Q(below(expression, limits.end))
    return found


def flag(given: Filter, context: Context) -> Q:
    names = [name for value in given.values for name in choose(value, FLAGS, "“is:”")]
    return any_of(FLAGS[name] for name in names)


def present(given: Filter, context: Context) -> Q:
    names = [name for value in given.values for name in choose(value, PRESENT, "“has:”")]
    return any_of(PRESENT[name] for name in names)

"""A new batch: its inputs are checked line by line, and submitted once somebody has seen that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from jobs.batches import service
from jobs.batches.checking import Problem, check_lines
from jobs.batches.inputs import (
    InputRow,
    Inputs,
    InputsRefused,
    decode_file,
    read_inputs,
    write_rows,
)
from jobs.batches.lines import Line
from jobs.batches.service import BatchRefused, KeyOfDeletedBatch, NewBatch
from jobs.display.csv_text import write_csv
from jobs.forms.job import NONE_CHOSEN
from jobs.forms.job_values import typed_values
from jobs.forms.organization import default_account
from jobs.models import Batch
from jobs.query.visibility import Visibility
from jobs.submission.idempotency import KeyRefused, form_key
from jobs.submission.stored_request import dump_request
from jobs.submission.validation import SubmissionRefused
from jobs.views.batches.bucket import BucketForm
from jobs.views.batches.form import BatchForm
from jobs.views.shared.layout import render_page
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.issues import RequestIssue
from providers.core.types import JobRequest
from providers.http.redaction import redact_url

# Problems that the page lists; the file has all.
SHOWN = 100
MAX_CELLS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that is left out, and why."""

    row: InputRow
    problem: str
    is_duplicate: bool

    @property
    def text(self) -> str:
        """The line, as far as it is shown: URLs without their secrets."""
        cells = (redact_url(cell) if "://" in cell else cell for cell in self.row.cells)
        return ", ".join(cells)[:MAX_CELLS_SHOWN]


@dataclass(frozen=True)
class Check:
    """What was found in the inputs of a form: `good` are submitted, `bad` are left out."""

    inputs: Inputs
    good: Sequence[Line]
    bad: Sequence[Bad]

    @cached_property
    def duplicates(self) -> int:
        return sum(one.is_duplicate for one in self.bad)

    @property
    def faulty(self) -> int:
        return len(self.bad) - self.duplicates

    @property
    def listed(self) -> Sequence[Bad]:
        return self.bad[:SHOWN]

    @property
    def numbers(self) -> str:
        """Which lines are left out: what the form says that somebody has seen."""
        return ",".join(str(one.row.number) for one in self.bad)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A form with what is to be answered: who asks, and the bucket that may have been listed."""

    request: HttpRequest
    access: Access
    form: BatchForm
    bucket: BucketForm


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SUBMIT)
def batch_new(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The form. Sent with `submit`, its good lines are submitted, if those left out are the same
    that it said before; with `list`, the objects of a bucket replace its lines; with `choose`, it
    is shown for another account or template.
    """
    organization = access.organization
    bucket = BucketForm.of(organization, request.POST)
    if request.method != "POST":
        form = BatchForm(organization, initial=_initial(access))
        return _page(_Asked(request, access, form, bucket))
    if "choose" in request.POST or not _shows_chosen(request):
        form = BatchForm(organization, initial=typed_values(request.POST))
        form.is_switched = "choose" not in request.POST
        return _page(_Asked(request, access, form, bucket))
    data = request.POST.copy()
    if "list" in data and not bucket.list_into(data):
        form = BatchForm(organization, initial=typed_values(request.POST))
        return _page(_Asked(request, access, form, bucket), status=422)
    error = "" if "list" in data else _take_file(request, data)
    form = BatchForm(organization, data)
    asked = _Asked(request, access, form, bucket)
    if not form.is_valid() or error:
        if error:
            form.add_error("inputs", error)
        return _page(asked, status=422)
    return _answer(asked)


def _answer(asked: _Asked) -> HttpResponseBase:
    request, access, form = asked.request, asked.access, asked.form
    # before an error removes the value of its field
    data = dict(form.cleaned_data)
    visible = Visibility(access.organization)
    try:
        shared = form.to_shared_request()
        key = form_key(data["idempotency_key"], "batch", _body(data, shared), access.user)
        if (made := service.find_made(visible, key)) is not None:
            return _lead_to(request, access, made)
        service.check_name(visible, data["name"])
        check = _check(form, data, shared)
    except InputsRefused as error:
        form.add_error("inputs", str(error))
        return _page(asked, status=422)
    except SubmissionRefused as error:
        form.add_issues(error.issues)
        return _page(asked, status=422)
    except BatchRefused as error:
        form.add_error("name", error.fields["name"])
        return _page(asked, status=422)
    except (KeyRefused, KeyOfDeletedBatch) as error:
        form.add_error(None, str(error))
        return _page(asked, status=422)
    if "download" in request.POST and check.bad:
        return _download(check)
    is_seen = request.POST.get("left_out") == check.numbers
    if form.errors or "submit" not in request.POST or not is_seen or not check.good:
        return _page(asked, check, status=422 if form.errors else 200)
    new = NewBatch(
        visible, data["account"], data["name"], shared, check.good, data["allow_duplicate"],
        form.version,
    )  # fmt: skip
    try:
        made = service.create(new, user=access.user, key=key)
    except BatchRefused as error:
        form.add_error("name", error.fields["name"])
        return _page(asked, check, status=422)
    return _lead_to(request, access, made)


def _lead_to(request: HttpRequest, access: Access, made: Batch) -> HttpResponse:
    count = f"{made.total:,} input{'' if made.total == 1 else 's'}"
    messages.success(request, f"{made} is being submitted: {count}.")
    return redirect("jobs:batch", access.organization.slug, made.pk)


def _initial(access: Access) -> dict[str, Any]:
    account = default_account(access.organization)
    now = timezone.localtime()
    return {"account": account.pk if account else "", "name": f"Batch {now:%Y-%m-%d %H:%M}"}


def _shows_chosen(request: HttpRequest) -> bool:
    """Whether the fields that were sent are those of what is chosen."""
    given = request.POST
    chosen = f"{given.get('account', '')} {given.get('template', '')}"
    return given.get("fields_of", chosen) == chosen


def _take_file(request: HttpRequest, data: Any) -> str:
    """Put the lines of an uploaded file in place of those typed; why it cannot be read, if so."""
    file = request.FILES.get("file")
    if file is None:
        return ""
    try:
        data["inputs"] = decode_file(file.read())
    except InputsRefused as error:
        return str(error)
    return ""


def _body(data: dict[str, Any], shared: JobRequest) -> list[Any]:
    account = data["account"].pk
    return [account, data["name"], dump_request(shared), data["inputs"], data["allow_duplicate"]]


def _check(form: BatchForm, data: dict[str, Any], shared: JobRequest) -> Check:
    """What is wrong with which line; what is wrong with all is put at the form's fields.

    Raises InputsRefused.
    """
    inputs = read_inputs(data["inputs"])
    rows = [row for row in inputs.rows if row.line is not None]
    lines = [row.line for row in rows if row.line is not None]
    found = check_lines(data["account"], shared, lines, allow_duplicates=data["allow_duplicate"])
    for name, message in found.common.items():
        field = form.find_field(RequestIssue(name, ""))
        is_empty = field in NONE_CHOSEN and not (data.get(field) or data.get("mp4"))
        form.add_error(field, NONE_CHOSEN[field] if field and is_empty else message)
    bad = [Bad(row, row.problem, False) for row in inputs.rows if row.line is None]
    bad += [Bad(rows[one.index], _describe(one, rows), one.is_duplicate) for one in found.problems]
    left_out = {one.index for one in found.problems}
    good = [line for index, line in enumerate(lines) if index not in left_out]
    return Check(inputs, good, sorted(bad, key=lambda one: one.row.number))


def _describe(problem: Problem, rows: Sequence[InputRow]) -> str:
    if problem.same_as is not None:
        return f"The same input and settings as line {rows[problem.same_as].number}."
    return problem.message


def _download(check: Check) -> StreamingHttpResponse:
    problems = [(one.row, one.problem) for one in check.bad]

    def rows() -> Iterator[list[str]]:
        yield from write_rows(check.inputs, problems)

    return StreamingHttpResponse(
        write_csv(rows()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="lines-with-problems.csv"'},
    )


def _page(asked: _Asked, check: Check | None = None, *, status: int = 200) -> HttpResponse:
    context = {"form": asked.form, "bucket": asked.bucket, "check": check}
    template = "jobs/batches/batch_new.html"
    return render_page(
        asked.request, asked.access, template, context, section="jobs", status=status
    )

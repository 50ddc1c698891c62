"""What is wrong with the inputs of a batch, line by line, before anything is sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.batches.lines import Line
from jobs.models import ProviderAccount
from jobs.submission.duplicates import find_duplicates, fingerprint
from jobs.submission.validation import check_all
from providers.core.issues import RequestIssue
from providers.core.types import JobRequest


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the line `index`, counted from 0, is not submitted; `field` is what to change of it."""

    index: int
    field: str
    message: str
    is_duplicate: bool = False
    # the line that has the same
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """`problems` are in the order of the lines, at most one for each.

    `common` is what is wrong with all of them, by field of the request, or `account`.
    """

    problems: Sequence[Problem]
    common: Mapping[str, str]


def check_lines(
    account: ProviderAccount,
    request: JobRequest,
    lines: Sequence[Line],
    *,
    allow_duplicates: bool = False,
) -> Checked:
    """Check each line as its own submission would be checked. Sends nothing."""
    requests = [line.fill(request) for line in lines]
    problems: dict[int, Problem] = {}
    common: dict[str, str] = {}
    for index, issues in enumerate(check_all(account, requests)):
        blocking = next((issue for issue in issues if issue.blocking), None)
        if blocking is None:
            continue
        if field := _field_of_line(blocking, lines[index]):
            problems[index] = Problem(index, field, blocking.message)
        else:
            common.setdefault(blocking.field, blocking.message)
    if not allow_duplicates:
        for problem in _find_duplicates(account, requests):
            problems.setdefault(problem.index, problem)
    return Checked([problems[index] for index in sorted(problems)], common)


def _field_of_line(issue: RequestIssue, line: Line) -> str:
    """The field of the line that an issue is about; empty where it is about what all share."""
    name = issue.field.partition("[")[0].partition(".")[0]
    if name in line.overrides:
        return f"overrides.{issue.field}"
    is_own = name == "input" or (name == "metadata" and line.metadata is not None)
    return issue.field if is_own else ""


def _find_duplicates(account: ProviderAccount, requests: Sequence[JobRequest]) -> Iterator[Problem]:
    digests = [fingerprint(account, request) for request in requests]
    earlier = find_duplicates(account, set(digests))
    first: dict[str, int] = {}
    for index, digest in enumerate(digests):
        if digest in first:
            message = f"The same input and settings as line {first[digest] + 1}."
            yield Problem(index, "input", message, is_duplicate=True, same_as=first[digest])
        elif digest in earlier:
            message = f"The same job was submitted within 24 hours: job {earlier[digest]}."
            yield Problem(index, "input", message, is_duplicate=True)
        first.setdefault(digest, index)

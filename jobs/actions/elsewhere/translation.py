"""The request of a job for another account: what is kept, approximated and dropped, and why.

The provider's own checks decide. What they refuse is replaced by the nearest that they accept or
left out, with their reason; what cannot be left out without another result stays a refusal.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from jobs.models import ProviderAccount
from jobs.storage.references import Locations
from jobs.submission.timestamps import MAX_TIMESTAMPS, write_timestamp
from jobs.submission.validation import check
from providers.core.issues import RequestIssue
from providers.core.types import JobRequest, Rendition, Thumbnails
from providers.http.redaction import redact_url

# Each step repairs one thing; a request has no more than these that can be wrong.
MAX_STEPS = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of a request, for people; `after` is empty where it does not change."""

    before: str
    reason: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Translation:
    """`request` is what is sent. `refusals` are why it cannot be sent; empty where it can."""

    request: JobRequest = field(repr=False)
    kept: tuple[Line, ...] = ()
    approximated: tuple[Line, ...] = ()
    dropped: tuple[Line, ...] = ()
    refusals: tuple[RequestIssue, ...] = ()
    # what the new job's record says about its request
    remarks: tuple[RequestIssue, ...] = ()


def translate(
    request: JobRequest,
    before: ProviderAccount,
    account: ProviderAccount,
    presets: Mapping[str, Any] = MappingProxyType({}),
    *,
    destination: str = "",
    duration_s: float | None = None,
) -> Translation:
    """`request`, which was sent to the account `before`, for `account`. Sends nothing.

    `presets` of `account`, as its provider has them in `extra`, replace its renditions;
    `destination`, unless it is empty, replaces the request's.
    `duration_s` is the length of the input, which places thumbnails; None where it is not known.
    """
    work = _Work(request, before, account, duration_s)
    work.choose_presets(presets)
    work.choose_destination(destination)
    issues = work.repair()
    refusals = tuple(issue for issue in issues if issue.blocking)
    notes = [issue for issue in issues if not issue.blocking]
    return Translation(
        work.request,
        kept=tuple(_kept(request, work, notes)),
        approximated=(*work.approximated, *_noted(work, notes)),
        dropped=tuple(work.dropped),
        refusals=refusals,
        remarks=(*work.remarks, *notes),
    )


class _Work:
    """A request while it is translated."""

    def __init__(
        self,
        request: JobRequest,
        before: ProviderAccount,
        account: ProviderAccount,
        duration_s: float | None,
    ) -> None:
        self.account = account
        self._duration_s = duration_s
        self.request = request
        self.approximated: list[Line] = []
        self.dropped: list[Line] = []
        self.remarks: list[RequestIssue] = []
        self._refusals: list[RequestIssue] = []
        if before.provider != account.provider:
            self._leave(before)

    def _leave(self, before: ProviderAccount) -> None:
        """Drop what means something at the provider of `before` alone."""
        request, label = self.request, before.provider_label
        reason = f"A setting of {label} alone."
        self.dropped += [Line(f"{name} in extra", reason) for name in sorted(request.extra)]
        self.request = replace(request, extra={})
        locations = Locations(before.organization)
        if _is_in_storage(request.input, locations):
            self._refusals.append(before.adapter_class.refuse("input", "input_in_storage"))
        if _is_in_storage(request.destination, locations):
            reason = f"A folder in the storage of {label}."
            self.dropped.append(Line(_describe(request, "destination"), reason))
            self.request = replace(self.request, destination=None)

    def choose_presets(self, presets: Mapping[str, Any]) -> None:
        """Make what presets of the account say, where some were chosen."""
        if not presets:
            return
        request = self.request
        if request.renditions:
            [names] = presets.values()
            label = self.account.provider_label
            reason = f"The presets of {label} determine packaging and size."
            made = f"Presets {', '.join(map(str, names))}"
            self.approximated.append(Line(_describe(request, "renditions"), reason, made))
        self.request = replace(request, renditions=(), extra={**request.extra, **presets})

    def choose_destination(self, destination: str) -> None:
        request = self.request
        if not destination or destination == request.destination:
            return
        self.request = replace(request, destination=destination)
        made = _describe(self.request, "destination")
        line = Line(_describe(request, "destination"), "Entered for this retry.", made)
        self.approximated.append(line)

    def repair(self) -> list[RequestIssue]:
        """Repair what can be repaired; return what the provider still says."""
        if self._refusals:
            return self._refusals
        for _ in range(MAX_STEPS):
            issues = check(self.account, self.request)
            blocking = (issue for issue in issues if issue.blocking)
            if not any(self._repair(issue) for issue in blocking):
                break
        return check(self.account, self.request)

    def _repair(self, issue: RequestIssue) -> bool:
        """Whether the issue was repaired."""
        repair = _REPAIRS.get(issue.code)
        if repair is None and issue.field.partition(".")[0] == "thumbnails":
            repair = _drop_of_thumbnails
        changed = repair(self.request, issue) if repair else self.request
        if issue.code == "thumbnails_placement":
            placed = _place_otherwise(self.request.thumbnails, issue, self._duration_s)
            changed = replace(self.request, thumbnails=placed)
        if changed == self.request:
            return False
        self._note(issue, self.request, changed)
        self.request = changed
        return True

    def _note(self, issue: RequestIssue, old: JobRequest, new: JobRequest) -> None:
        self.remarks.append(replace(issue, blocking=False))
        if issue.field.startswith("renditions"):
            lost = _describe_renditions(_without(old.renditions, new.renditions))
            made = _describe_renditions(_without(new.renditions, old.renditions))
            self.approximated.append(Line(lost, issue.message, made or "made already"))
        elif issue.field.startswith("thumbnails") and new.thumbnails and old.thumbnails:
            made = describe_thumbnails(new.thumbnails)
            line = Line(describe_thumbnails(old.thumbnails), issue.message, made)
            self.approximated.append(line)
        else:
            name = issue.field.partition(".")[0]
            self.dropped.append(Line(_describe(old, name), issue.message))


def _is_in_storage(place: str | None, locations: Locations) -> bool:
    """Whether it is an id or a path in a provider's storage, or a stored location that is gone."""
    return bool(place) and "://" not in str(place) and locations.find(place) is None


def _without(renditions: tuple[Rendition, ...], others: tuple[Rendition, ...]) -> list[Rendition]:
    """What is to be made of `renditions` and not of `others`."""
    made = {(one.packaging, height) for one in others for height in one.heights}
    found = (
        Rendition(
            one.packaging,
            tuple(height for height in one.heights if (one.packaging, height) not in made),
        )
        for one in renditions
    )
    return [one for one in found if one.heights]


def _place_otherwise(
    asked: Thumbnails | None, issue: RequestIssue, duration_s: float | None
) -> Thumbnails | None:
    """As many thumbnails in a way that the provider has; None where that is not known."""
    if asked is None:
        return None
    number = asked.number
    if asked.interval_s and duration_s:
        number = int(duration_s / asked.interval_s) + 1
    number = min(number, MAX_TIMESTAMPS)
    if number and "count" in issue.values["placements"]:
        return replace(asked, count=number, interval_s=None, timestamps=())
    if number and duration_s and "timestamps" in issue.values["placements"]:
        # not at the very end, where there may be no picture
        times = tuple(float(int(duration_s * place / number)) for place in range(number))
        times = tuple(dict.fromkeys(times))
        return replace(asked, count=None, interval_s=None, timestamps=times)
    return None


Repair = Callable[[JobRequest, RequestIssue], JobRequest]


def _use_nearest_heights(request: JobRequest, issue: RequestIssue) -> JobRequest:
    """The next lower height that can be made, else the lowest of all."""
    heights = sorted(issue.values["heights"])

    def nearest(height: int) -> int:
        return max((one for one in heights if one <= height), default=heights[0])

    renditions = tuple(
        Rendition(one.packaging, tuple(dict.fromkeys(map(nearest, one.heights))))
        for one in request.renditions
    )
    return replace(request, renditions=renditions)


def _use_other_packaging(request: JobRequest, issue: RequestIssue) -> JobRequest:
    supported = list(issue.values["packagings"])
    heights: dict[str, dict[int, None]] = {}
    for one in request.renditions:
        packaging = one.packaging if one.packaging in supported else supported[0]
        heights.setdefault(packaging, {}).update(dict.fromkeys(one.heights))
    renditions = tuple(Rendition(name, tuple(found)) for name, found in heights.items())
    return replace(request, renditions=renditions)


def _drop_destination(request: JobRequest, issue: RequestIssue) -> JobRequest:
    return replace(request, destination=None)


def _drop_metadata(request: JobRequest, issue: RequestIssue) -> JobRequest:
    return replace(request, metadata=None)


def _drop_of_thumbnails(request: JobRequest, issue: RequestIssue) -> JobRequest:
    """Without what is refused of them; without thumbnails where it is how many there are."""
    asked, part = request.thumbnails, issue.field.partition(".")[2]
    if asked is None:
        return request
    changed = {
        "formats": replace(asked, formats=()),
        "filters": replace(asked, filters=()),
        "width": replace(asked, width=None),
        "height": replace(asked, height=None),
    }
    return replace(request, thumbnails=changed.get(part))


def _make_fewer_thumbnails(request: JobRequest, issue: RequestIssue) -> JobRequest:
    asked, limit = request.thumbnails, issue.values["limit"]
    if asked is None:
        return request
    if asked.timestamps:
        return replace(request, thumbnails=replace(asked, timestamps=asked.timestamps[:limit]))
    return replace(request, thumbnails=replace(asked, count=limit))


def _use_whole_seconds(request: JobRequest, issue: RequestIssue) -> JobRequest:
    asked = request.thumbnails
    if asked is None:
        return request
    times = tuple(dict.fromkeys(float(int(at)) for at in asked.timestamps))
    return replace(request, thumbnails=replace(asked, timestamps=times))


# By the code of what the provider refuses. A test mode is not among them: without it, the job would
# be paid for.
_REPAIRS: dict[str, Repair] = {
    "heights_unsupported": _use_nearest_heights,
    "packaging_unsupported": _use_other_packaging,
    "destination_unsupported": _drop_destination,
    "destination_scheme": _drop_destination,
    "destination_not_a_folder": _drop_destination,
    "bucket_elsewhere": _drop_destination,
    "metadata_too_long": _drop_metadata,
    "thumbnails_too_many": _make_fewer_thumbnails,
    "thumbnails_whole_seconds": _use_whole_seconds,
}


def _kept(request: JobRequest, work: _Work, notes: list[RequestIssue]) -> Iterator[Line]:
    """What is sent as it was, and about which the provider has nothing to say."""
    sent = work.request
    noted = {issue.field.partition(".")[0] for issue in notes}
    yield Line(_describe(request, "input"), _secret_reason(request.input, "The same source."))
    if "renditions" not in noted:
        for old in request.renditions:
            now = {height for one in sent.renditions if one.packaging == old.packaging
                   for height in one.heights}  # fmt: skip
            same = tuple(height for height in old.heights if height in now)
            if same:
                one = Rendition(old.packaging, same)
                yield Line(_describe_renditions([one]), "Same packaging and heights.")
    for name, reason in (
        ("destination", _secret_reason(request.destination or "", "The same place.")),
        ("thumbnails", "As before."),
        ("metadata", "Unchanged."),
        ("test", "A test there, too."),
        ("extra", "The same provider."),
    ):
        value = getattr(request, name)
        if value and value == getattr(sent, name) and name not in noted:
            yield Line(_describe(request, name), reason)
    if request.priority:
        held = next((one.message for one in notes if one.field == "priority"), "The same.")
        yield Line(_describe(request, "priority"), held)


def _noted(work: _Work, notes: list[RequestIssue]) -> Iterator[Line]:
    """What the provider decides by itself."""
    for issue in notes:
        name = issue.field.partition(".")[0].partition("[")[0]
        if name != "priority":
            yield Line(_describe(work.request, name), issue.message)


def _secret_reason(url: str, reason: str) -> str:
    is_secret = redact_url(url) != url
    return f"{reason} The signature or the keys in it are sent along." if is_secret else reason


def _describe(request: JobRequest, name: str) -> str:
    """A field with its value, without secrets."""
    match name:
        case "input":
            return f"Input {redact_url(request.input)}"
        case "destination":
            return (
                f"Destination {redact_url(request.destination)}"
                if request.destination
                else ("No destination")
            )
        case "renditions":
            return _describe_renditions(request.renditions) or "Outputs"
        case "thumbnails":
            return describe_thumbnails(request.thumbnails) if request.thumbnails else "Thumbnails"
        case "test":
            return "Test mode"
        case "priority":
            return f"Priority {request.priority}"
        case "extra":
            return f"Extra settings: {', '.join(sorted(request.extra))}"
    return name.capitalize()


def _describe_renditions(renditions: list[Rendition] | tuple[Rendition, ...]) -> str:
    return "; ".join(
        f"{one.packaging.upper()} {', '.join(f'{height}p' for height in one.heights)}"
        for one in renditions
    )


def describe_thumbnails(asked: Thumbnails) -> str:
    """`3 thumbnails as JPG, 320 px wide`."""
    if asked.interval_s is not None:
        text = f"A thumbnail every {asked.interval_s:g} s"
    else:
        text = f"{asked.number} thumbnail{'' if asked.number == 1 else 's'}"
    if asked.timestamps:
        text += f" at {', '.join(map(write_timestamp, asked.timestamps))}"
    if asked.formats:
        text += f" as {', '.join(asked.formats).upper()}"
    if asked.width:
        text += f", {asked.width} px wide"
    if asked.height:
        text += f", {asked.height} px high"
    if asked.filters:
        text += f", filter {', '.join(asked.filters)}"
    return text

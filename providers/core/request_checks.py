"""What follows from a provider's declarations for a request: what it refuses or approximates."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.core.contract import Provider
from providers.core.issues import RequestIssue
from providers.core.thumbnails import NO_FILTER, ThumbnailSupport
from providers.core.types import Capability, JobRequest, Thumbnails


def find_declared_issues(
    provider: type[Provider], request: JobRequest, body: Mapping[str, Any]
) -> Iterator[RequestIssue]:
    """Hold a request, and the body made of it with a key of full length, against declarations."""
    yield from _check_places(provider, request)
    if provider.preset_field:
        yield from _check_presets(provider, request, provider.preset_field)
    else:
        yield from _check_renditions(provider, request)
    yield from _check_thumbnails(provider, request)
    field = provider.customer_field
    if field and field.is_too_long(body):
        unit = field.format.UNIT
        yield provider.refuse("metadata", "metadata_too_long", limit=field.max_length, unit=unit)
    if request.test and not provider.supports(Capability.TEST_MODE):
        yield provider.refuse("test", "test_mode_unsupported")
    if request.priority and not provider.supports(Capability.PRIORITY):
        yield provider.note("priority", "priority_kept_here")


def _check_places(provider: type[Provider], request: JobRequest) -> Iterator[RequestIssue]:
    scheme, separator, _ = request.input.partition("://")
    is_schemeless = not separator and provider.accepts_schemeless_inputs
    is_checked = provider.input_schemes and not provider.input_fields & request.extra.keys()
    is_known = separator and scheme.lower() in provider.input_schemes
    if is_checked and not (is_schemeless or is_known):
        yield provider.refuse("input", "input_scheme", schemes=provider.input_schemes)
    if request.destination and provider.request_help.get("destination", "") is None:
        yield provider.refuse("destination", "destination_unsupported")


def _check_presets(
    provider: type[Provider], request: JobRequest, preset_field: str
) -> Iterator[RequestIssue]:
    if not _find_in_extra(request, (preset_field, *provider.output_fields)):
        yield provider.refuse("renditions", "presets_required", field=preset_field)
    elif request.renditions:
        yield provider.note("renditions", "presets_decide")


def _check_renditions(provider: type[Provider], request: JobRequest) -> Iterator[RequestIssue]:
    renditions = request.renditions
    is_replaced = not request.extra.keys().isdisjoint(provider.output_fields)
    replacing = _find_in_extra(request, provider.output_fields)
    # a job is paid for: what it makes is never left to chance
    if not replacing and (is_replaced or not renditions):
        yield provider.refuse("renditions", "renditions_required")
        return
    if replacing:
        if renditions:
            yield provider.note("renditions", "renditions_replaced", field=replacing)
        return
    if not all(rendition.heights for rendition in renditions):
        yield provider.refuse("renditions", "heights_required")
    heights = {height for rendition in renditions for height in rendition.heights}
    if provider.heights and (unsupported := sorted(heights.difference(provider.heights))):
        values: dict[str, Any] = {"heights": provider.heights, "unsupported": unsupported}
        yield provider.refuse("renditions", "heights_unsupported", **values)
    packagings = {rendition.packaging for rendition in renditions}
    if not provider.packagings:
        yield provider.note("renditions", "packaging_decided")
    elif packagings.difference(provider.packagings):
        supported = provider.packagings
        yield provider.refuse("renditions", "packaging_unsupported", packagings=supported)


def _check_thumbnails(provider: type[Provider], request: JobRequest) -> Iterator[RequestIssue]:
    thumbnails = request.thumbnails
    if thumbnails is None or "thumbnails" in request.extra:
        return
    if provider.thumbnails is None:
        yield provider.refuse("thumbnails", "thumbnails_unsupported")
        return
    support = provider.thumbnails
    yield from _check_placement(provider, support, thumbnails)
    if thumbnails.formats and not support.formats:
        yield provider.refuse("thumbnails.formats", "thumbnails_decided", what="format")
    elif set(thumbnails.formats).difference(support.formats):
        yield provider.refuse("thumbnails.formats", "thumbnails_format", formats=support.formats)
    if set(thumbnails.filters).difference(support.filters):
        if support.filters == (NO_FILTER,):
            yield provider.refuse("thumbnails.filters", "thumbnails_no_filters")
        else:
            filters = support.filters
            yield provider.refuse("thumbnails.filters", "thumbnails_filter", filters=filters)
    yield from _check_size(provider, support, thumbnails)


def _check_placement(
    provider: type[Provider], support: ThumbnailSupport, asked: Thumbnails
) -> Iterator[RequestIssue]:
    field, placements, limit = (
        f"thumbnails.{asked.placement}",
        support.placements,
        support.max_count,
    )
    if asked.placement not in placements:
        yield provider.refuse(field, "thumbnails_placement", placements=placements)
    elif limit is not None and asked.number > limit:
        yield provider.refuse(field, "thumbnails_too_many", limit=limit)
    elif support.whole_seconds and any(at % 1 for at in asked.timestamps):
        yield provider.refuse(field, "thumbnails_whole_seconds")


def _check_size(
    provider: type[Provider], support: ThumbnailSupport, asked: Thumbnails
) -> Iterator[RequestIssue]:
    for field, pixels in (("width", asked.width), ("height", asked.height)):
        if pixels is None:
            continue
        if not support.sizes:
            yield provider.refuse(f"thumbnails.{field}", "thumbnails_decided", what="size")
        elif field not in support.sizes:
            yield provider.refuse(f"thumbnails.{field}", "thumbnails_by_height")
        elif field == "height" and support.heights and pixels not in support.heights:
            heights = support.heights
            yield provider.refuse("thumbnails.height", "thumbnails_height", heights=heights)


def _find_in_extra(request: JobRequest, names: tuple[str, ...]) -> str | None:
    """Name the field of `extra` that says what to make; None where all of them are empty."""
    return next((name for name in names if request.extra.get(name)), None)

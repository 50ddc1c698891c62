"""Files of all accounts: what the jobs made, with a way to open or play each."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.display.formats import age
from jobs.display.job_row import AccountLabel, label_account
from jobs.media.playback import PLAYED, Opening, opening
from jobs.models import Output, ProviderAccount
from jobs.models.mirror.output import output_status_choices
from jobs.query.counts import Count, total
from jobs.query.files import FileFilter, shared_kind_counts
from jobs.query.paging.keyset import KeysetPage
from jobs.query.visibility import Visibility
from jobs.views.shared.filter_form import account_menus, filter_form, spans
from jobs.views.shared.first_page import redirect_to_first_page
from jobs.views.shared.layout import HtmxRequest, layout_context
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.status import OutputStatus
from providers.core.types import OutputKind

MADE = OutputStatus.SUCCEEDED
# Longer than MPEG-TS it is no name any more
SHORT = 7
# what fits into a mark
MARK_LENGTH = 24
# From when on a row says that its link expires
SOON = timedelta(days=1)
SUSPECT = "Suspect"
# the tabs
KINDS = {
    OutputKind.VIDEO: "Video",
    OutputKind.PLAYLIST: "Playlists",
    OutputKind.AUDIO: "Audio",
    OutputKind.CAPTIONS: "Captions",
    OutputKind.IMAGE: "Images",
    OutputKind.ARCHIVE: "Archives",
}
HEIGHTS = (240, 360, 480, 720, 1080, 2160)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file with what can be done with it now. `warning` is a few words, for a mark."""

    output: Output
    job_url: str
    opening: Opening
    can_play: bool
    account: AccountLabel
    warning: str = ""
    explanation: str = ""

    @property
    def icon(self) -> str:
        return "zoom-question" if self.warning == SUSPECT else "clock"

    @property
    def format(self) -> str:
        """Its short name; not a description such as `ISO MP4/M4A [mp4a]`."""
        return self.output.format.upper() if len(self.output.format) <= SHORT else ""


@require_safe
@requires(Permission.READ)
def file_list(request: HtmxRequest, access: Access) -> HttpResponse:
    filters = FileFilter.parse(request.GET, Visibility(access.organization))
    # what was made, unless another status is asked for
    shown = filters if filters.status else replace(filters, status=frozenset({MADE}))
    files = Output.objects.for_organization(access.organization).for_list()
    try:
        page = shown.page(files)
    except ValueError:
        return redirect_to_first_page(request, filters)
    context = layout_context(access, "files") | {"filters": filters}
    counts = shared_kind_counts(
        Output.objects.for_organization(access.organization), filters, access.organization.pk
    )
    context |= _results(page, filters, request.path, context["jobs_url"])
    context["kinds"] = _tabs(filters, request.path, counts)
    context |= _form(filters, [state.account for state in context["health"]], request.path)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "jobs/files/_results.html", context)
    return render(request, "jobs/files/files.html", context)


def _results(
    page: KeysetPage[Output], filters: FileFilter, path: str, jobs_url: str
) -> dict[str, Any]:
    return {
        "page": page,
        "rows": [_row(output, jobs_url) for output in page.rows],
        "turned_url": f"{path}?{filters.query(sort=_turned(filters))}",
        "newer_url": page.previous and f"{path}?{filters.query(cursor=page.previous)}",
        "older_url": page.next and f"{path}?{filters.query(cursor=page.next)}",
    }


def _turned(filters: FileFilter) -> str:
    return "created" if filters.ordering.descending else "-created"


@dataclass(frozen=True, slots=True)
class KindTab:
    """`count` is None where counting would be slow."""

    label: str
    url: str
    is_current: bool
    count: Count | None


def _tabs(filters: FileFilter, path: str, counts: dict[str, Count]) -> list[KindTab]:
    """A tab for each kind of file; the first has all but images, which come by the hundred."""
    media = total(count for kind, count in counts.items() if kind != OutputKind.IMAGE)
    every = KindTab(
        "All", f"{path}?{filters.query(kind=None)}", not filters.kind, media if counts else None
    )
    return [
        every,
        *(
            KindTab(
                label,
                f"{path}?{filters.query(kind=kind.value)}",
                filters.kind == {kind},
                counts.get(kind),
            )
            for kind, label in KINDS.items()
        ),
    ]


def _row(output: Output, jobs_url: str) -> FileRow:
    plays = output.is_web and output.kind in PLAYED and output.status == OutputStatus.SUCCEEDED
    opens = opening(output)
    return FileRow(
        output,
        # with the URL of the list, which is looked up once
        f"{jobs_url}{output.job_id}/",
        opens,
        plays and opens.is_offered,
        label_account(output.account.name, output.account.provider_label),
        *_warning(output, opens),
    )


def _warning(output: Output, opens: Opening) -> tuple[str, str]:
    """That a file cannot be opened, or soon no more, or is doubtful; with the whole sentence."""
    job = output.job
    if not opens.is_offered and job.gone_at is not None:
        return f"Gone at {output.account.provider_label}"[:MARK_LENGTH], opens.reason
    if not opens.is_offered:
        return ("Link expired", opens.reason) if opens.reason else ("URL not reported", "")
    if job.is_suspect:
        return SUSPECT, job.suspect_reason
    if output.expires_at and not opens.is_renewed:
        left = output.expires_at - timezone.now()
        if left < SOON:
            at = timezone.localtime(output.expires_at)
            return f"Link expires in {age(left)}", f"At {at:%Y-%m-%d %H:%M:%S %Z}"
    return "", ""


def _form(filters: FileFilter, accounts: list[ProviderAccount], path: str) -> dict[str, Any]:
    given = dict(filters.params())
    offered = {
        **account_menus(accounts),
        "status": ("Status", "Succeeded", output_status_choices()),
        "min_height": ("Pixels", "Any", [(str(one), f"{one} px or more") for one in HEIGHTS]),
        "created_after": ("Created", "Any time", spans(given.get("created_after", ""))),
    }
    return filter_form(
        filters,
        path,
        offered,
        accounts,
        placeholder="Search files by name, job or id",
        presets=filters.presets,
    )

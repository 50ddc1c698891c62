"""`/files`: what the jobs of all accounts made."""

from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from jobs.api.auth import ApiRequest, visible_to
from jobs.api.errors import (
    LIST_REFUSALS,
    READ_REFUSALS,
    ApiError,
    ErrorBody,
    invalid,
    not_found,
)
from jobs.api.list_parameters import read_filters
from jobs.api.schemas.outputs import FileDetail, FileList, OutputLinkShape
from jobs.api.schemas.parameters import (
    Accounts,
    Cursor,
    Height,
    Ids,
    Limit,
    Slugs,
    Text,
    Texts,
    Time,
    one_of,
    sorts,
)
from jobs.media.links import NoLink, find_link
from jobs.models import Output
from jobs.query.files import FileFilter
from jobs.query.references import find_by_id
from providers.core.status import OutputStatus
from providers.core.types import OutputKind, OutputLink

router = Router(tags=["files"], by_alias=True)
# of the outputs of a job
links = Router(tags=["jobs"], by_alias=True)

RETRY_S = 30


class ListParameters(BaseModel):
    """Documents the query string; FileFilter reads it, for the page as well."""

    provider: Slugs = []
    account: Accounts = []
    job: Ids = Field([], description="Of these jobs, by id.")
    kind: Annotated[list[str], one_of(OutputKind)] = Field(
        [], description="Of these kinds; by default, all but images."
    )
    status: Annotated[list[str], one_of(OutputStatus)] = Field([], description="In these statuses.")
    format: Texts = Field([], description="In these formats, as the provider spells them.")
    preset: Ids = Field([], description="Made with these presets, by id.")
    min_height: Height = Field("", description="In pixels, at least.")
    max_height: Height = Field("", description="In pixels, at most.")
    q: Text = Field(
        "", description="The provider's id of the file or its job, or words of label, URL or job."
    )
    created_after: Time = Field("", description="Of a job created at this time or later.")
    created_before: Time = Field("", description="Of a job created before this time.")
    sort: Annotated[str, sorts(["created"])] = Field(
        "", description="By the creation of the job; by default, newest first."
    )
    limit: Limit = ""
    cursor: Cursor = ""


@router.get("", response={200: FileList, **LIST_REFUSALS}, summary="List files")
def list_files(request: ApiRequest, parameters: Query[ListParameters]) -> dict[str, Any]:
    """Outputs of all jobs, a page at a time, newest job first; images where they are asked for."""
    filters = read_filters(FileFilter, request)
    try:
        found = filters.page(visible_to(request).outputs().for_list())
    except ValueError as error:
        raise invalid({"cursor": str(error)}) from error
    return {"results": found.rows, "next": found.next, "searched_to": found.searched_to}


@router.get("/{file_id}", response={200: FileDetail, **READ_REFUSALS}, summary="Read a file")
def read_file(request: ApiRequest, file_id: str) -> Output:
    """One output, by its id."""
    return _find(visible_to(request).outputs().select_related("organization"), file_id)


@links.get(
    "/{job_id}/outputs/{output_id}/link",
    response={200: OutputLinkShape, 503: ErrorBody, **READ_REFUSALS},
    summary="Get the URL of an output",
)
def read_link(
    request: ApiRequest, response: HttpResponse, job_id: str, output_id: str
) -> OutputLink:
    """The URL that opens the file, with its signature. A new one if that has expired.

    404 where there is no file or no way to one; 503 where the provider could not be asked.
    """
    # it is a secret, which no cache may keep
    response["Cache-Control"] = "private, no-store"
    output = _find(visible_to(request).outputs(), output_id)
    if str(output.job_id) != job_id:
        raise not_found()
    try:
        return find_link(output)
    except NoLink as error:
        if error.is_final:
            raise ApiError(404, "no_link", str(error)) from error
        raise ApiError(
            *(503, "provider_unavailable", str(error)), headers={"Retry-After": str(RETRY_S)}
        ) from error


def _find(outputs: QuerySet[Output], output_id: str) -> Output:
    found = find_by_id(outputs.select_related("job", "account"), output_id)
    if found is None:
        raise not_found()
    return found

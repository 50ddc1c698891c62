"""`/files`: what the jobs of all accounts made."""

from typing import Any

from ninja import Query, Router
from pydantic import BaseModel, Field

from jobs.api.auth import ApiRequest
from jobs.api.errors import LIST_REFUSALS, invalid
from jobs.api.list_parameters import read_filters
from jobs.api.schemas.outputs import FileList
from jobs.models import Output
from jobs.query import keyset
from jobs.query.files import FileFilter
from jobs.query.parameters import DEFAULT_LIMIT, MAX_LIMIT
from providers.core.status import OutputStatus
from providers.core.types import OutputKind

router = Router(tags=["files"], by_alias=True)


class ListParameters(BaseModel):
    """Documents the query string; FileFilter reads it, for the page as well."""

    provider: list[str] = Field([], description="Slugs.")
    account: list[str] = Field([], description="Ids or exact names.")
    job: list[str] = Field([], description="Ids.")
    kind: list[str] = Field(
        [],
        description="All but images where it is left out.",
        json_schema_extra={"items": {"enum": list(OutputKind)}},
    )
    status: list[str] = Field([], json_schema_extra={"items": {"enum": list(OutputStatus)}})
    format: list[str] = Field([], description="As the provider writes it, such as `mp4`.")
    preset: list[str] = Field([], description="Ids.")
    min_height: str = Field("", description="In pixels; included.")
    max_height: str = Field("", description="In pixels; included.")
    q: str = Field("", description="A provider's id, or words of the label, URL or job.")
    created_after: str = Field("", description="Of the job: ISO 8601, or an age; included.")
    created_before: str = Field("", description="Not included.")
    sort: str = Field("", description="`created`; `-created`, newest first, where left out.")
    limit: str = Field("", description=f"1 to {MAX_LIMIT}; {DEFAULT_LIMIT} where it is left out.")
    cursor: str = Field("", description="`next` of the page before.")


@router.get("", response={200: FileList, **LIST_REFUSALS}, summary="List files")
def list_files(request: ApiRequest, parameters: Query[ListParameters]) -> dict[str, Any]:
    """Outputs of all jobs, a page at a time, newest job first; images where they are asked for."""
    filters = read_filters(FileFilter, request)
    files = filters.apply(Output.objects.for_organization(request.auth.organization).for_list())
    try:
        found = keyset.page(files, filters.ordering, filters.limit, filters.cursor)
    except ValueError as error:
        raise invalid({"cursor": str(error)}) from error
    return {"results": found.rows, "next": found.next}

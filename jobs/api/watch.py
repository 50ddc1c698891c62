"""`/jobs/watch`: add a job by the provider's id."""

from ninja import Router, Status
from pydantic import Field

from jobs.actions import watching
from jobs.api.auth import ApiRequest, TokenAuth, visible_to
from jobs.api.errors import SUBMIT_REFUSALS, invalid
from jobs.api.jobs import read_detail
from jobs.api.requests import Strict
from jobs.api.schemas.jobs import JobDetail
from jobs.models import Job
from jobs.query.references import find_accounts
from organizations.permissions import Permission
from providers.parsing.text import ID_LENGTH, VISIBLE_ID_PATTERN

router = Router(tags=["jobs"], by_alias=True)


class WatchRequest(Strict):
    account: str = Field(
        min_length=1, max_length=100, description="Id or exact name of a provider account."
    )
    remote_id: str = Field(
        min_length=1,
        max_length=ID_LENGTH,
        description="The job's id at the provider.",
        json_schema_extra={"pattern": VISIBLE_ID_PATTERN},
    )


@router.post(
    "",
    auth=TokenAuth(Permission.SUBMIT),
    response={202: JobDetail, 200: JobDetail, **SUBMIT_REFUSALS},
    summary="Watch a job of the provider",
)
def watch_job(request: ApiRequest, body: WatchRequest) -> Status[Job]:
    """For jobs that the provider's list does not bring, or not yet.

    Answers 202 and a job in status `unknown` until it has been read, which takes seconds; 200 and
    the job where it is here already. An id that the provider does not know becomes gone.
    """
    account = find_accounts(visible_to(request).accounts(), [body.account]).get(body.account)
    if account is None:
        raise invalid({"account": "No account has this id or name."})
    try:
        job, _ = watching.watch_job(account, body.remote_id, token=request.auth)
    except watching.InvalidId as error:
        raise invalid({"remote_id": str(error)}) from error
    is_waiting = job.is_unread and job.gone_at is None
    return Status(202 if is_waiting else 200, read_detail(request, str(job.pk)))

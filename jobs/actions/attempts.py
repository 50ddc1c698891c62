"""The retries of a job, and whether they have ended."""

from jobs.models import Job
from jobs.models.mirror.job import HEAVY_COLUMNS


def retries_of(job: Job) -> list[Job]:
    """Every retry of `job`, and theirs, oldest first."""
    found: dict[int, Job] = {}
    newest = [job.pk]
    while newest:
        retries = (
            Job.objects.filter(retry_of__in=newest, organization=job.organization_id)
            .exclude(pk__in=[job.pk, *found])
            .select_related("submitted_by")
            .defer(*HEAVY_COLUMNS)
        )
        new = {retry.pk: retry for retry in retries}
        found |= new
        newest = list(new)
    return [found[pk] for pk in sorted(found)]


def unfinished_of(retries: list[Job]) -> Job | None:
    """The newest of them that has not ended, as far as is known; None when all have."""
    unfinished = [one for one in retries if not one.is_terminal and one.gone_at is None]
    return unfinished[-1] if unfinished else None


def lock_attempts(job: Job) -> int:
    """Hold the first attempt of the chain that `job` belongs to, until the transaction ends.

    Of two requests for retries in one chain, the second sees what the first made. Returns its id.
    """
    parents = Job.objects.values_list("retry_of", flat=True)
    root, seen = job.pk, {job.pk}
    parent = parents.filter(pk=root).first()
    while parent is not None and parent not in seen:
        seen.add(parent)
        root = parent
        parent = parents.filter(pk=root).first()
    # selected only to lock it; other rows may still refer to it
    list(Job.objects.select_for_update(no_key=True).filter(pk=root).only("pk"))
    return root

"""Telling a member in the browser that a job has ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from django.db import models, transaction
from django.db.models import Case, F, Q, Subquery, Value, When

from jobs.models import EndNotice, Job
from jobs.query.arrivals import Joined
from organizations.models import Membership
from providers.core.status import TERMINAL

# Of one member, those that wait and those that were not dismissed together.
MAX_NOTICES = 100
MAX_SHOWN = 3

# The provider no longer has it: nothing more is heard of it.
HAS_ENDED = Q(job__status__in=sorted(TERMINAL)) | Q(job__gone_at__isnull=False)


class NoticeRefused(Exception):
    """Not noted, for the reason that `str()` gives."""


def request_notice(job: Job, member_id: int) -> None:
    """Notify the member when the job ends; asking twice changes nothing. Raises NoticeRefused."""
    if job.is_terminal or job.gone_at is not None:
        raise NoticeRefused("This job has already ended.")
    with transaction.atomic():
        # one at a time, so that the limit holds; who has just left gets none
        members = Membership.objects.select_for_update(no_key=True).filter(pk=member_id)
        if not members.exists():
            return
        notices = EndNotice.objects.filter(membership=member_id)
        if notices.count() >= MAX_NOTICES and not notices.filter(job=job).exists():
            raise NoticeRefused(
                f"You are already notified of {MAX_NOTICES} jobs. Dismiss some of them first."
            )
        notices.get_or_create(job=job, membership_id=member_id)


def dismiss(member_id: int | None, jobs: Iterable[int] | None = None) -> None:
    """Forget the notices about `jobs`, or about all jobs that have ended."""
    notices = EndNotice.objects.filter(membership=member_id)
    notices.filter(HAS_ENDED if jobs is None else Q(job__in=list(jobs))).delete()


def is_requested(job: Job, member_id: int | None) -> bool:
    return EndNotice.objects.filter(membership=member_id, job=job).exists()


@dataclass(frozen=True, slots=True)
class Notices:
    """Of one member: the ids of the jobs that have ended, how many have not, and how many notes
    that mention them are unread (`jobs.notes`).
    """

    ended: Sequence[int] = ()
    pending: int = 0
    mentions: int = 0

    @property
    def fingerprint(self) -> str:
        """Differs once something else is to be shown."""
        text = repr((self.ended, self.pending, self.mentions))
        return blake2b(text.encode(), digest_size=6).hexdigest()

    @property
    def more(self) -> int:
        """How many are not shown by themselves."""
        return max(len(self.ended) - MAX_SHOWN, 0)

    @property
    def shown(self) -> Sequence[Job]:
        """The latest of the jobs that have ended. One query if there are any."""
        if not self.ended:
            return []
        jobs = Job.objects.filter(pk__in=self.ended).for_list()
        return list(jobs.order_by(F("ended_at").desc(nulls_last=True), "-pk")[:MAX_SHOWN])


def notices_of(member_id: int | None) -> Subquery:
    """A column for `read_notices`, the same in each row."""
    ended = Case(
        When(HAS_ENDED, then=Value(1)), default=Value(0), output_field=models.IntegerField()
    )
    rows = EndNotice.objects.filter(membership=member_id).annotate(ended=ended).order_by()
    return Subquery(rows.values("membership").values(joined=Joined("job", "ended")))


def read_notices(column: str | None, mentions: int | None) -> Notices:
    """`mentions` is the column of `jobs.notes.mentions.unread_of`."""
    pairs = [pair.split(".") for pair in (column or "").split("_") if pair]
    ended = sorted(int(pk) for pk, has_ended in pairs if has_ended == "1")
    return Notices(tuple(ended), len(pairs) - len(ended), mentions or 0)

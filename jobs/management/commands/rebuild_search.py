"""`rebuild_search`: what jobs are found by, written anew."""

from typing import Any

from django.db import transaction

from jobs.mirror.search import refresh_search
from jobs.models import Job
from organizations.management.reporting import Report, ReportingCommand

CHUNK = 500


class Command(ReportingCommand):
    help = "Write anew what jobs are found by. It can be stopped, and run beside the board."

    def run(self, **_: Any) -> Report:
        written = last = 0
        while pks := _next_jobs(last):
            with transaction.atomic():
                # as the mirror's writer locks them, whose newer text must not be overwritten
                list(Job.objects.select_for_update(no_key=True).filter(pk__in=pks).only("pk"))
                refresh_search(pks)
            written, last = written + len(pks), pks[-1]
        return Report(lines=[f"{written} jobs"], data={"written": written})


def _next_jobs(last: int) -> list[int]:
    jobs = Job.objects.filter(pk__gt=last).order_by("pk")
    return list(jobs.values_list("pk", flat=True)[:CHUNK])

"""Searching files: by words of their labels, URLs and jobs' names, or by whole ids."""

from itertools import islice

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import IContains

from jobs.models import Job, Output
from jobs.models.search.normalization import normalize
from jobs.models.search.sections import CUT_IMAGES, CUT_MEDIA, Term
from jobs.query.paging.orderings import Ordering
from jobs.query.search.matches import find_jobs, find_rare
from jobs.query.search.words import read_terms
from providers.parsing.urls import parse_url, strip_query

# So many files are read to be looked at one by one, in any spelling. Of more the database does it.
MAX_READ = 5_000


class TooManyError(Exception):
    """There are more than MAX_READ files to look at."""


def find_jobs_of_files(text: str, organization_id: int, *, images: bool) -> list[int] | None:
    """Jobs among whose outputs are all that `text` finds.

    None where no index finds them, or they are many. `images`: images are asked for as well.
    """
    terms = read_terms(text)
    # what is searched of a file is in the search text of its job
    found = find_jobs(terms, organization_id) if terms else None
    if found is None:
        return None
    # but for the outputs that it has no room for
    cut = find_rare([Term(CUT_IMAGES if images else CUT_MEDIA)], organization_id)
    return None if cut is None else sorted({*found, *cut})


def pick_files(files: QuerySet[Output], text: str, ordering: Ordering, limit: int) -> list[int]:
    """The ids of the first `limit` of the few `files`, in this order, that `text` finds; one query.

    Raises TooManyError where they are not few.
    """
    columns = ("pk", "label", "url", "remote_id", "job__name", "job__remote_id")
    # not the column, or a planner would go through all files in the order of its index
    created = Coalesce("sort_at", "sort_at")
    if ordering.descending:
        files = files.order_by(created.desc(), "-pk")
    else:
        files = files.order_by(created.asc(), "pk")
    rows = list(files.values_list(*columns)[: MAX_READ + 1])
    if len(rows) > MAX_READ:
        raise TooManyError
    words = [term.text for term in read_terms(text)]
    fitting = (pk for pk, *texts in rows if _has(words, text.strip(), *texts))
    return list(islice(fitting, limit))


def _has(words: list[str], text: str, label: str, url: str, pk: str, name: str, job: str) -> bool:
    if text in (pk, job):
        return True
    shown = (label, strip_query(url), parse_url(url).file_name, name)
    texts = list(map(normalize, shown))
    return all(any(word in one for one in texts) for word in words)


def text_condition(text: str, organization_id: int) -> Q:
    """The same, asked of each file, whose spelling the database compares."""
    # of one job each: of many files a planner would rather join all jobs there are
    name = Subquery(Job.objects.filter(pk=OuterRef("job")).values("name"))
    words = Q()
    for word in text.split():
        words &= Q(label__icontains=word) | Q(url__icontains=word) | Q(IContains(name, word))
    jobs = Job.objects.filter(organization=organization_id, remote_id=text)
    return words | Q(remote_id=text) | Q(job__in=jobs)

"""Which jobs a searched word or phrase finds: what the words of a query go through."""

import re
from collections.abc import Sequence

from django.db.models import Q

from jobs.query.references import read_id

_OUR_ID = re.compile(r"#?[0-9]{1,18}", re.ASCII)
_ANY_ID = re.compile(r"#?[0-9]{1,18}|(?=[\w-]*[0-9])[\w-]{6,255}", re.ASCII)


def text_condition(text: str) -> Q:
    """The text somewhere in what a row of the list shows, or as one of the job's ids."""
    return (
        Q(name__icontains=text)
        | Q(input_url__icontains=text)
        | Q(batch__icontains=text)
        | Q(error_message__icontains=text)
        | id_condition(text)
    )


def id_condition(text: str) -> Q:
    """The job with this id, at its provider or here, where it may begin with `#`."""
    found = Q(remote_id=text)
    if _OUR_ID.fullmatch(text) and (pk := read_id(text.removeprefix("#"))) is not None:
        found |= Q(pk=pk)
    return found


def words_condition(texts: Sequence[str]) -> Q:
    """All of the words; where each looks like an id, also the jobs that these are the ids of."""
    found = Q()
    for text in texts:
        found &= text_condition(text)
    if len(texts) > 1 and all(map(_ANY_ID.fullmatch, texts)):
        for text in texts:
            found |= id_condition(text)
    return found

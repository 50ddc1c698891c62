"""What people paste into a search: words, names, ids of ours and of providers, URLs."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q

from jobs.models import Job
from jobs.models.search.normalization import normalize
from jobs.models.search.sections import Term
from jobs.query.references import read_id
from jobs.query.search.matches import contains
from jobs.query.search.searches import Search
from providers.parsing.urls import strip_query

_STRAY = " ,;"
_SEPARATORS = re.compile(r"[\s,;]+")
# between the parts of a URL of which one may be a job's id
_URL_SEPARATORS = re.compile(r"[/?#&=]+")
# One that is not ours has a digit, or it would be an ordinary word.
_ID = re.compile(r"#?(?=[^#]*[0-9])[^\s#/]{1,255}")


@dataclass(frozen=True, slots=True)
class Word:
    """One word or phrase as it was typed: `term` is what the text of a job contains."""

    typed: str
    term: str

    @classmethod
    def read(cls, text: str) -> "Word":
        typed = "".join(char for char in text if unicodedata.category(char) != "Cf").strip(_STRAY)
        is_url = "://" in typed
        return cls(typed, normalize(strip_query(typed).rstrip("/") if is_url else typed))

    @property
    def pk(self) -> int | None:
        """The job of ours whose id it is."""
        return read_id(self.term.removeprefix("#"))

    @property
    def remote_ids(self) -> list[str]:
        """What may be a provider's id: the word itself, or the parts of a console's URL."""
        if "://" not in self.typed:
            return [self.typed] if _ID.fullmatch(self.typed) and self.typed[0] != "#" else []
        parts = _URL_SEPARATORS.split(self.typed.partition("://")[2])[1:]
        return [part for part in parts if _ID.fullmatch(part)]


def split_words(text: str) -> list[str]:
    return [word for word in _SEPARATORS.split(text) if word]


def text_condition(text: str, organization_id: int) -> Q:
    """The jobs of the organization that contain `text`, or have it as their id."""
    return words_condition([text], organization_id)


def words_condition(texts: Iterable[str], organization_id: int) -> Q:
    """The jobs that contain all words and phrases; where all are ids, the jobs with these, too.

    A single one may also be a job's id, or a URL that contains a provider's. Of texts without
    anything to search for, all jobs.
    """
    words = tuple(word for word in map(Word.read, _split_lists(texts)) if word.term)
    return Q(_WordSearch(_terms(words), organization_id, words)) if words else Q()


def plain_condition(text: str) -> Q:
    """As `text_condition`, but asked of one job after the other, and no index is asked before."""
    word = Word.read(text)
    return contains([Term(word.term)]) | id_condition(text) if word.term else Q()


@dataclass(frozen=True)
class _WordSearch(Search):
    """The jobs that contain the words, or have them as their ids."""

    words: tuple[Word, ...]

    @cached_property
    def exact(self) -> list[int]:
        return _find_exact(self.words, self.organization_id)


def read_terms(text: str) -> tuple[Term, ...]:
    """What the text of a job contains that has all words of `text`."""
    return _terms(map(Word.read, split_words(text)))


def _terms(words: Iterable[Word]) -> tuple[Term, ...]:
    return tuple(dict.fromkeys(Term(word.term) for word in words if word.term))


def id_condition(text: str) -> Q:
    """The job with this id: one of ours, which may begin with `#`, or a provider's."""
    word = Word.read(text)
    found = Q(pk__in=[] if word.pk is None else [word.pk])
    return found if word.typed.startswith("#") else found | Q(remote_id=word.typed)


def _split_lists(texts: Iterable[str]) -> Iterable[str]:
    """Words that commas join are words of their own; a phrase keeps its commas."""
    for text in texts:
        yield from [text] if len(text.split()) > 1 else split_words(text)


def _find_exact(words: Sequence[Word], organization_id: int) -> list[int]:
    """The jobs that each word is the id of; none if one of the words is not."""
    if not all(word.pk is not None or word.remote_ids for word in words):
        return []
    pks = [word.pk for word in words if word.pk is not None]
    remote_ids = [remote_id for word in words for remote_id in word.remote_ids]
    rows = Job.objects.filter(
        Q(pk__in=pks) | Q(remote_id__in=remote_ids), organization=organization_id
    ).values_list("pk", "remote_id")
    found = list(rows[: 10 * len(words)])
    known = {pk for pk, _ in found} | {remote_id for _, remote_id in found}
    is_complete = all(word.pk in known or known & {*word.remote_ids} for word in words)
    return sorted(pk for pk, _ in found) if is_complete else []

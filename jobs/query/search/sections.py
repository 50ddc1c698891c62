"""What one section of the search text contains: the keys of queries that look for text."""

from dataclasses import dataclass
from typing import Self

from django.db.models import Q

from jobs.models.search.normalization import normalize
from jobs.models.search.sections import END, Section, Term
from jobs.query.search.matches import contains
from jobs.query.search.searches import Search
from providers.parsing.urls import strip_query


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text to look for, between what an entry of a section has before and behind it."""

    text: str
    before: str = ""
    behind: str = ""

    @classmethod
    def within(cls, text: str) -> Self:
        return cls(text)

    @classmethod
    def beginning(cls, text: str, before: str = END) -> Self:
        return cls(text, before)

    @classmethod
    def all_of(cls, text: str) -> Self:
        return cls(text, END, END)

    def term(self, section: Section) -> Term:
        url = strip_query(self.text) if "://" in self.text else self.text
        return Term(f"{self.before}{normalize(url)}{self.behind}", section)


def section_condition(pattern: Pattern, section: Section, organization_id: int | None) -> Q:
    """The jobs whose `section` has this, in any spelling.

    Without an organization, they are asked one after the other, and no index is asked before.
    """
    term = pattern.term(section)
    if organization_id is None:
        return contains([term])
    return Q(Search((term,), organization_id))

"""Turns the tree of a query into a condition on jobs."""

from dataclasses import replace
from functools import reduce
from operator import and_

from django.db.models import Q

from jobs.query.language.context import Context
from jobs.query.language.keys import KEYS
from jobs.query.language.tree import And, Filter, Node, Not, Or, Text, Value, leaves, terms_of
from jobs.query.search.searches import any_of
from jobs.query.search.words import plain_condition, words_condition

# Each word or group of words in alternatives and negations asks the index anew, and each value of
# a key that looks for text. With more of them jobs are read one after the other.
MAX_SEARCHES = 8

GONE = Filter("is", (Value("gone"),))


def compile_query(node: Node | None, context: Context) -> Q:
    """The jobs that fit; Q() for all. Raises QueryError for a value that does not exist.

    A few queries, whatever the jobs: the accounts once, and one for each filter of presets or
    people. Words are searched for when the condition is used.
    """
    if node is None:
        return Q()
    return _compile(node, replace(context, is_wordy=_is_wordy(node)))


def _is_wordy(node: Node | None) -> bool:
    together = sum(isinstance(term, Text) for term in terms_of(node))
    searches = sum(
        (KEYS[leaf.key].is_text and len(leaf.values)) if isinstance(leaf, Filter) else 1
        for leaf in leaves(node)
    )
    return searches - together > MAX_SEARCHES


def _compile(node: Node, context: Context) -> Q:
    match node:
        case Text():
            return _compile_words([node.text], context)
        case Filter():
            return KEYS[node.key].condition(node, context)
        case Not():
            return ~_compile(node.node, context)
        case Or():
            return any_of(_compile(inner, context) for inner in node.nodes)
        case And():
            return _compile_all(node, context)


def _compile_all(node: And, context: Context) -> Q:
    if GONE in node.nodes:
        context = replace(context, asks_gone=True)
    words = [inner.text for inner in node.nodes if isinstance(inner, Text)]
    found = [_compile_words(words, context)] if words else []
    found += [_compile(inner, context) for inner in node.nodes if not isinstance(inner, Text)]
    return reduce(and_, found)


def _compile_words(words: list[str], context: Context) -> Q:
    if context.is_wordy:
        return reduce(and_, map(plain_condition, words))
    return words_condition(words, context.visible.organization.pk)


def has_text(node: Node | None) -> bool:
    """Whether the query looks for text."""
    return any(isinstance(leaf, Text) or KEYS[leaf.key].is_text for leaf in leaves(node))


def is_indexed(node: Node | None) -> bool:
    """Whether indexes find the jobs of the query, however many others there are.

    Of one with words that is so where they are not common.
    """
    return not _is_wordy(node) and all(
        isinstance(term, Text) or (isinstance(term, Filter) and _is_indexed(term))
        for term in terms_of(node)
    )


def _is_indexed(given: Filter) -> bool:
    key = KEYS[given.key]
    is_exact = given.key == "error" or not any(value.is_prefix for value in given.values)
    return key.is_text or (key.is_indexed and is_exact)


def follows_status(node: Node | None) -> bool:
    """Whether jobs come to fit the query as their status changes."""
    return any(isinstance(leaf, Filter) and KEYS[leaf.key].follows_status for leaf in leaves(node))

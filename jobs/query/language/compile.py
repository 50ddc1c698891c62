"""Turns the tree of a query into a condition on jobs."""

from dataclasses import replace
from functools import reduce
from operator import and_

from django.db.models import Q

from jobs.query.language.conditions import any_of
from jobs.query.language.context import Context
from jobs.query.language.keys import KEYS
from jobs.query.language.tree import And, Filter, Node, Not, Or, Text, Value, leaves, terms_of
from jobs.query.search.words import words_condition

GONE = Filter("is", (Value("gone"),))


def compile_query(node: Node | None, context: Context) -> Q:
    """The jobs that fit; Q() for all. Raises QueryError for a value that does not exist.

    A few queries, whatever the jobs: the accounts once, and one for each filter of presets or
    people. Words are searched for when the condition is used.
    """
    match node:
        case None:
            return Q()
        case Text():
            return words_condition([node.text], context.visible.organization.pk)
        case Filter():
            return KEYS[node.key].condition(node, context)
        case Not():
            return ~compile_query(node.node, context)
        case Or():
            return any_of(compile_query(inner, context) for inner in node.nodes)
        case And():
            return _compile_all(node, context)


def _compile_all(node: And, context: Context) -> Q:
    if GONE in node.nodes:
        context = replace(context, asks_gone=True)
    words = [inner.text for inner in node.nodes if isinstance(inner, Text)]
    organization_id = context.visible.organization.pk
    found = [words_condition(words, organization_id)] if words else []
    found += [compile_query(inner, context) for inner in node.nodes if not isinstance(inner, Text)]
    return reduce(and_, found)


def is_indexed(node: Node | None) -> bool:
    """Whether indexes find the jobs of the query, however many others there are."""
    return all(
        isinstance(term, Text) or (isinstance(term, Filter) and _is_indexed(term))
        for term in terms_of(node)
    )


def _is_indexed(given: Filter) -> bool:
    is_exact = given.key == "error" or not any(value.is_prefix for value in given.values)
    return KEYS[given.key].is_indexed and is_exact


def follows_status(node: Node | None) -> bool:
    """Whether jobs come to fit the query as their status changes."""
    return any(isinstance(leaf, Filter) and KEYS[leaf.key].follows_status for leaf in leaves(node))

"""Reads the text of a query into its tree.

query   one of the alternatives, which OR divides
each    terms that all hold, with or without AND between them
term    a word, "a phrase", key:value,value, or a query in parentheses; behind - or NOT: not
"""

from jobs.query.language.scanner import IN_QUOTES, Scanner, Token
from jobs.query.language.tree import Filter, Node, Not, Or, QueryError, join

MAX_LENGTH = 2_000
MAX_TERMS = 100
MAX_LEVELS = 5


def parse(text: str) -> Node | None:
    """The tree of `text`; None where it says nothing. Raises QueryError, and nothing else."""
    if len(text) > MAX_LENGTH:
        message = f"Use at most {MAX_LENGTH:,} characters."
        raise QueryError(message, MAX_LENGTH, len(text))
    tokens = list(Scanner(text).tokens())
    _check_size(tokens)
    return _Parser(tokens, len(text)).read()


def _check_size(tokens: list[Token]) -> None:
    """Refuse too many terms, of which each value is one."""
    terms = 0
    for token in tokens:
        if token.node is not None:
            terms += len(token.node.values) if isinstance(token.node, Filter) else 1
        if terms > MAX_TERMS:
            message = f"Use at most {MAX_TERMS} words and values."
            raise QueryError(message, token.start, token.end)


class _Parser:
    """Recursive descent; parentheses alone recurse, no deeper than MAX_LEVELS."""

    def __init__(self, tokens: list[Token], length: int) -> None:
        self.tokens = [*tokens, Token("end", length, length)]
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def read(self) -> Node | None:
        if self.token.kind == "end":
            return None
        node = self._alternatives(0)
        if self.token.kind == ")":
            raise self._error(f"This parenthesis closes nothing. {IN_QUOTES}", self.token)
        return node

    def _alternatives(self, level: int) -> Node:
        nodes = [self._all(level)]
        while self.token.kind == "OR":
            self.at += 1
            nodes.append(self._all(level))
        if len(nodes) == 1:
            return nodes[0]
        return Or(tuple(one for node in nodes for one in _alternatives_of(node)))

    def _all(self, level: int) -> Node:
        nodes = [self._term(level)]
        while self.token.kind not in ("OR", ")", "end"):
            if self.token.kind == "AND":
                self.at += 1
            nodes.append(self._term(level))
        return join(nodes) or nodes[0]

    def _term(self, level: int) -> Node:
        is_negated = False
        while self.token.kind == "-":
            is_negated = not is_negated
            self.at += 1
        token = self.token
        if token.kind == "(":
            node = self._group(level + 1)
        elif token.node is not None:
            self.at += 1
            node = token.node
        else:
            error = self._missing(token)
            error.is_unfinished = token.kind == "end"
            raise error
        if not is_negated:
            return node
        return node.node if isinstance(node, Not) else Not(node)

    def _group(self, level: int) -> Node:
        opening = self.token
        if level > MAX_LEVELS:
            message = f"Use at most {MAX_LEVELS} levels of parentheses."
            raise self._error(message, opening)
        self.at += 1
        node = self._alternatives(level)
        if self.token.kind != ")":
            message = f"This parenthesis is never closed. {IN_QUOTES}"
            raise QueryError(message, opening.start, opening.end, is_unfinished=True)
        self.at += 1
        return node

    def _missing(self, token: Token) -> QueryError:
        """Something must stand where `token` is, or before it."""
        before = self.tokens[self.at - 1] if self.at else token
        if token.kind in ("OR", "AND"):
            return self._error(f"{token.kind} needs a term on both sides. {IN_QUOTES}", token)
        if before.kind in ("OR", "AND"):
            return self._error(f"{before.kind} needs a term on both sides. {IN_QUOTES}", before)
        if before.kind == "-":
            return self._error("Nothing follows that could be excluded.", before)
        if token.kind == ")" and before.kind != "(":
            return self._error(f"This parenthesis closes nothing. {IN_QUOTES}", token)
        return self._error("Nothing is between these parentheses.", before)

    def _error(self, message: str, token: Token) -> QueryError:
        return QueryError(message, token.start, token.end)


def _alternatives_of(node: Node) -> tuple[Node, ...]:
    return node.nodes if isinstance(node, Or) else (node,)

"""What a query says, as a tree. Places in the text are kept for messages and do not compare."""

from collections.abc import Iterator
from dataclasses import dataclass, field


class QueryError(Exception):
    """A query that cannot be read; `start` and `end` say where in its text.

    `suggestion` is what the person may have meant to write there, or empty. `is_unfinished`: more
    text could make it right.
    """

    def __init__(
        self,
        message: str,
        start: int,
        end: int,
        suggestion: str = "",
        *,
        is_unfinished: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.suggestion = suggestion
        self.is_unfinished = is_unfinished

    def __str__(self) -> str:
        meant = f" Did you mean {self.suggestion}?" if self.suggestion else ""
        return f"At character {self.start + 1}: {self.message}{meant}"


@dataclass(frozen=True, slots=True)
class Text:
    """A word or a phrase to search for."""

    text: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Value:
    """One value behind a key.

    `operator` is empty, one of > >= < <=, or `..` for a range from `text` to `upper`, of which one
    may be empty. `is_prefix`: it was followed by `*`.
    """

    text: str
    operator: str = ""
    upper: str = ""
    is_prefix: bool = False
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def error(self, message: str, suggestion: str = "") -> QueryError:
        return QueryError(message, self.start, self.end, suggestion)


@dataclass(frozen=True, slots=True)
class Filter:
    """A key with its values, of which any may fit."""

    key: str
    values: tuple[Value, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    node: "Node"


@dataclass(frozen=True, slots=True)
class And:
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    nodes: tuple["Node", ...]


Node = Text | Filter | Not | And | Or


def join(nodes: list[Node]) -> Node | None:
    """All of `nodes` together; None for none. An And among them is dissolved."""
    flat = [inner for node in nodes for inner in terms_of(node)]
    if len(flat) < 2:
        return flat[0] if flat else None
    return And(tuple(flat))


def terms_of(node: Node | None) -> tuple[Node, ...]:
    """The terms that must all hold."""
    if isinstance(node, And):
        return node.nodes
    return () if node is None else (node,)


def leaves(node: Node | None) -> Iterator[Text | Filter]:
    """Every word and filter of the tree, wherever it stands."""
    match node:
        case Text() | Filter():
            yield node
        case Not():
            yield from leaves(node.node)
        case And() | Or():
            for inner in node.nodes:
                yield from leaves(inner)

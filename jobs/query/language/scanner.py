"""Splits the text of a query into tokens, each with its place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from jobs.query.language.keys import KEYS
from jobs.query.language.tree import Filter, QueryError, Text, Value

QUOTES = '"“”„‟″＂'
WORDS = ("OR", "AND", "NOT")
IN_QUOTES = "To search for the text, put it in quotes."

# What copied text carries along unseen: soft hyphens, joiners, marks of direction and byte order
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# `c:\` is no key either
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|[a-z]:[\\/]", re.IGNORECASE | re.ASCII)
_KEY = re.compile(r"([a-z][a-z_]*):", re.IGNORECASE | re.ASCII)
_OPERATOR = re.compile(r"[<>]=?")
_ESCAPED = re.compile(rf"\\([\\{QUOTES}])")
_PHRASE = re.compile(rf"[{QUOTES}]((?:\\[\\{QUOTES}]|\\(?![\\{QUOTES}])|[^\\{QUOTES}])*)[{QUOTES}]")


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is `(`, `)`, `-`, `OR`, `AND`, or `term` with its `node`."""

    kind: str
    start: int
    end: int
    node: Text | Filter | None = None


class Scanner:
    """Reads one text from left to right. Raises QueryError."""

    def __init__(self, text: str) -> None:
        # `places` leads back to where each character is in the text as given
        self.places = [at for at, char in enumerate(text) if not _INVISIBLE.match(char)]
        self.text = "".join(" " if text[at].isspace() else text[at] for at in self.places)
        self.places.append(len(text))
        self.at = 0
        if found := _CONTROL.search(self.text):
            raise self._error("Remove the control characters.", found.start(), found.end())

    def tokens(self) -> Iterator[Token]:
        while (token := self._next()) is not None:
            is_blank = isinstance(token.node, Text) and not token.node.text.strip()
            if not is_blank:
                yield token

    def _next(self) -> Token | None:
        self._skip()
        start, char = self.at, self.text[self.at : self.at + 1]
        if not char:
            return None
        if char in "()" or (char == "-" and not self.text.startswith("--", self.at)):
            self.at += 1
            return self._token(char, start)
        if char in QUOTES:
            return self._term(Text(self._phrase()), start)
        if _URL.match(self.text, self.at):
            return self._term(Text(self._bare(" ").rstrip(",")), start)
        if found := _KEY.match(self.text, self.at):
            return self._term(self._filter(found), start)
        word = self._bare(" ,")
        if word in WORDS:
            return self._token("-" if word == "NOT" else word, start)
        # a word is found within others anyway
        return self._term(Text(word[:-1] if word.endswith("*") and word != "*" else word), start)

    def _skip(self) -> None:
        """Pass blanks, stray commas, and hyphens that belong to nothing."""
        while char := self.text[self.at : self.at + 1]:
            is_lone = char == "-" and self.text[self.at + 1 : self.at + 2] in ("", " ", ",", ")")
            if char not in " ," and not is_lone:
                return
            self.at += 1

    def _phrase(self) -> str:
        """The text between quotation marks, in which a backslash comes before such marks."""
        found = _PHRASE.match(self.text, self.at)
        if found is None:
            error = self._error("This quotation mark is never closed.", self.at, self.at + 1)
            error.is_unfinished = True
            raise error
        self.at = found.end()
        return _ESCAPED.sub(r"\1", found[1])

    def _bare(self, ends: str) -> str:
        """Characters up to one of `ends`, or to a parenthesis that was not opened among them."""
        start, depth = self.at, 0
        while self.at < len(self.text) and (char := self.text[self.at]) not in ends:
            depth += (char == "(") - (char == ")")
            if depth < 0:
                break
            self.at += 1
        return self.text[start : self.at]

    def _filter(self, found: re.Match[str]) -> Filter:
        name = found[1].lower()
        if name not in KEYS:
            near = get_close_matches(name, KEYS, 1)
            message = f"There is no key “{found[1]}”." + ("" if near else f" {IN_QUOTES}")
            raise self._error(message, found.start(), found.end() - 1, *near)
        self.at = found.end()
        values = tuple(self._values(KEYS[name].is_range))
        if not values:
            message = f"“{name}:” has no value. Write for example {KEYS[name].example}."
            raise self._error(message, found.start(), found.end())
        return Filter(name, values)

    def _values(self, is_range: bool) -> Iterator[Value]:
        is_next = True
        while is_next and self.text[self.at : self.at + 1] not in ("", " ", ")"):
            if self.text[self.at] != ",":
                yield self._value(is_range)
            is_next = self.text.startswith(",", self.at)
            self.at += is_next

    def _value(self, is_range: bool) -> Value:
        start = self.at
        operator, text, upper, is_prefix = "", "", "", False
        if is_range and (found := _OPERATOR.match(self.text, self.at)):
            operator, self.at = found[0], found.end()
        char = self.text[self.at : self.at + 1]
        if char and char in QUOTES:
            text = self._phrase()
            if not is_range and self.text[self.at : self.at + 1] == "*":
                is_prefix, self.at = True, self.at + 1
        else:
            text = self._bare(" ,")
            if not is_range and text.endswith("*"):
                is_prefix, text = True, text[:-1]
            elif is_range and not operator and ".." in text:
                operator = ".."
                text, _, upper = text.partition("..")
        if not (text or upper or is_prefix):
            raise self._error("A value is missing here.", start, self.at)
        return Value(text, operator, upper, is_prefix, *self._place(start, self.at))

    def _token(self, kind: str, start: int) -> Token:
        return Token(kind, *self._place(start, self.at))

    def _term(self, node: Text | Filter, start: int) -> Token:
        first, last = self._place(start, self.at)
        return Token("term", first, last, replace(node, start=first, end=last))

    def _error(self, message: str, start: int, end: int, suggestion: str = "") -> QueryError:
        return QueryError(message, *self._place(start, end), suggestion)

    def _place(self, start: int, end: int) -> tuple[int, int]:
        return self.places[start], self.places[end - 1] + 1

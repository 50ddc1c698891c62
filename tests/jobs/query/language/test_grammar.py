"""How a query is read: its terms, what it refuses and where, and that it can be written again."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.query.language.grammar import MAX_LENGTH, MAX_TERMS, parse
from jobs.query.language.keys import KEYS
from jobs.query.language.tree import And, Filter, Node, Not, Or, QueryError, Text, Value
from jobs.query.language.write import write


def all_of(*nodes: Node) -> And:
    return And(nodes)


def any_of(*nodes: Node) -> Or:
    return Or(nodes)


def has(key: str, *values: str | Value) -> Filter:
    return Filter(key, tuple(Value(one) if isinstance(one, str) else one for one in values))


A, B, C = Text("a"), Text("b"), Text("c")
FAILED = has("status", "failed")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        ("  ,, - \t\n\u200b\ufeff ", None),
        ("''", Text("''")),
        ('""', None),
        ("a", A),
        ("a b", all_of(A, B)),
        ("a AND b", all_of(A, B)),
        ("a, b,", all_of(A, B)),
        ("101,102", all_of(Text("101"), Text("102"))),
        ("#101", Text("#101")),
        ("a OR b c", any_of(A, all_of(B, C))),
        ("a (b OR c)", all_of(A, any_of(B, C))),
        ("((a)) (b (c))", all_of(A, B, C)),
        ("a OR (b OR c)", any_of(A, B, C)),
        ("or and not", all_of(Text("or"), Text("and"), Text("not"))),
        ("-a", Not(A)),
        ("NOT a -(b OR c)", all_of(Not(A), Not(any_of(B, C)))),
        ("NOT -a -(-b)", all_of(A, B)),
        ("a - b", all_of(A, B)),
        ("--a", Text("--a")),
        ("a-b", Text("a-b")),
        ('"a b"', Text("a b")),
        ("“a b” „c“", all_of(Text("a b"), C)),
        (r'"5\" \\ \x"', Text(r'5" \ \x')),
        ('5"disk', Text('5"disk')),
        ("don’t", Text("don’t")),
        ("a\u200bb \ufeffstatus:failed", all_of(Text("ab"), FAILED)),
        ("lecture*", Text("lecture")),
        ('"lecture*" *', all_of(Text("lecture*"), Text("*"))),
        ("tape 3 (50%).mov", all_of(Text("tape"), Text("3"), Text("50%"), Text(".mov"))),
        ("tape(3).mov", Text("tape(3).mov")),
        ("(tape(3))", Text("tape(3)")),
        ("https://app.example/jobs/102?a=b,c,", Text("https://app.example/jobs/102?a=b,c")),
        ("(s3://a/status:failed)", Text("s3://a/status:failed")),
        (r"C:\films\a", Text(r"C:\films\a")),
        ("12:30 x.y:z", all_of(Text("12:30"), Text("x.y:z"))),
        ("status:failed", FAILED),
        ("Status:failed", FAILED),
        ("status:failed,queued", has("status", "failed", "queued")),
        ("status:failed,,", FAILED),
        ("status:failed, a", all_of(FAILED, A)),
        ("(status:failed)", FAILED),
        ("-status:failed", Not(FAILED)),
        ("error:input.*", has("error", Value("input.", is_prefix=True))),
        ('account:"EU main"', has("account", "EU main")),
        ('account:“EU main”,"x"', has("account", "EU main", "x")),
        ('name:"a b"*', has("name", Value("a b", is_prefix=True))),
        ('name:"c*"', has("name", "c*")),
        ("by:token:nightly", has("by", "token:nightly")),
        ("file:https://a.example/b", has("file", "https://a.example/b")),
        ("created:>2d", has("created", Value("2d", ">"))),
        ("ran:>=20m,<1s", has("ran", Value("20m", ">="), Value("1s", "<"))),
        ("created:7d..2d", has("created", Value("7d", "..", "2d"))),
        ("created:..2d", has("created", Value("", "..", "2d"))),
        ('created:>"2026-03-14 12:00"', has("created", Value("2026-03-14 12:00", ">"))),
        ("name:>a..b", has("name", ">a..b")),
        ('name:"a"b', all_of(has("name", "a"), B)),
    ],
)  # fmt: skip
def test_reads(text: str, tree: Node | None) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("a provder:x", "provder", "There is no key “provder”"),
        ("\ufeffa zzz:x", "zzz", "put it in quotes"),
        ("status:", "status:", "“status:” has no value. Write for example status:failed."),
        ("status: failed", "status:", "has no value"),
        ("(status:)", "status:", "has no value"),
        ("created:>", ">", "A value is missing"),
        ('name:"" a', '""', "A value is missing"),
        ('a "b c', '"', "This quotation mark is never closed."),
        ("a (b", "(", "This parenthesis is never closed."),
        ("a) b", ")", "This parenthesis closes nothing."),
        ("a ()", "(", "Nothing is between these parentheses."),
        ("OR a", "OR", "OR needs a term on both sides."),
        ("a AND", "AND", "AND needs a term on both sides."),
        ("(a OR) b", "OR", "OR needs a term on both sides."),
        ("a NOT", "NOT", "Nothing follows"),
        ("((((((a))))))", "(", "Use at most 5 levels of parentheses."),
        ("a\x00b", "\x00", "Remove the control characters."),
        ("a " * MAX_TERMS + "last", "last", "Use at most 100 words and values."),
        ("id:" + "1," * 101, "id:" + "1," * 101, "Use at most 100 words and values."),
        ("x" * MAX_LENGTH + "end", "end", "Use at most 2,000 characters."),
    ],
)
def test_refuses_and_says_where(text: str, marked: str, message: str) -> None:
    with pytest.raises(QueryError, match=re.escape(message)) as refused:
        parse(text)
    assert text[refused.value.start : refused.value.end] == marked


def test_the_nearest_key_is_suggested() -> None:
    with pytest.raises(QueryError, match="At character 3: .* Did you mean provider?"):
        parse("a provder:x")


_PIECES = st.sampled_from(
    [*'()"“”-,:*<>.# \\é', "OR", "AND", "NOT", " ", "..", "2d", "\u200b", "\ufeff", "\x00", "//"]
    + [f"{key}:" for key in KEYS]
)  # fmt: skip


@given(st.text(max_size=60) | st.lists(_PIECES | st.text(max_size=3), max_size=25).map("".join))
@example('"a\\')
@example('"' + "\\" * 60)
@example("(a OR foo(")
def test_any_text_is_read_and_written_again_or_refused_at_a_place(text: str) -> None:
    tree, refused = None, None
    try:
        tree = parse(text)
    except QueryError as error:
        refused = error
    assert refused is None or 0 <= refused.start <= refused.end <= len(text)
    assert parse(write(tree)) == tree

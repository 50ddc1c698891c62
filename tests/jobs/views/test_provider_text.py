"""Text that a provider chose is isolated, bounded and visible, in every template."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.template import Engine
from django.template.base import VariableNode

from jobs.display.job_row import JobRow, label_account
from jobs.display.provider_text import copyable, provider_text, visible
from jobs.models import ProviderAccount
from providers.core.status import JobStatus
from tests.jobs.factories import NOON, make_job

TEMPLATES = settings.BASE_DIR / "templates"
SAFE = {
    "provider_text", "visible", "copyable", "mark_redacted", "urlencode", "version_mark",
    "end_explanation", "error_title", "stuck_mark",
}  # fmt: skip
# what prints itself as its name, its label or its provider's id
ROWS = {"job", "output", "preset", "account", "delivery", "event", "of", "one", "double"}
# what is called like a column, and is text of ours
OURS = {
    "access.role", "field", "row.field", "form.test", "form.account", "form.send_field",
    "form.thumbnails", "form.template",
    "form.thumbnails_by", "form.email", "form.password", "column.role",
    "again_form.send_again", "action", "state", "menu", "choice", "chip", "time_column", "tab",
    "retried",
    "phase", "row.length", "row.mark", "search", "group.known", "error.class", "note", "deviation",
    "filters.ordering",
    "cell", "chart", "figure", "larger", "line", "series", "span", "table", "part",
}  # fmt: skip
# a link that the adapter made: `https://` and the id, percent-encoded
LINKS = {"job.console_url"}
# made by us of what is ours: URLs of the board, and what an action is called
MADE = {
    "asked.kind",
    # as its person typed it, sent back by the form
    "asked.query",
    "row.url",
    "tabs.5.url",
    "row.label",
    "alternative.url",
    "entry.label",
    "link.url",
    "place.url",
    "cause.url",
    "need.figure.url",
    "time_left.text",
    "figure.url",
    "notices.fingerprint",
    "need.mark.label",
    "form.sort",
    "form.template",
    "form.key",
    "form.columns",
}
# rows make it ready to be printed: see below
READY = {"row.remote_id", "row.file", "row.error.name", "row.error.message"}


def text_columns() -> set[str]:
    kinds = models.CharField | models.TextField | models.JSONField
    return {
        field.name
        for model in apps.get_app_config("jobs").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, kinds) and not field.choices
    }


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_prints_a_providers_text_as_it_is(path: Path) -> None:
    template = Engine.get_default().get_template(str(path.relative_to(TEMPLATES)))
    columns = text_columns()
    for node in template.nodelist.get_nodes_by_type(VariableNode):
        assert isinstance(node, VariableNode)
        expression = node.filter_expression
        name = getattr(expression.var, "var", "")
        holder, dot, column = str(name).rpartition(".")
        is_column = bool(dot) and column in columns and holder not in OURS
        is_column &= name not in LINKS | MADE | READY
        if is_column or name in ROWS:
            filters = {function.__name__ for function, _ in expression.filters}
            assert filters & SAFE, f"{{{{ {expression.token} }}}}"


def test_what_rows_make_ready_is_as_templates_would_print_it(account: ProviderAccount) -> None:
    odd = "a\u202e<b>"
    account.name = odd
    job = make_job(
        account, remote_id=odd, input_url=f"https://h/{odd}.mov", status=JobStatus.FAILED,
        error_class=odd, error_message=odd,
    )  # fmt: skip
    row = JobRow.of(job, NOON)
    assert row.error
    assert {row.remote_id, row.error.name, row.error.message} == {provider_text(odd)}
    assert row.file == provider_text(f"{odd}.mov")
    assert row.account.title == visible(odd)
    named = f'{provider_text("Zencoder")} <span class="account-label">{provider_text(odd)}</span>'
    assert row.account.html == named


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Zencoder main", ["Zencoder", "main"]),
        ("Main Zencoder", ["Main Zencoder"]),
        ("Zencoder", ["Zencoder"]),
        ("EU", ["Zencoder", "EU"]),
    ],
)
def test_an_account_is_named_after_its_provider_once(name: str, shown: list[str]) -> None:
    html = label_account(name, "Zencoder").html
    assert re.findall(r"<bdi>(.*?)</bdi>", html) == shown


def test_what_is_long_is_cut_and_whole_in_the_tooltip() -> None:
    text = "a" * 10_000
    assert provider_text(text) == f'<bdi title="{text}">{text[:500]}…</bdi>'
    assert len(provider_text("b" * 200_000)) < 11_000
    assert provider_text("short") == "<bdi>short</bdi>"
    assert provider_text("") == provider_text(None) == ""


def test_control_and_direction_characters_are_visible() -> None:
    assert provider_text("a\u202e<b>\x1b") == r"<bdi>a\u202e&lt;b&gt;\u001b</bdi>"
    assert visible("\u2066x\u200f\u061c\x7f\x85\u2028") == r"\u2066x\u200f\u061c\u007f\u0085\u2028"
    assert visible("two\r\nlines\tand\n") == "two\nlines\tand\n"
    assert visible("zwj 👩\u200d💻 é عربي") == "zwj 👩\u200d💻 é عربي"


def test_a_copied_url_still_leads_to_the_file() -> None:
    assert copyable("https://h/a\u202eb.mp4") == "https://h/a%E2%80%AEb.mp4"
    assert copyable("a\u202eb") == r"a\u202eb"

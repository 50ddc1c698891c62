"""Every place that a secret could come out of."""

import json
import logging.config
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO

from django.apps import apps
from django.db import connection
from django.urls import NoReverseMatch, reverse

from dashboard.logging import logging_config
from jobs.models import JobBody


@contextmanager
def whole_log() -> Iterator[StringIO]:
    """What a production worker would print meanwhile, everything included."""
    stream = StringIO()
    config = logging_config("json", "DEBUG")
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    try:
        yield stream
    finally:
        logging.config.dictConfig(logging_config("console", "WARNING"))


def stored_rows() -> Iterator[tuple[str, str]]:
    """Every row of every table as the database holds it, bodies unpacked."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of internal tables
            for row in cursor.fetchall():
                yield table, repr(row)
    for body in JobBody.objects.all():
        yield "job bodies", json.dumps(body.value, ensure_ascii=False)


def admin_pages() -> list[str]:
    """The list of each model, and the pages of its first row and its last two."""
    found = []
    for app in ("jobs", "organizations"):
        for model in apps.get_app_config(app).get_models():
            name = f"admin:{app}_{model._meta.model_name}"
            try:
                found.append(reverse(f"{name}_changelist"))
            except NoReverseMatch:  # a model that the admin leaves out
                continue
            rows = list(model._default_manager.order_by("pk").values_list("pk", flat=True))
            found += [reverse(f"{name}_change", args=[pk]) for pk in {*rows[:1], *rows[-2:]}]
    return found


def leaks(text: str, secrets: Iterable[str]) -> list[str]:
    """The text around each of the secrets in `text`."""
    found = re.finditer("|".join(map(re.escape, secrets)), text)
    return [text[max(one.start() - 60, 0) : one.start() + 40] for one in found]

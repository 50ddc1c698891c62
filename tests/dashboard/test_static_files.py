import re

from django.contrib import admin
from django.contrib.staticfiles.finders import get_finders
from django.test import override_settings

from dashboard.static_files import StaticFiles


@override_settings(DEBUG=False)
def test_every_file_that_the_admin_asks_for_is_collected() -> None:
    """Its forms and lists choose files in code; our own templates name theirs."""
    media = " ".join(str(model_admin.media) for model_admin in admin.site._registry.values())
    asked_for = set(re.findall(r'="/static/([^"]+)"', media))
    collected = {
        path for finder in get_finders() for path, _ in finder.list(StaticFiles.ignore_patterns)
    }
    assert len(asked_for) > 5
    assert asked_for <= collected
    assert "django_htmx/htmx-2.min.js" in collected
    assert not [path for path in collected if "redoc" in path]

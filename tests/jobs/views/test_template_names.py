"""Templates and static files are found by the name of the view or the URL that uses them."""

from pathlib import Path

from django.conf import settings
from django.urls import get_resolver

ROOT = Path(settings.BASE_DIR)
VIEWS = {path.stem for path in (ROOT / "jobs" / "views").rglob("*.py")} | {"accounts", "settings"}
# those of insights, by the folders of their templates
VIEWS |= {path.name for path in (ROOT / "templates" / "insights").iterdir()}
FOLDERS = [path for path in (ROOT / "templates" / "jobs").iterdir() if path.is_dir()]
# what views answer that have no page: of a job's files without a URL to send the browser on to, and
# of an export while another is in progress
ANSWERS = {"no_link", "open_elsewhere", "busy"}
# what several views share
SHARED = {"board", "keys", "page", "theme", "time", "toolbar", "zone"}
# the pages of django-allauth
SIGN_IN = {"passkeys"}


def url_names() -> set[str]:
    _, resolver = get_resolver().namespace_dict["jobs"]
    return {name for name in resolver.reverse_dict if isinstance(name, str)}


def test_each_folder_of_templates_is_named_after_a_view() -> None:
    assert {folder.name for folder in FOLDERS} - VIEWS == {"shared"}


def test_the_template_of_a_page_has_its_urls_name() -> None:
    pages = {path.stem for folder in FOLDERS for path in folder.glob("[!_]*.html")}
    assert pages - ANSWERS - url_names() == set()


def test_styles_and_scripts_are_named_after_a_view() -> None:
    files = [*(ROOT / "static" / "css").iterdir(), *(ROOT / "static" / "js").iterdir()]
    assert {path.stem for path in files} - VIEWS == SHARED | SIGN_IN

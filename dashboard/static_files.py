from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    # What packages bring and no page asks for: to compress it would take as long as all the rest.
    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        *("redoc*", "htmax-*", "htmx-*-4*", "htmx-4*", "hx-*", "htmx-2.js"),
        *("jquery.js", "select2.full.js", "xregexp.js"),
    ]

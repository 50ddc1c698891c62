"""Reading pages in tests."""

import re


def without_isolation(html: str) -> str:
    """`html` without the elements that isolate the text of providers."""
    return re.sub(r"</?bdi[^>]*>", "", html)

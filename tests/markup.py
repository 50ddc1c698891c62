"""Reading pages in tests."""

import re
from html.parser import HTMLParser


def without_isolation(html: str) -> str:
    """`html` without the elements that isolate the text of providers."""
    return re.sub(r"</?bdi[^>]*>", "", html)


# Elements whose text is isolated from what is around them, or holds no elements.
ISOLATING = {"bdi", "pre", "textarea", "option", "title"}
VOID = {"meta", "link", "input", "img", "br", "hr", "use", "path", "source", "rect", "col"}
# what is sent back as it was typed, and what is percent-encoded
NOT_READ = {"value", "href", "src", "action", "hx-get", "hx-post"}


class Printed(HTMLParser):
    """What a reader sees of a page: its texts, and the attributes that are shown or read out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        # texts outside of isolating elements
        self.bare: list[str] = []
        self.shown: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shown += [value for name, value in attrs if value and name not in NOT_READ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, text: str) -> None:
        if "textarea" in self.open:
            return
        self.shown.append(text)
        if not ISOLATING & set(self.open):
            self.bare.append(text)

"""The sandbox's own page: what this is, clips to copy, and a place for own files."""

from html import escape
from pathlib import Path
from string import Template

from sandbox.encoding.clips import DESCRIPTIONS
from sandbox.http.media import MediaLibrary
from sandbox.http.web import Request, Response, html_response, json_response

PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
ROW = '<tr><td><a href="{url}"><code>{url}</code></a></td><td>{text}</td></tr>'


def show_start(media: MediaLibrary, api_urls: list[str], uploaded: str = "") -> Response:
    clips = [(media.input_url(name), text) for name, text in DESCRIPTIONS.items()]
    rows = "\n".join(ROW.format(url=escape(url), text=escape(text)) for url, text in clips)
    apis = "\n".join(f"<li><code>{escape(url)}</code></li>" for url in api_urls)
    note = ""
    if uploaded:
        url = escape(media.input_url(uploaded))
        note = f'<p class="done">Your file is at <a href="{url}"><code>{url}</code></a></p>'
    return html_response(200, PAGE.substitute(apis=apis, clips=rows, note=note))


def take_upload(media: MediaLibrary, request: Request, api_urls: list[str]) -> Response:
    """The URL as JSON, or on the page for a browser."""
    name = media.accept_upload(request)
    if isinstance(name, Response):
        return name
    if "text/html" in request.headers.get("accept", ""):
        return show_start(media, api_urls, uploaded=name)
    return json_response(201, {"url": media.input_url(name)})

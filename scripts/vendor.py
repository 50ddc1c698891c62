"""Bring the front-end files that vendor.json pins into the tree: `make vendor`.

Packages come through npm, and one whose hash is not the pinned one is refused. Files are taken
as they are, but for the source-map comment at their end: the maps are not shipped, and hashed
static files cannot be built with a comment that leads nowhere. Of the icons only those that
vendor.json names are kept, as one sprite.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINS = Path(__file__).with_name("vendor.json")
SOURCE_MAP = re.compile(rb"\s*(//|/\*)# sourceMappingURL=\S+( ?\*/)?\s*\Z")
DRAWING = re.compile(r"<svg[^>]*>(?P<shapes>.*)</svg>", re.DOTALL)
# The box that every icon is drawn in; it shows nothing
BOX = '<path stroke="none" d="M0 0h24v24H0z" fill="none" />'


def fetch(package: dict[str, Any], folder: Path) -> Path:
    """The package's archive, once its hash is the pinned one."""
    answer = subprocess.run(
        ["npm", "pack", "--json", f"{package['name']}@{package['version']}"],  # noqa: S607 - npm is where the developer has it
        cwd=folder,
        check=True,
        capture_output=True,
    )
    archive = folder / json.loads(answer.stdout)[0]["filename"]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package["integrity"]:
        sys.exit(f"{package['name']} {package['version']} is not the file that was pinned.")
    return archive


def read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        sys.exit(f"{name} is no file of this package.")
    return member.read()


def write(path: str, content: bytes) -> None:
    target = ROOT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    print(f"{len(content):>8,}  {path}")


def sprite(archive: tarfile.TarFile, names: list[str]) -> bytes:
    """One SVG of symbols; colour and stroke come from the place that uses them."""
    symbols = []
    for name in sorted(names):
        drawing = DRAWING.search(read(archive, f"icons/outline/{name}.svg").decode())
        if drawing is None:
            sys.exit(f"The icon {name} is not drawn as expected.")
        shapes = "".join(line.strip() for line in drawing["shapes"].replace(BOX, "").splitlines())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    body = "\n".join(symbols)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'.encode()


def main() -> None:
    pins = json.loads(PINS.read_text())
    with tempfile.TemporaryDirectory() as folder:
        for package in pins["packages"]:
            with tarfile.open(fetch(package, Path(folder))) as archive:
                for name, path in package["files"].items():
                    write(path, SOURCE_MAP.sub(b"\n", read(archive, name)))
                if "sprite" in package:
                    write(package["sprite"], sprite(archive, pins["icons"]))


if __name__ == "__main__":
    main()

"""The made-up provider's part in the contract suite."""

from typing import Any

from providers.core.errors import AuthRefused, Conflict, NotFound, Outage, Rejected
from providers.core.types import JobRequest, Rendition
from tests.providers.cases.shape import Cases, Refusal, Wire
from tests.providers.lantern import Lantern

BASE_URL = "https://api.lantern.example/v3"
REQUEST = JobRequest("https://in.example.com/reef.mov", renditions=(Rendition("mp4", (240, 360)),))


def body(
    number: int, glow: str, beams: tuple[str, str] = ("unlit", "unlit"), **reported: Any
) -> Any:
    return {
        "lamp": number,
        "glow": glow,
        "oil": f"https://keeper:canary@in.example.com/reef-{number}.mov",
        "lit_at": f"2026-05-04T08:{number % 60:02}:00+02:00",
        "burns_for": 95.5,
        "note": "desk=news",
        "beams": [
            {
                "beam": 10 * number + place,
                "glow": label,
                "height": (240, 360)[place],
                "burns_for": "95.25" if label == "bright" else None,
                "shines_at": f"https://cdn.example.com/{number}-{place}.mp4?token=canary",
            }
            for place, label in enumerate(beams)
        ],
        **reported,
    }


CREATED = body(9, "unlit", note="text of the customer rb:0123456789abcdef0123456789abcdef")

CASES = Cases(
    provider=Lantern,
    base_url=BASE_URL,
    credentials={"wick": "canary-wick"},
    options={},
    jobs={
        "unlit": (body(1, "unlit"), "queued"),
        "burning": (body(2, "Burning", ("bright", "burning")), "running"),
        "bright": (
            body(3, "bright", ("bright", "bright"), out_at="2026-05-04T09:00:00Z"),
            "succeeded",
        ),
        "blown out": (
            body(4, "blown_out", ("bright", "blown_out"), code="E-WIND", why="token=canary is out"),
            "failed",
        ),
        "snuffed": (body(5, "snuffed", ("bright", "snuffed")), "cancelled"),
    },
    list_path="/lamps",
    wrap_list=lambda bodies: {"lamps": bodies, "next": None},
    read=lambda body: (Wire("GET", f"/lamps/{body['lamp']}", json=body),),
    set_status=lambda body, label: {**body, "glow": label},
    request=REQUEST,
    created=Wire("POST", "/lamps", 201, json=CREATED),
    refusals=(
        Refusal(
            Wire("GET", "/lamps", 401, json={}),
            lambda adapter: list(adapter.list_jobs()),
            AuthRefused,
            "auth.refused",
        ),
        Refusal(
            Wire("GET", "/lamps/77", 404, json={}),
            lambda adapter: adapter.get_job("77"),
            NotFound,
            "unknown",
        ),
        Refusal(
            Wire("DELETE", "/lamps/77", 409, json={}),
            lambda adapter: adapter.cancel("77"),
            Conflict,
            "unknown",
        ),
        Refusal(
            Wire("POST", "/lamps", 422, json={"errors": ["No oil."]}),
            lambda adapter: adapter.submit(REQUEST, "k" * 32),
            Rejected,
            "settings.invalid",
        ),
        Refusal(
            Wire("POST", "/lamps", 503, body=""),
            lambda adapter: adapter.submit(REQUEST, "k" * 32),
            Outage,
            "provider.outage",
            transient=True,
            ambiguous=True,
        ),
    ),
)

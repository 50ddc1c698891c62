"""Names of seeded inputs: plain ones, and those that break a careless page."""

FOLDERS = ("incoming", "2026/spring", "desk/evening", "archive/tape-transfers", "marketing")

NAMES = (
    "harbour-at-dawn",
    "council-meeting",
    "interview_minister_v3",
    "match-highlights",
    "weather-front",
    "product-launch-keynote",
    "Episode 07 FINAL",
    "drone_coastline_4k",
    "school-play",
    "train-cab-ride",
    "recipe-lentil-soup",
    "lecture-optics-02",
    "concert-encore",
    "press-briefing",
    "safety-training",
    "trailer_teaser_b",
)

_BASE = "https://media.example.com/incoming"

ODD_INPUTS = (
    f"{_BASE}/<script>alert(1)</script>.mov",
    f'{_BASE}/"><img src=x onerror=alert(2)>.mp4',
    f"{_BASE}/{{{{ 7*7 }}}}-${{7*7}}-%25s.mp4",
    f"{_BASE}/'; DROP TABLE jobs;--.mov",
    f"{_BASE}/東京の夜景-第3話-最終版.mov",
    f"{_BASE}/مقابلة-الوزير-النهائية.mp4",
    f"{_BASE}/ראיון-עם-השר.mp4",
    f"{_BASE}/Отчёт-за-март.mxf",
    f"{_BASE}/สัมภาษณ์พิเศษ.mp4",
    f"{_BASE}/🎬-premiere-👩‍👩‍👧-🇯🇵.mp4",
    f"{_BASE}/cafe\u0301-Z\u0351\u036b\u0343alto\u0308-naive\u0308.mov",
    f"{_BASE}/invoice\u202egpj.mp4",
    f"{_BASE}/" + "a-very-long-name-without-an-end-" * 6 + "cut.mov",
    f"{_BASE}/" + "Supercalifragilistic" * 9 + ".mp4",
    f"{_BASE}/name%20with%20blanks%20%26%20signs%20%2B%20more.mp4",
    f"{_BASE}/no-extension",
    f"{_BASE}/.mov",
    "ftp://studio:hunter2-sandbox@ftp.example.com/rushes/day%2004/A001_C003.mov",
    "sftp://uploader:s3cr3t%40sandbox@files.example.com:2222/in/reel.mxf",
    "https://ingest-studio.s3.amazonaws.com/reel.mov?AWSAccessKeyId=AKIAEXAMPLESANDBOX"
    "&Expires=1790000000&Signature=c2FuZGJveC1zaWduYXR1cmU%3D",
    "https://storage.googleapis.com/studio/reel.mp4?X-Goog-Algorithm=GOOG4-RSA-SHA256"
    "&X-Goog-Signature=5a6e0c0ffee5a6e0c0ffee",
    "https://studio.blob.core.windows.net/in/reel.mp4?sv=2024-05-04&se=2026-12-01&sig=c2FuZGJveA%3D%3D",
)

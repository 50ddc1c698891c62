"""Which of our classes a fault at Xvid belongs to.

https://mediahub.xvid.com/manual/api/jobs/DELETE.html has these codes of the API. Those of jobs
are documented nowhere, so a job's fault is mostly known by its message.
"""

from providers.core.error_tables import ErrorTable

_DENIED = r"access denied|permission|forbidden|not (authori[sz]ed|allowed)|credential|\b40[13]\b"
_MISSING = r"not (be )?found|no such|(does not|doesn't) exist|\b40[4]\b|unknown host|resolv"
_LATE = r"tim(ed|e) ?out|no answer|too (long|slow)"
_OUTPUT = r"\b(upload|output|store|storage|destination|deliver)"

ERRORS = ErrorTable(
    codes={
        "0x0000001": "provider.outage",
        "0x0000003": "auth.refused",
        "0x0050001": "settings.invalid",
    },
    patterns=(
        (rf"{_OUTPUT}.*({_DENIED})", "output.access_denied"),
        (rf"{_OUTPUT}.*({_MISSING})", "output.not_found"),
        (rf"{_OUTPUT}.*(fail|{_LATE}|error|full|space)", "output.failed"),
        (r"quota|credit|plan limit|payment", "quota.plan"),
        (_DENIED, "input.access_denied"),
        (r"no (audio|video|media|playable|sound)|not a (video|media)", "input.no_media"),
        (_MISSING, "input.not_found"),
        (_LATE, "input.timeout"),
        (r"corrupt|truncated|damaged|incomplete|decod(e|ing)|could not be read", "input.corrupt"),
        (r"unsupported|not supported|no decoder", "input.unsupported"),
        (r"preset|setting|parameter|invalid", "settings.invalid"),
        (r"transcod|encod|conversion|convert", "encode.failed"),
        (r"internal error", "provider.outage"),
    ),
)

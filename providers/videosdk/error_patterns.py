"""What the words of a failed job may mean. None of them is documented, nor where they stand."""

ERROR_FIELDS = ("error", "errors", "errorMessage", "failureReason", "reason", "message")
CODE_FIELDS = ("errorCode", "code")

ERROR_PATTERNS = (
    (r"no (video|audio|media|stream)|not a (video|media)", "input.no_media"),
    (r"access denied|forbidden|permission|unauthori[sz]ed|\b40[13]\b", "input.access_denied"),
    (r"not found|no such|does not exist|\b404\b", "input.not_found"),
    (r"time(d)? ?out|too long", "input.timeout"),
    (r"corrupt|truncated|damaged|invalid data", "input.corrupt"),
    (r"unsupported|not supported|codec", "input.unsupported"),
    (r"transcod|encod|ffmpeg", "encode.failed"),
)

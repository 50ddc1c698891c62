"""What the sentences in `error_message` are about.

TPStreams has no codes and documents one sentence: "The specified input URL does not exist or
cannot be accessed". The words below are those that such sentences are made of; the first that
fits decides, so what names a side stands before what does not.
"""

_OUTPUT = r"(output|destination|upload|writ(e|ing)\b)"
_DENIED = (
    r"(denied|forbidden|permission|credential|access.?key|signature|not authori[sz]ed|\b403\b)"
)
_MISSING = r"(not exist|not found|no such|unknown bucket|cannot be reached|\b404\b)"

ERROR_PATTERNS = (
    (rf"{_OUTPUT}.*{_DENIED}|{_DENIED}.*{_OUTPUT}", "output.access_denied"),
    (rf"{_OUTPUT}.*{_MISSING}|{_MISSING}.*{_OUTPUT}", "output.not_found"),
    (_OUTPUT, "output.failed"),
    (r"(transcod|encod|worker|job)\w*.*tim(ed|e).?out", "provider.timeout"),
    (r"quota|minutes left|subscription|billing|credits", "quota.plan"),
    (_MISSING, "input.not_found"),
    (rf"{_DENIED}|cannot be accessed|expired", "input.access_denied"),
    (r"tim(ed|e).?out|no answer|connection|unreachable|download", "input.timeout"),
    (r"\bno (audio|video|media|stream|sound)|not an? (video|media|audio)", "input.no_media"),
    (r"corrupt|damaged|truncated|incomplete|invalid data|decod", "input.corrupt"),
    (r"unsupported|not supported|codec|protected", "input.unsupported"),
    (r"resolution|setting|parameter", "settings.invalid"),
    (r"transcod|encod|ffmpeg|packaging", "encode.failed"),
    (r"internal|server error|something went wrong", "provider.outage"),
)

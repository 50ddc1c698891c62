"""Zencoder's error classes and what they are in ours.

The names are those of https://zencoder.support.brightcove.com/error-troubleshooting/error-codes/
The list is open: the class of any other name is read from its message.
"""

from providers.core.error_tables import ErrorTable, map_codes

ERROR_CLASSES = map_codes(
    {
        "input.access_denied": "DownloadAccessDeniedError",
        "input.corrupt": (
            "ChecksumMismatchError QuicktimeReferenceError TruncatedFileError UnreadableFileError"
        ),
        "input.no_media": "InvalidDownloadedFileTypeError NoMediaError",
        "input.not_found": "FileNotFoundError FilePermanentlyMovedError",
        "input.timeout": (
            "DownloadFailureError DownloadTimeoutError UnexpectedDownloadProblemError"
        ),
        "input.unsupported": (
            "UnsupportedCodecError UnsupportedEncodingError UnsupportedEncryptionError"
        ),
        # InputFileNotFound is by its page a fault of the transcoder, whatever the name says.
        "encode.failed": (
            "InaccurateDurationError InputFileNotFound SegmentingError TranscodingError "
            "UnexpectedFfmpegResult UnexpectedMplayerResult UnexpectedProgenResult "
            "UnexpectedResultError UnexpectedX264Result"
        ),
        "output.access_denied": (
            "InvalidAccessKeyIdError InvalidUsernameOrPasswordError RTMPAuthFailedError "
            "UploadAccessDeniedError"
        ),
        "output.failed": (
            "AkamaiNetStorageFileSizeError RemoteServerProblemError RTMPMaxStreamsXIdReached "
            "RTMPStreamNameAlreadyInUse UnexpectedUploadProblemError UploadFailureError "
            "UploadTimeoutError"
        ),
        # UnableToResolveHostError is not listed, but linked to where an upload fell back.
        "output.not_found": (
            "S3BucketNotFoundError UnableToResolveHostError UploadServerNotFoundError"
        ),
        "provider.timeout": "WorkerTimeoutError",
        "settings.invalid": (
            "DimensionTooSmallError IncompatibleWithDynamicProfilesError InvalidAudioSettingsError "
            "InvalidCodecCombinationError InvalidEncryptionSettingsError InvalidFilePathError "
            "InvalidFormatCodecError InvalidFrameRateError InvalidVideoBitrateError "
            "InvalidVideoSettingsError SkippedSourceError ThumbnailError "
            "Transfer::InvalidGranteeGroupURLError Transfer::InvalidGranteeIDError "
            "UnableToCreateDynamicProfilesError UnsupportedTranscodeCombinationError"
        ),
    }
)
# These say nothing of the side: the same class is used when the source is fetched.
_INPUT_CLASSES = map_codes(
    {
        "input.access_denied": "InvalidAccessKeyIdError InvalidUsernameOrPasswordError",
        "input.not_found": "S3BucketNotFoundError UnableToResolveHostError",
        "input.timeout": "RemoteServerProblemError",
    }
)

_DENIED = r"access denied|permission|forbidden|not authori[sz]ed"
_INPUT_PATTERNS = (
    (
        r"contain(s)? (no )?audio or video|no (media|audio|video)|not a (video|media)",
        "input.no_media",
    ),
    (_DENIED, "input.access_denied"),
    (r"not found|no such|does not exist", "input.not_found"),
    (r"tim(ed|e) ?out|too long to respond", "input.timeout"),
    (r"corrupt|truncated|damaged|decode", "input.corrupt"),
    (r"unsupported|not support", "input.unsupported"),
)
_OUTPUT_PATTERNS = (
    (_DENIED, "output.access_denied"),
    (r"bucket.*not (found|exist)|resolv\w+ the host|no server", "output.not_found"),
    # Said of sources in 4K with "transcoding" in it, which is no fault of the encoder.
    (r"account is not (enabled|allowed)", "quota.plan"),
    (r"upload", "output.failed"),
    (r"invalid|not (allowed|supported)|unsupported", "settings.invalid"),
    (r"transcod|encod", "encode.failed"),
)

INPUT_ERRORS = ErrorTable({**ERROR_CLASSES, **_INPUT_CLASSES}, _INPUT_PATTERNS)
OUTPUT_ERRORS = ErrorTable(ERROR_CLASSES, _OUTPUT_PATTERNS)
JOB_ERRORS = ErrorTable(ERROR_CLASSES, _INPUT_PATTERNS + _OUTPUT_PATTERNS)

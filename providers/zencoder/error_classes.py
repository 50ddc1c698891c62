"""Zencoder's error classes and what they are in ours.

The names are those of https://zencoder.support.brightcove.com/error-troubleshooting/error-codes/
The list is open: other names are `unknown` unless their message tells.
"""

from collections.abc import Mapping

ERROR_CLASSES: Mapping[str, str] = {
    "AkamaiNetStorageFileSizeError": "output.failed",
    "ChecksumMismatchError": "input.corrupt",
    "DimensionTooSmallError": "settings.invalid",
    "DownloadAccessDeniedError": "input.access_denied",
    "DownloadFailureError": "input.timeout",
    "DownloadTimeoutError": "input.timeout",
    "FileNotFoundError": "input.not_found",
    "FilePermanentlyMovedError": "input.not_found",
    "InaccurateDurationError": "encode.failed",
    "IncompatibleWithDynamicProfilesError": "settings.invalid",
    # By its page a fault of the transcoder, whatever the name says.
    "InputFileNotFound": "encode.failed",
    "InvalidAccessKeyIdError": "output.access_denied",
    "InvalidAudioSettingsError": "settings.invalid",
    "InvalidCodecCombinationError": "settings.invalid",
    "InvalidDownloadedFileTypeError": "input.no_media",
    "InvalidEncryptionSettingsError": "settings.invalid",
    "InvalidFilePathError": "settings.invalid",
    "InvalidFormatCodecError": "settings.invalid",
    "InvalidFrameRateError": "settings.invalid",
    "InvalidUsernameOrPasswordError": "output.access_denied",
    "InvalidVideoBitrateError": "settings.invalid",
    "InvalidVideoSettingsError": "settings.invalid",
    "NoMediaError": "input.no_media",
    "QuicktimeReferenceError": "input.corrupt",
    "RemoteServerProblemError": "output.failed",
    "RTMPAuthFailedError": "output.access_denied",
    "RTMPMaxStreamsXIdReached": "output.failed",
    "RTMPStreamNameAlreadyInUse": "output.failed",
    "S3BucketNotFoundError": "output.not_found",
    "SegmentingError": "encode.failed",
    "SkippedSourceError": "settings.invalid",
    "ThumbnailError": "settings.invalid",
    "TranscodingError": "encode.failed",
    "Transfer::InvalidGranteeGroupURLError": "settings.invalid",
    "Transfer::InvalidGranteeIDError": "settings.invalid",
    "TruncatedFileError": "input.corrupt",
    "UnableToCreateDynamicProfilesError": "settings.invalid",
    # Not on the list, but linked to where an upload fell back to another server.
    "UnableToResolveHostError": "output.not_found",
    "UnexpectedDownloadProblemError": "input.timeout",
    "UnexpectedFfmpegResult": "encode.failed",
    "UnexpectedMplayerResult": "encode.failed",
    "UnexpectedProgenResult": "encode.failed",
    "UnexpectedResultError": "encode.failed",
    "UnexpectedUploadProblemError": "output.failed",
    "UnexpectedX264Result": "encode.failed",
    "UnreadableFileError": "input.corrupt",
    "UnsupportedCodecError": "input.unsupported",
    "UnsupportedEncodingError": "input.unsupported",
    "UnsupportedEncryptionError": "input.unsupported",
    "UnsupportedTranscodeCombinationError": "settings.invalid",
    "UploadAccessDeniedError": "output.access_denied",
    "UploadFailureError": "output.failed",
    "UploadServerNotFoundError": "output.not_found",
    "UploadTimeoutError": "output.failed",
    "WorkerTimeoutError": "provider.timeout",
}

# These say nothing of the side: the same class is used when the source is fetched.
INPUT_CLASSES: Mapping[str, str] = {
    "InvalidAccessKeyIdError": "input.access_denied",
    "InvalidUsernameOrPasswordError": "input.access_denied",
    "RemoteServerProblemError": "input.timeout",
    "S3BucketNotFoundError": "input.not_found",
    "UnableToResolveHostError": "input.not_found",
}

INPUT_PATTERNS = (
    (
        r"contain(s)? (no )?audio or video|no (media|audio|video)|not a (video|media)",
        "input.no_media",
    ),
    (r"access denied|permission|forbidden|not authori[sz]ed", "input.access_denied"),
    (r"not found|no such|does not exist", "input.not_found"),
    (r"tim(ed|e) ?out|too long to respond", "input.timeout"),
    (r"corrupt|truncated|damaged|decode", "input.corrupt"),
    (r"unsupported|not support", "input.unsupported"),
)
OUTPUT_PATTERNS = (
    (r"access denied|permission|forbidden|not authori[sz]ed", "output.access_denied"),
    (r"bucket.*not (found|exist)|resolv\w+ the host|no server", "output.not_found"),
    # Said of sources in 4K with "transcoding" in it, which is no fault of the encoder.
    (r"account is not (enabled|allowed)", "quota.plan"),
    (r"upload", "output.failed"),
    (r"invalid|not (allowed|supported)|unsupported", "settings.invalid"),
    (r"transcod|encod", "encode.failed"),
)

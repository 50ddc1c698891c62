"""What went wrong in the seeded past: Zencoder's classes with messages as they could be.

A message may be missing, as it was in real answers.
"""

PROBLEMS: tuple[tuple[str, str, str | None], ...] = (
    ("input", "FileNotFoundError", "There is no file at the URL of the input."),
    ("input", "FileNotFoundError", "s3://ingest-studio answered 404 for this key."),
    ("input", "DownloadAccessDeniedError", "The bucket does not let us read this file."),
    ("input", "DownloadTimeoutError", "media.example.com gave no answer within 120 seconds."),
    ("input", "DownloadFailureError", "The connection was reset after 73400320 bytes."),
    ("input", "FilePermanentlyMovedError", None),
    ("input", "InvalidUsernameOrPasswordError", "ftp.example.com refused the sign-in."),
    ("input", "InvalidDownloadedFileTypeError", "The server sent an HTML page."),
    ("input", "NoMediaError", "The file is a PDF and has no sound or picture."),
    ("input", "UnreadableFileError", "The file could not be decoded."),
    ("input", "TruncatedFileError", "The header promises 812 MB, the file has 347 MB."),
    ("input", "UnsupportedCodecError", None),
    ("input", "UnsupportedEncodingError", "Interlaced 4:4:4 pictures are not supported."),
    ("input", "UnsupportedEncryptionError", "The tracks are protected."),
    ("input", "QuicktimeReferenceError", "The tracks are in other files."),
    ("input", "ChecksumMismatchError", "The file differs from the checksum that was given."),
    ("input", "S3BucketNotFoundError", "There is no bucket named ingest-studio-old."),
    ("input", "InvalidAccessKeyIdError", None),
    ("output", "TranscodingError", "The encoder ended at frame 4711."),
    ("output", "TranscodingError", "The encoder ended at frame 12008."),
    ("output", "WorkerTimeoutError", "The job ran out of time three times."),
    ("output", "UploadAccessDeniedError", "The bucket delivery-studio refused the upload."),
    ("output", "UploadServerNotFoundError", "No answer from delivery.example.com."),
    ("output", "UploadTimeoutError", None),
    ("output", "InvalidVideoSettingsError", "The level does not allow this size."),
    ("output", "InvalidCodecCombinationError", "This sound can't be put into this container."),
    ("output", "ThumbnailError", "No picture could be taken at 00:00:59."),
    ("output", "SegmentingError", "The last segment could not be closed."),
    ("output", "SkippedSourceError", "No source of the playlist was made."),
    ("output", "InaccurateDurationError", "The output is 12 % longer than the input."),
    ("output", "DimensionTooSmallError", None),
    ("output", "UnexpectedFfmpegResult", "The step ended with status 187."),
)

"""Two hundred messages of failed jobs: forty causes at four providers, five messages of each.

In the providers' tone, with other ids, names, sizes, times and scripts in each of the five.
"""

from collections.abc import Mapping, Sequence

# by provider: the class of the cause, and its messages
MESSAGES: Mapping[str, Sequence[tuple[str, tuple[str, ...]]]] = {
    "zencoder": (
        (
            "input.not_found",
            (
                "The file s3://ingest-studio/2026/11/HF_S02E05_v09.mov could not be found.",
                "The file s3://ingest-archive/news/reel_0412_telecine.mov could not be found.",
                "The file https://media.example.com/a%20b/clip.mp4?token=9f8e could not be found.",
                "The file ftp://ftp.example.org/in/Über%20See.mxf could not be found.",
                "The file s3://ingest-studio/مقابلة-الوزير.mp4 could not be found.",
            ),
        ),
        (
            "input.access_denied",
            (
                'The bucket "ingest-studio" does not let us read this file: reel/0412.mov',
                'The bucket "ingest-archive-eu1" does not let us read this file: 2026/11/18/a.mp4',
                'The bucket "kunde.de" does not let us read this file: Ablage/Beitrag 7/final.mxf',
                'The bucket "media-2" does not let us read this file: /lectures/week-12/intro.mkv',
                'The bucket "x9" does not let us read this file: 東京/第3話.mp4',
            ),
        ),
        (
            "input.timeout",
            (
                "media.example.com gave no answer within 120 seconds.",
                "origin-7.cdn.example.net gave no answer within 90 seconds.",
                "10.12.0.7:8443 gave no answer within 30 seconds.",
                "files.uni-muenchen.de gave no answer within 120 seconds.",
                "storage.internal:9000 gave no answer within 5 minutes.",
            ),
        ),
        (
            "input.timeout",
            (
                "The connection was reset after 73400320 bytes of 812113920 bytes.",
                "The connection was reset after 1.2 GB of 4 GB.",
                "The connection was reset after 734 bytes of 12,113,920 bytes.",
                "The connection was reset after 15 MB of 1.75 GiB.",
                "The connection was reset after 0 bytes of 400 MB.",
            ),
        ),
        (
            "input.corrupt",
            (
                "The header promises 812 MB, the file has 347 MB.",
                "The header promises 1.2 GB, the file has 1.19 GB.",
                "The header promises 4096 bytes, the file has 12 bytes.",
                "The header promises 93,112,004 bytes, the file has 65,536 bytes.",
                "The header promises 2 TB, the file has 0 bytes.",
            ),
        ),
        (
            "encode.failed",
            (
                "The encoder ended at frame 4711.",
                "The encoder ended at frame 12008.",
                "The encoder ended at frame 1.",
                "The encoder ended at frame 1,204,311.",
                "The encoder ended at frame 25",
            ),
        ),
        (
            "encode.failed",
            (
                "Job 2400119694 was stopped on worker i-0a9f8be31c2d44e10 after 3 attempts.",
                "Job 2400119603 was stopped on worker i-0be31c2d44e10a9f8 after 1 attempt.",
                "Job 99 was stopped on worker i-00c1 after 2 attempts.",
                "Job 1844674407370955 was stopped on worker i-0ffffffffffffffff after 5 attempts.",
                "Job 2400119288 was stopped on worker i-7d21aa04 after 4 attempts.",
            ),
        ),
        (
            "output.access_denied",
            (
                "AccessDenied: s3.amazonaws.com refused PUT /delivery-studio/out/0412/720p.mp4 "
                "(request 4442587FB7D0A2F9)",
                "AccessDenied: s3.eu-west-1.amazonaws.com refused PUT /x/y.m3u8 "
                "(request 79104EXAMPLEB723)",
                "AccessDenied: minio.studio.internal:9000 refused PUT /vod/a/b/c/d/index.m3u8 "
                "(request 17C4E3A9D1B20F55)",
                "AccessDenied: storage.googleapis.com refused PUT /kunden/müller/teil-2.mp4 "
                "(request 0000000000000001)",
                "AccessDenied: s3.ap-northeast-1.amazonaws.com refused PUT /配信/第3話/1080p.mp4 "
                "(request B723AA104EF79104)",
            ),
        ),
        (
            "output.not_found",
            (
                "Upload failed: no such bucket 'delivery-studio'",
                "Upload failed: no such bucket 'delivery-studio-old'",
                "Upload failed: no such bucket 'vod.example.com'",
                "Upload failed: no such bucket 'k2'",
                "Upload failed: no such bucket 'media_archive_2019'",
            ),
        ),
        (
            "output.failed",
            (
                "Thumbnail at 00:00:59.04 could not be written to sftp://u@host.example/t/1.png",
                "Thumbnail at 01:12:03 could not be written to sftp://upload.example.org/p/22.png",
                "Thumbnail at 0:05 could not be written to s3://delivery/thumbs/frame_0001.png",
                "Thumbnail at 12:00:00.000 could not be written to https://h.example/put?id=77",
                "Thumbnail at 00:10:00.5 could not be written to ftp://10.0.0.5/out/poster.jpg",
            ),
        ),
    ),
    "tpstreams": (
        (
            "input.not_found",
            (
                "HTTP error 404 Not Found: https://cdn.lectures.example/w12/intro.mp4",
                "HTTP error 404 Not Found: https://cdn.lectures.example/w1/%E0%A4%B9/part-1.mp4",
                "HTTP error 404 Not Found: http://192.168.10.4:8080/raw/8eaHZjXt6km.mov",
                "HTTP error 404 Not Found: https://bucket.s3.ap-south-1.amazonaws.com/k.mkv?X-Amz=1",
                "HTTP error 404 Not Found: https://drive.example/uc?export=download&id=1aZ-99x",
            ),
        ),
        (
            "input.access_denied",
            (
                "Unable to read s3://tenant-a/raw/7.mp4: An error occurred (403) when calling the "
                "HeadObject operation: Forbidden",
                "Unable to read s3://institute.videos/2025/q3/लेक्चर.mp4: An error occurred (403) "
                "when calling the HeadObject operation: Forbidden",
                "Unable to read s3://b/c.mkv: An error occurred (403) when calling the HeadObject "
                "operation: Forbidden",
                "Unable to read s3://tenant-a/raw/x%20y.mov: An error occurred (403) when calling "
                "the HeadObject operation: Forbidden",
                "Unable to read s3://t-9/9f8e7d6c-1b2a-4c3d-8e9f-0a1b2c3d4e5f.mp4: An error "
                "occurred (403) when calling the HeadObject operation: Forbidden",
            ),
        ),
        (
            "input.corrupt",
            (
                "moov atom not found in /tmp/jobs/8eaHZjXt6km/input.mp4",
                "moov atom not found in /tmp/jobs/BHp5DWnMzrQ/input.mp4",
                "moov atom not found in /mnt/scratch/0/source.mov",
                "moov atom not found in /tmp/jobs/dQwAwKWgXcQ/week 12 (final).mp4",
                "moov atom not found in /tmp/jobs/aaTT4411/इनपुट.mp4",
            ),
        ),
        (
            "input.unsupported",
            (
                "Stream #0:1: unsupported codec id 86018",
                "Stream #0:0: unsupported codec id 0",
                "Stream #0:12: unsupported codec id 65540",
                "Stream #1:1: unsupported codec id 86076",
                "Stream #0:2: unsupported codec id 98314",
            ),
        ),
        (
            "input.no_media",
            (
                "Input 8eaHZjXt6km has no video or audio stream (text/html, 14 kB)",
                "Input BHp5DWnMzrQ has no video or audio stream (text/html, 2.1 MB)",
                "Input dQwAwKWgXcQ has no video or audio stream (text/html, 914 bytes)",
                "Input 7QhRRq22tyP has no video or audio stream (text/html, 0 bytes)",
                "Input XXccVV11bbN has no video or audio stream (text/html, 88 kB)",
            ),
        ),
        (
            "encode.failed",
            (
                "FFmpeg exited with code 187 after 00:12:04.",
                "FFmpeg exited with code 1 after 0:04.",
                "FFmpeg exited with code 137 after 02:59:59.",
                "FFmpeg exited with code 255 after 00:00:00.",
                "FFmpeg exited with code 69 after 11:02.",
            ),
        ),
        (
            "encode.failed",
            (
                "Error while processing the decoded data for stream #0:0 (1080p, 25 fps)",
                "Error while processing the decoded data for stream #0:3 (720p, 29.97 fps)",
                "Error while processing the decoded data for stream #0:1 (2160p, 50 fps)",
                "Error while processing the decoded data for stream #1:0 (480p, 23.976 fps)",
                "Error while processing the decoded data for stream #0:0 (240p, 15fps)",
            ),
        ),
        (
            "output.access_denied",
            (
                "An error occurred (AccessDenied) when calling the PutObject operation on "
                "tenant-a-out: User arn:aws:iam::123456789012:user/tp is not authorized",
                "An error occurred (AccessDenied) when calling the PutObject operation on "
                "tenant-a-out: User arn:aws:iam::210987654321:user/uploader-2 is not authorized",
                "An error occurred (AccessDenied) when calling the PutObject operation on "
                "tenant-a-out: User arn:aws:sts::99:assumed-role/enc/i-0abc is not authorized",
                "An error occurred (AccessDenied) when calling the PutObject operation on "
                "tenant-a-out: User arn:aws:iam::555566667777:root is not authorized",
                "An error occurred (AccessDenied) when calling the PutObject operation on "
                "tenant-a-out: User arn:aws:iam::000011112222:user/k.v is not authorized",
            ),
        ),
        (
            "provider.timeout",
            (
                "Task 3f2b8c1e-77aa-4d0e-9a51-4f0e6bb1c001 exceeded the limit of 21600 s.",
                "Task 00000000-0000-0000-0000-000000000000 exceeded the limit of 21600 s.",
                "Task 9C858901-8A57-4791-81FE-4C455B099BC9 exceeded the limit of 6 hours.",
                "Task 16fd2706-8baf-433b-82eb-8c7fada847da exceeded the limit of 90 min.",
                "Task 6fa459ea-ee8a-3ca4-894e-db77e160355e exceeded the limit of 3600 seconds.",
            ),
        ),
        (
            "settings.invalid",
            (
                "Resolutions 1080p, 720p are larger than the source (640x360).",
                "Resolutions 1080p are larger than the source (1280x720).",
                "Resolutions 1080p, 720p, 480p are larger than the source (320x240).",
                "Resolutions 720p and 480p are larger than the source (426x240).",
                "Resolutions 480p are larger than the source (360x640).",
            ),
        ),
    ),
    "videosdk": (
        (
            "input.not_found",
            (
                "Recording 65f1c0a2b7e4d3001234abcd of room abcd-efgh-ijkl was not found.",
                "Recording 65f1c0a2b7e4d30012341111 of room k7x2-99ab-0c1d was not found.",
                "Recording 000000000000000000000001 of room x1y2-z3a4-b5c6 was not found.",
                "Recording 64e9a1b2c3d4e5f607182930 of room 9abc-0def-1ghi was not found.",
                "Recording 6512bd43d9caa6e02c990b0a of room q1w2-e3r4-t5y6 was not found.",
            ),
        ),
        (
            "input.timeout",
            (
                "connect ETIMEDOUT 52.95.150.12:443",
                "connect ETIMEDOUT 10.0.0.8:80",
                "connect ETIMEDOUT 2001:db8:85a3:0:0:8a2e:370:7334:443",
                "connect ETIMEDOUT 203.0.113.77:8443",
                "connect ETIMEDOUT 198.51.100.3:9000",
            ),
        ),
        (
            "input.timeout",
            (
                "getaddrinfo EAI_AGAIN media.example.com",
                "getaddrinfo EAI_AGAIN storage-3.kunde.de",
                "getaddrinfo EAI_AGAIN files.internal",
                "getaddrinfo EAI_AGAIN cdn.xn--mller-kva.example",
                "getaddrinfo EAI_AGAIN a.b.c.d.example.org",
            ),
        ),
        (
            "input.access_denied",
            (
                "Request has expired at 2026-11-18T05:40:00Z (signed for 3600 s)",
                "Request has expired at 2026-11-17T23:59:59.123Z (signed for 900 s)",
                "Request has expired at 2025-01-01T00:00:00+05:30 (signed for 86400 s)",
                "Request has expired at 2026-02-28 12:00:00 UTC (signed for 60 s)",
                "Request has expired at Tue, 18 Nov 2026 05:40:00 GMT (signed for 1 hour)",
            ),
        ),
        (
            "input.unsupported",
            (
                "Cannot read property of track 2: codec “prores_raw4444” has no decoder",
                "Cannot read property of track 0: codec “cfhd-422” has no decoder",
                "Cannot read property of track 1: codec “dvh1.08.06” has no decoder",
                "Cannot read property of track 11: codec “0x31637661” has no decoder",
                "Cannot read property of track 3: codec “av1 main 10” has no decoder",
            ),
        ),
        (
            "encode.failed",
            (
                "Segment 41 of rendition hls-720 failed: Error: write EPIPE (pid 7781)",
                "Segment 7 of rendition hls-1080 failed: Error: write EPIPE (pid 12)",
                "Segment 1204 of rendition hls-240 failed: Error: write EPIPE (pid 99120)",
                "Segment 0 of rendition hls-360 failed: Error: write EPIPE (pid 3)",
                "Segment 88 of rendition hls-2160 failed: Error: write EPIPE (pid 65001)",
            ),
        ),
        (
            "output.failed",
            (
                "ENOSPC: no space left on device, write '/data/out/65f1c0a2/seg_00041.ts'",
                "ENOSPC: no space left on device, write '/data/out/0000/index.m3u8'",
                "ENOSPC: no space left on device, write '/mnt/b/ファイル/seg_00001.ts'",
                "ENOSPC: no space left on device, write '/data/out/6512bd43/audio/seg_9.ts'",
                "ENOSPC: no space left on device, write '/tmp/x'",
            ),
        ),
        (
            "quota.plan",
            (
                "Plan limit reached: 10,000 of 10,000 minutes used, resets on 1 December 2026",
                "Plan limit reached: 500 of 500 minutes used, resets on 1 January 2027",
                "Plan limit reached: 10,012 of 10,000 minutes used, resets on 15 Nov 2026",
                "Plan limit reached: 1 of 1 minutes used, resets on 3 March 2026",
                "Plan limit reached: 250000 of 250000 minutes used, resets on 1 August 2026",
            ),
        ),
        (
            "provider.outage",
            (
                "upstream connect error (worker-7f9c6d5b8-x2x4z, zone eu-west-1b), 503",
                "upstream connect error (worker-7f9c6d5b8-qq9tm, zone us-east-1a), 502",
                "upstream connect error (worker-58d7c4c9f6-0aa1b, zone ap-south-1c), 504",
                "upstream connect error (worker-1, zone eu-central-1a), 503",
                "upstream connect error (worker-66bb1122aa-zz88z, zone eu-west-2a), 500",
            ),
        ),
        (
            "settings.invalid",
            (
                "presets[0].height must be between 144 and 2160 (got 4320)",
                "presets[2].height must be between 144 and 2160 (got 8)",
                "presets[11].height must be between 144 and 2160 (got 2161)",
                "presets[1].height must be between 144 and 2160 (got -1)",
                "presets[3].height must be between 144 and 2160 (got 100000)",
            ),
        ),
    ),
    "xvid": (
        (
            "input.not_found",
            (
                "0x0030004: Download of input file failed: HTTP 404 (https://a.example/1.avi)",
                "0x0030004: Download of input file failed: HTTP 404 (https://b.example/x/y z.avi)",
                "0x0030004: Download of input file failed: HTTP 404 (sftp://c.example/film.mkv)",
                "0x0030004: Download of input file failed: HTTP 404 (http://d.example:81/%20.mp4)",
                "0x0030004: Download of input file failed: HTTP 404 (https://é.example/é.mov)",
            ),
        ),
        (
            "input.timeout",
            (
                "Download of input file timed out after 00:10:00 at 41 %",
                "Download of input file timed out after 01:00:00 at 0 %",
                "Download of input file timed out after 00:00:30 at 99.8%",
                "Download of input file timed out after 10 minutes at 7 %",
                "Download of input file timed out after 3600 s at 50%",
            ),
        ),
        (
            "input.corrupt",
            (
                "Checksum of «film_0412.mkv» is d41d8cd98f00b204e9800998ecf8427e, expected "
                "9e107d9d372bb6826bd81d3542a419d6",
                "Checksum of «Überseehafen – Drohne (Rohschnitt) 4K.mov» is "
                "e4d909c290d0fb1ca068ffaddf22cbd0, expected 0cc175b9c0f1b6a831c399e269772661",
                "Checksum of «a» is 900150983CD24FB0D6963F7D28E17F72, expected "
                "F96B697D7CB7938D525A2F31AAF161D0",
                "Checksum of «интервью.mp4» is c3fcd3d76192e4007dfb496cca67e13b, expected "
                "d174ab98d277d9f5a5611c2c9f419d9f",
                "Checksum of «x/y/z» is 57edf4a22be3c955ac49da2e2107b67a, expected "
                "00000000000000000000000000000000",
            ),
        ),
        (
            "input.corrupt",
            (
                "Invalid NAL unit size (27113 > 1094) at 00:04:11.240",
                "Invalid NAL unit size (0 > 12) at 0:00:00.000",
                "Invalid NAL unit size (1 > 0) at 01:59:00.040",
                "Invalid NAL unit size (1,094,112 > 88) at 00:00:07.5",
                "Invalid NAL unit size (4294967295 > 4) at 12:00:00",
            ),
        ),
        (
            "input.unsupported",
            (
                "Unsupported audio channel layout: 22.2 (24 channels)",
                "Unsupported audio channel layout: 7.1.4 (12 channels)",
                "Unsupported audio channel layout: 9.1 (10 channels)",
                "Unsupported audio channel layout: 0 (0 channels)",
                "Unsupported audio channel layout: 3.0 (3 channels)",
            ),
        ),
        (
            "settings.invalid",
            (
                "Preset /presets/1042 does not exist or belongs to user /users/77",
                "Preset /presets/7 does not exist or belongs to user /users/1",
                "Preset /presets/99001 does not exist or belongs to user /users/31044",
                "Preset /presets/mobile_low does not exist or belongs to user /users/4",
                "Preset /presets/0 does not exist or belongs to user /users/0",
            ),
        ),
        (
            "encode.failed",
            (
                "Pass 1 aborted (signal 11) on node enc-17.xvid.internal [build 20261104.3]",
                "Pass 2 aborted (signal 9) on node enc-2.xvid.internal [build 20261104.3]",
                "Pass 1 aborted (signal 6) on node enc-140.xvid.internal [build 20250911.1]",
                "Pass 2 aborted (signal 11) on node gpu-3.eu.xvid.internal [build 20261120.12]",
                "Pass 1 aborted (signal 15) on node enc-9.xvid.internal [build 20240229.7]",
            ),
        ),
        (
            "output.access_denied",
            (
                'Login to sftp://delivery.example.org refused for user "studio-upload"',
                'Login to sftp://10.0.0.9:2222 refused for user "u1"',
                'Login to ftps://ftp.kunde.example refused for user "max.mustermann@kunde.de"',
                'Login to sftp://delivery.example.org/out refused for user "редакция"',
                'Login to sftp://nas-2.local refused for user "root admin"',
            ),
        ),
        (
            "output.not_found",
            (
                "Cannot resolve host delivery.example.org while uploading film_0412_720p.mp4",
                "Cannot resolve host nas-2.local while uploading a.m3u8",
                "Cannot resolve host s3.eu-west-9.amazonaws.com while uploading seg00001.ts",
                "Cannot resolve host ftp.kunde.de while uploading Beitrag-final.mp4",
                "Cannot resolve host x.example:2222 while uploading 1.jpg",
            ),
        ),
        (
            "output.failed",
            (
                "Uploaded 3 of 12 files, then the server closed the connection (errno 104)",
                "Uploaded 0 of 1 file, then the server closed the connection (errno 32)",
                "Uploaded 1,200 of 1,201 files, then the server closed the connection (errno 104)",
                "Uploaded 11 of 12 files, then the server closed the connection (errno 110)",
                "Uploaded 5 of 6 files, then the server closed the connection (errno 9)",
            ),
        ),
    ),
}

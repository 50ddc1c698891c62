"""Each endpoint and field of the providers' documents is spoken of on the provider's page."""

import re
from pathlib import Path

import pytest

from providers.core import registry

PAGES = Path(__file__).parents[2] / "docs" / "providers"

# As the documents spell them. A name that occurs in several places is here once.
NAMES = {
    "zencoder": """
        GET /account, POST /account, PUT /account/integration, PUT /account/live,
        GET /inputs/{id}, GET /inputs/{id}/progress, GET /jobs, POST /jobs, GET /jobs/{id},
        api_key, callback, email, password, terms_of_service, input, state, current_event,
        current_event_progress, progress, id, created_at, submitted_at, updated_at, finished_at,
        pass_through, test, privacy, input_media_file, output_media_files, thumbnails, stream,
        url, format, duration_in_ms, frame_rate, width, height, video_codec, audio_codec,
        audio_sample_rate, channels, audio_bitrate_in_kbps, video_bitrate_in_kbps,
        total_bitrate_in_kbps, file_size_bytes, md5_checksum, error_class, error_message, label,
        fragment_duration_in_ms, rfc_6381_audio_codec, rfc_6381_video_codec, group_label
    """,
    "videosdk": """
        POST /encoder/jobs, GET /encoder/jobs/, GET /encoder/jobs/{id}, DELETE /encoder/jobs/{id},
        Authorization, id, status, videoId, videoUrl, presets, resolutions, format, thumbnails,
        timestamp, formats, filters, webhookUrl, createdAt, updatedAt, startedAt, finishedAt,
        files, meta.resolution, meta.format, meta.duration, jobId, filePath, size, type, fileUrl,
        userData, pageInfo.currentPage, pageInfo.lastPage, pageInfo.perPage
    """,
    "tpstreams": """
        GET <organization_id>/transcoding_jobs/, GET <organization_id>/transcoding_jobs/<job_id>/,
        DELETE <organization_id>/transcoding_jobs/<job_id>/,
        POST <organization_id>/transcoding_jobs/,
        organization_id, count, next, previous, results, id, resolutions, video_duration, status,
        input_url, output_path, start_time, end_time, type, error_message, client_metadata,
        enable_drm
    """,
    "xvid": """
        POST /oauth2/token/, GET /jobs/, GET /jobs/ID, POST /jobs/, DELETE /jobs/ID,
        format, human, expand_all, expand, user_data, show_null, pipeline, application,
        input.input_name, input.force_container, input.force_aspect_ratio, input.force_framerate,
        input.force_interlaced, input.file, autograph, output_prefix, outputs[].preset,
        outputs[].file, outputs[].output_name, outputs[].percentage_completed,
        outputs[].thumbnail_zip.file, outputs[].thumbnails[].thumbnail_names,
        outputs[].thumbnails[].thumbnail_preset, outputs[].thumbnails[].file, outputs[].logos[],
        logo_image, logo_preset, outputs[].settings, status, percentage_completed, error_msg,
        error_code, finished_at, version, user, created_at, updated_at, id, href
    """,
}


@pytest.mark.parametrize("slug", [slug for slug, _ in registry.choices()])
def test_every_documented_name_is_on_the_page(slug: str) -> None:
    page = (PAGES / f"{slug}.md").read_text()
    spoken_of = set(re.findall(r"`([^`\n]+)`", page))
    names = [" ".join(name.split()) for name in NAMES[slug].split(",")]
    assert [name for name in names if name not in spoken_of] == []

"""Requests that each provider accepts as they are, and submitting them."""

from jobs.models import Job, ProviderAccount
from jobs.submission.service import submit
from providers.core.types import JobRequest, Rendition

MP4 = (Rendition("mp4", (360,)),)
HLS = (Rendition("hls", (360,)),)


def make_request(provider: str, name: str) -> JobRequest:
    """Encode the input `name`, which is in a bucket called `rushes` or, over HTTPS, on a host."""
    match provider:
        case "videosdk":
            return JobRequest(f"https://rushes.example.com/{name}", renditions=MP4)
        case "tpstreams":
            destination = f"s3://reels/{name}/"
            return JobRequest(f"s3://rushes/{name}", destination=destination, renditions=HLS)
        case "xvid":
            presets = {"presets": ["MP4-H264-AAC-240p"]}
            return JobRequest(f"https://rushes.example.com/{name}", extra=presets)
    return JobRequest(f"s3://rushes/{name}", renditions=MP4)


def submit_named(account: ProviderAccount, name: str) -> Job:
    request = make_request(account.provider, name)
    return submit(organization=account.organization, account=account, request=request).job

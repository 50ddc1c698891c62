"""`submit`: one job, from the command line."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.models import ProviderAccount, TemplateVersion
from jobs.models.work import MAX_PRIORITY
from jobs.submission.duplicates import DuplicateJob
from jobs.submission.idempotency import KeyOfDeletedJob, KeyRefused, caller_key
from jobs.submission.limits import MAX_HEIGHT, check_json, read_json
from jobs.submission.service import describe_hold, list_warnings, submit
from jobs.submission.stored_request import dump_request
from jobs.submission.templates.service import find_template
from jobs.submission.templates.settings import request_from
from jobs.submission.validation import SubmissionRefused
from organizations.management.reporting import Report, ReportingCommand
from organizations.models import Organization
from providers.core.types import JobRequest, Rendition


class Command(ReportingCommand):
    help = "Submit a job and print its id; a worker sends it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--account", required=True, metavar="NAME")
        parser.add_argument("--input", required=True, metavar="URL")
        parser.add_argument("--destination", metavar="URL")
        parser.add_argument(
            "--template", metavar="NAME", help="Its settings are used where no option gives one."
        )
        parser.add_argument("--height", type=_height, action="append", metavar="N")
        parser.add_argument("--packaging", action="append", choices=("mp4", "hls"))
        parser.add_argument("--metadata", metavar="TEXT")
        parser.add_argument("--extra", metavar="JSON", help="Merged into the provider's body.")
        parser.add_argument("--test", action="store_true")
        parser.add_argument("--priority", type=_priority, metavar="N")
        parser.add_argument("--idempotency-key", default="", metavar="KEY")
        parser.add_argument("--allow-duplicate", action="store_true")

    def run(self, *, organization: str, account: str, **options: Any) -> Report:
        found = (
            ProviderAccount.objects.filter(organization__slug=organization, name=account)
            .select_related("organization")
            .first()
        )
        if found is None:
            raise CommandError(f"{organization!r} has no account {account!r}.")
        version = _find_template(found.organization, options["template"])
        given = _read_given(options)
        if version is None:
            given.setdefault("renditions", _renditions(None, None))
        text = options["idempotency_key"]
        try:
            request = request_from(version, found, given) if version else JobRequest(**given)
            body = [found.pk, dump_request(JobRequest(**given)), options["template"]]
            submitted = submit(
                organization=found.organization,
                account=found,
                request=request,
                template_version=version,
                key=caller_key(text, "submit", body) if text else None,
                allow_duplicate=options["allow_duplicate"],
            )
        except (SubmissionRefused, DuplicateJob, KeyRefused, KeyOfDeletedJob) as error:
            raise CommandError(str(error)) from error
        job = submitted.job
        for warning in list_warnings(job):
            self.warn(warning)
        data: dict[str, Any] = {"id": str(job.pk), "created": submitted.created}
        if hold := describe_hold(found):
            data["held"] = hold[0]
        return Report(lines=[str(job.pk)], data=data)


def _height(text: str) -> int:
    height = int(text)
    if not 1 <= height <= MAX_HEIGHT:
        raise ArgumentTypeError(f"give a height from 1 to {MAX_HEIGHT}")
    return height


def _priority(text: str) -> int:
    priority = int(text)
    if not -MAX_PRIORITY <= priority <= MAX_PRIORITY:
        raise ArgumentTypeError(f"give a number from -{MAX_PRIORITY} to {MAX_PRIORITY}")
    return priority


def _find_template(organization: Organization, name: str | None) -> TemplateVersion | None:
    if name is None:
        return None
    version = find_template(organization, name)
    if version is None:
        raise CommandError(f"{organization.slug!r} has no template {name!r}.")
    return version


def _read_given(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of JobRequest that options give."""
    given = {name: options[name] for name in ("destination", "metadata", "test", "priority")}
    given["extra"] = _read_extra(options["extra"])
    if options["height"] or options["packaging"]:
        given["renditions"] = _renditions(options["height"], options["packaging"])
    return {"input": options["input"]} | {name: one for name, one in given.items() if one}


def _renditions(heights: list[int] | None, packagings: list[str] | None) -> tuple[Rendition, ...]:
    chosen = tuple(heights or (360,))
    return tuple(Rendition(packaging, chosen) for packaging in packagings or ("mp4",))


def _read_extra(text: str | None) -> dict[str, Any]:
    try:
        value = read_json(text) if text else {}
    except ValueError as error:
        raise CommandError(f"--extra is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise CommandError("--extra must be a JSON object.")
    try:
        check_json(value)
    except ValueError as error:
        raise CommandError(f"--extra cannot be used. {error}") from error
    return value

"""`add_account`: a provider account of an organization."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.accounts.duplicates import describe_duplicates, find_duplicates
from jobs.accounts.service import CheckStatus, check_account, write_account
from jobs.accounts.validation import AccountInput, InvalidAccount
from jobs.accounts.webhook_urls import webhook_url
from jobs.models import ProviderAccount
from organizations.management.reporting import Report, ReportingCommand
from organizations.models import Organization
from providers.core import registry


class Command(ReportingCommand):
    help = "Add a provider account to an organization, or update the one of that name."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument(
            "--provider", required=True, choices=[slug for slug, _ in registry.choices()]
        )
        parser.add_argument("--name", required=True)
        parser.add_argument("--base-url", default="", help="The API's URL including its version.")
        parser.add_argument(
            "--credential",
            action="append",
            default=[],
            metavar="K=V",
            help="Repeatable; K=@FILE reads a file.",
        )
        parser.add_argument("--option", action="append", default=[], metavar="K=V")
        parser.add_argument("--disabled", action="store_true", help="Save it paused.")

    def run(
        self,
        *,
        organization: str,
        provider: str,
        name: str,
        base_url: str,
        credential: list[str],
        option: list[str],
        disabled: bool,
        **_: Any,
    ) -> Report:
        owner = Organization.objects.filter(slug=organization).first()
        if owner is None:
            raise CommandError(f"There is no organization with the slug {organization!r}.")
        try:
            values = AccountInput(
                owner,
                provider=provider,
                name=name,
                base_url=base_url,
                credentials=_read_pairs(credential),
                options=_read_pairs(option),
                enabled=False if disabled else None,
            )
            checked = check_account(values, keep_refused=True)
            account = write_account(values, checked, user=None)
        except InvalidAccount as error:
            raise CommandError(str(error)) from error
        if checked.status == CheckStatus.REFUSED:
            self.warn(f"Saved, but it will not sync. {checked.reason}")
        elif checked.status == CheckStatus.UNANSWERED:
            self.warn(f"The credentials have not been checked yet. {checked.reason}")
        duplicates = find_duplicates(account, ProviderAccount.objects.all())
        if notice := describe_duplicates(account, duplicates):
            self.warn(notice)
        url = webhook_url(account)
        return Report(
            lines=[
                f"Saved the {account.provider_label} account {account.name} (id {account.pk}) of "
                f"{owner.name}.",
                f"Its webhook URL, which is a secret: {url}",
            ],
            data={"id": str(account.pk), "webhook_url": url},
        )


def _read_pairs(pairs: list[str]) -> dict[str, str]:
    values = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise CommandError("Give credentials and options as NAME=VALUE.")
        if value.startswith("@"):
            try:
                value = Path(value[1:]).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(f"The file for {key} cannot be read.") from error
        values[key] = value
    return values

"""`remove_second_factor`: for a user who has lost the phone and the recovery codes."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from organizations.management.reporting import Report, ReportingCommand
from organizations.models import User
from organizations.sign_in.history import record


class Command(ReportingCommand):
    help = "Remove a user's second factors and recovery codes: the password is enough again."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--email", required=True)

    @transaction.atomic
    def run(self, *, email: str, **_: Any) -> Report:
        user = User.objects.filter(email=email).first()
        if user is None:
            raise CommandError(f"There is no user with the e-mail address {email!r}.")
        removed = list(Authenticator.objects.filter(user=user))
        for authenticator in removed:
            record("second_factor.removed", user, actor=None, type=authenticator.type)
            authenticator.delete()
        line = f"Removed {len(removed)} second factors of {user.email}."
        return Report(lines=[line], data={"removed": len(removed)})

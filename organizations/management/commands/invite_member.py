"""`invite_member`: a link by which a person joins an organization."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email

from organizations.fields import normalize_email
from organizations.management.reporting import Report, ReportingCommand
from organizations.models import Organization, Role
from organizations.people.invitations import AlreadyMember, invite


class Command(ReportingCommand):
    help = "Invite a person to an organization. Prints the link, and mails it where mail is set up."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--email", required=True)
        parser.add_argument("--role", required=True, choices=[name.lower() for name in Role.names])

    def run(self, *, organization: str, email: str, role: str, **_: Any) -> Report:
        inviting = Organization.objects.filter(slug=organization).first()
        if inviting is None:
            raise CommandError(f"There is no organization with the slug {organization!r}.")
        try:
            validate_email(email)
            invitation = invite(inviting, normalize_email(email), Role[role.upper()], by=None)
        except ValidationError as error:
            raise CommandError(f"{email!r} is not an e-mail address.") from error
        except AlreadyMember as error:
            raise CommandError(str(error)) from error
        return Report(
            lines=[
                f"Invited {invitation.email} to {inviting.name} as {invitation.role_label}.",
                f"The link works once, for 7 days: {invitation.link}",
            ],
            data={"link": invitation.link},
        )

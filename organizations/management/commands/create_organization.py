"""`create_organization`: an organization, and who owns it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email, validate_slug
from django.db import transaction
from django.utils.text import slugify

from organizations.management.reporting import Report, ReportingCommand
from organizations.models import AuditEntry, Membership, Organization, Role, User
from organizations.people.members import lock_people
from organizations.sign_in.passwords import password_set_link


class Command(ReportingCommand):
    help = "Create an organization, or find it by its slug, and give it an owner."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument("--slug", help="Used in URLs; by default derived from the name.")
        parser.add_argument("--owner", metavar="EMAIL", help="Created if there is no such user.")

    @transaction.atomic
    def run(self, *, name: str, slug: str | None, owner: str | None, **_: Any) -> Report:
        organization, created = find_or_create(name, slug or slugify(name))
        lines = [
            f"{'Created' if created else 'Found'} the organization {organization.name} "
            f"at /o/{organization.slug}/."
        ]
        link = None
        if owner:
            user = make_owner(organization, owner)
            lines.append(f"Its owner is {user.email}.")
            if not user.has_usable_password():
                link = password_set_link(user)
                lines.append(f"Link to set a password, which works once: {link}")
        return Report(
            lines=lines,
            data={"slug": organization.slug, "created": created, "password_set_url": link},
        )


@transaction.atomic
def find_or_create(name: str, slug: str) -> tuple[Organization, bool]:
    try:
        validate_slug(slug)
        Organization(name=name, slug=slug).clean_fields()
    except ValidationError as error:
        raise CommandError(
            f"{name!r} with the slug {slug!r} cannot be an organization: {' '.join(error.messages)}"
        ) from error
    organization, created = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
    if created:
        AuditEntry.record(organization, "organization.created", organization)
    return organization, created


@transaction.atomic
def make_owner(organization: Organization, email: str) -> User:
    try:
        validate_email(email)
    except ValidationError as error:
        raise CommandError(f"{email!r} is not an e-mail address.") from error
    lock_people(organization)
    user = User.objects.filter(email=email).first() or User.objects.create_user(email)
    found = Membership.objects.filter(user=user, organization=organization)
    before = next((one.role_label for one in found), None)
    if before != Role.OWNER.label:
        found.update_or_create(user=user, organization=organization, defaults={"role": Role.OWNER})
        AuditEntry.record(
            organization,
            "member.made_owner",
            user,
            before={"role": before},
            after={"role": Role.OWNER.label},
        )
    return user

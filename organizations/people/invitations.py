"""Inviting an address, and accepting: by whoever has the link, once, within seven days."""

from contextlib import suppress

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from organizations.models import AuditEntry, Invitation, Membership, Organization, Role, User
from organizations.people.invitation_mail import request_invitation_mail
from organizations.people.members import add, lock_people
from organizations.sign_in.verification import mark_verified, note_unproven


class AlreadyMember(Exception):
    """The address is that of a member."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is a member already.")


class InvitationEnded(Exception):
    """It was accepted, withdrawn or renewed, or has expired."""


class AddressTaken(Exception):
    """There is a user with the address by now."""


@transaction.atomic
def invite(organization: Organization, email: str, role: Role, *, by: User | None) -> Invitation:
    """Invite an address, and mail it the link where mail is set up. Raises AlreadyMember.

    An invitation that the address has and did not accept is renewed, with this role.
    """
    lock_people(organization)
    if organization.memberships.filter(user__email=email).exists():
        raise AlreadyMember(email)
    invitation = Invitation.objects.for_organization(organization).pending().filter(email=email)
    return _send(
        invitation.first() or Invitation(organization=organization, email=email), role, by=by
    )


@transaction.atomic
def send_again(invitation: Invitation, *, by: User) -> Invitation | None:
    """Renew it; None if it is not pending any more."""
    lock_people(invitation.organization)
    current = _reload(invitation)
    return _send(current, Role(current.role), by=by) if current else None


def _send(invitation: Invitation, role: Role, *, by: User | None) -> Invitation:
    before = _terms(invitation) if invitation.pk else {"role": None, "expires_at": None}
    invitation.renew(timezone.now())
    invitation.role, invitation.invited_by = role, by
    invitation.save()
    AuditEntry.record(
        invitation.organization,
        "invitation.sent",
        invitation,
        actor=by,
        before=before,
        after=_terms(invitation),
    )
    request_invitation_mail(invitation)
    return invitation


@transaction.atomic
def withdraw(invitation: Invitation, *, by: User) -> bool:
    """Whether it was pending until now."""
    lock_people(invitation.organization)
    current = _reload(invitation)
    if current is None:
        return False
    current.withdrawn_at = timezone.now()
    current.save(update_fields=["withdrawn_at"])
    AuditEntry.record(
        current.organization,
        "invitation.withdrawn",
        current,
        actor=by,
        before={"role": current.role_label},
        after={"role": None},
    )
    return True


def find_open(pk: int, secret: str) -> Invitation | None:
    """The invitation that this link opens, as long as it does."""
    found = Invitation.objects.open(timezone.now()).select_related("organization", "invited_by")
    invitation = found.filter(pk=pk).first()
    return invitation if invitation and invitation.has_secret(secret) else None


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Membership:
    """Make the invited user a member, and the link useless.

    Raises InvitationEnded, and ValueError for a user with another address.
    """
    lock_people(invitation.organization)
    current = find_open(invitation.pk, invitation.secret)
    if current is None:
        raise InvitationEnded
    if user.email != current.email:
        raise ValueError("An invitation is for its address alone.")
    membership = add(current.organization, user, Role(current.role), by=user, how="invitation")
    current.accepted_at = timezone.now()
    current.save(update_fields=["accepted_at"])
    if settings.MAIL_IS_SET_UP:
        mark_verified(user)  # who has the link reads the mail of that address
    return membership


def is_invited(email: str) -> bool:
    return Invitation.objects.open(timezone.now()).filter(email=email).exists()


@transaction.atomic
def accept_all(user: User) -> None:
    """Accept every open invitation of the user's address, of which somebody knows it is theirs."""
    found = Invitation.objects.open(timezone.now()).filter(email=user.email)
    for invitation in found.select_related("organization").order_by("organization"):
        with suppress(InvitationEnded):  # at this moment
            accept(invitation, user)


@transaction.atomic
def accept_as_new_user(invitation: Invitation, name: str, password: str) -> User:
    """Raises InvitationEnded, or AddressTaken where the address has become a user's."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(invitation.email, password, name=name)
    except IntegrityError:
        raise AddressTaken from None
    if not settings.MAIL_IS_SET_UP:
        note_unproven(user)  # owners see the link, too
    accept(invitation, user)
    return user


def _terms(invitation: Invitation) -> dict[str, str]:
    """What an entry says of it."""
    return {
        "role": invitation.role_label,
        "expires_at": f"{invitation.expires_at:%Y-%m-%d %H:%M} UTC",
    }


def _reload(invitation: Invitation) -> Invitation | None:
    pending = Invitation.objects.pending().select_related("organization")
    return pending.filter(pk=invitation.pk).first()

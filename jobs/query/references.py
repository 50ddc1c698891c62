"""Ids and names that callers send to name a row."""

import re
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from jobs.models import Job, JobErrorGroup, ProviderAccount
from jobs.query.visibility import Visibility
from organizations.fields import normalize_email
from organizations.models import ApiToken, Membership, Organization, User
from organizations.models.token import TOKEN_PREFIX

MAX_ID = 2**63 - 1
ID_PATTERN = f"^[0-9]{{1,{len(str(MAX_ID))}}}$"
# who asks, in place of an e-mail address
ME = "me"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

Row = TypeVar("Row", bound=Model)


def find_accounts(
    visible: QuerySet[ProviderAccount], references: Iterable[str]
) -> dict[str, ProviderAccount]:
    """The one of `visible` accounts that each reference names, by its id or its exact name.

    A reference that names none is left out. An id goes before a name made of digits. The
    secrets of the accounts are not loaded.
    """
    # a database may refuse a value that no name can have
    references = {text for text in references if not has_control_characters(text)}
    ids = [pk for text in references if (pk := read_id(text)) is not None]
    accounts = visible.defer("credentials", "hook_secret").filter(
        Q(pk__in=ids) | Q(name__in=references)
    )
    by_name = {account.name: account for account in accounts}
    known = by_name | {str(account.pk): account for account in accounts}
    return {text: known[text] for text in references if text in known}


def find_batches(visible: Visibility, references: Iterable[str]) -> dict[str, int]:
    """The id of the batch that each reference names, by its id or its exact name.

    A reference that names none is left out. An id goes before a name made of digits. One query.
    """
    references = {text for text in references if not has_control_characters(text)}
    ids = [pk for text in references if (pk := read_id(text)) is not None]
    batches = visible.batches().filter(Q(pk__in=ids) | Q(name__in=references))
    rows = list(batches.order_by().values_list("pk", "name"))
    known = {name: pk for pk, name in rows} | {str(pk): pk for pk, _ in rows}
    return {text: known[text] for text in references if text in known}


def find_submitters(organization: Organization, references: Iterable[str]) -> dict[str, Q]:
    """The jobs that each reference, an e-mail address or `token:NAME`, submitted.

    A reference that names nobody is left out, and so is somebody of other organizations. Tokens
    may share a name: then all of them count, those revoked included.
    """
    names = {text: text.removeprefix(TOKEN_PREFIX) for text in references}
    tokens = {text: name for text, name in names.items() if name != text}
    emails = {text: normalize_email(name) for text, name in names.items() if name == text}
    found: dict[str, Q] = {}
    if tokens:
        owned = ApiToken.objects.for_organization(organization).filter(name__in=tokens.values())
        ids: dict[str, list[int]] = {}
        for pk, name in owned.values_list("pk", "name"):
            ids.setdefault(name, []).append(pk)
        found |= {
            text: Q(submitted_token__in=ids[name]) for text, name in tokens.items() if name in ids
        }
    if emails:
        jobs = Job.objects.filter(submitted_by=OuterRef("pk"), organization=organization)
        people = User.objects.filter(
            # somebody who has left is still the one who submitted
            Q(memberships__organization=organization) | Exists(jobs),
            email__in=emails.values(),
        )
        known = dict(people.values_list("email", "pk"))
        found |= {
            text: Q(submitted_by=known[email]) for text, email in emails.items() if email in known
        }
    return found


def find_assignees(visible: Visibility, references: Iterable[str]) -> dict[str, list[int]]:
    """The members that each reference, an e-mail address, a name or `me`, means, by their ids.

    A reference that means nobody is left out: members may share a name, then all of them count.
    One query if any is not `me`.
    """
    references = set(references)
    found: dict[str, list[int]] = {}
    if visible.member_id is not None:
        found = {text: [visible.member_id] for text in references if text.lower() == ME}
    others = {text for text in references if text.lower() != ME}
    if not others:
        return found
    members = Membership.objects.filter(organization=visible.organization).filter(
        reduce(or_, (Q(user__name__iexact=text) for text in others))
        | Q(user__email__in=[normalize_email(text) for text in others])
    )
    rows = list(members.order_by("pk").values_list("pk", "user__email", "user__name"))
    for text in others:
        # an e-mail address goes before a name that looks like one
        ids = [pk for pk, email, _ in rows if email == normalize_email(text)]
        ids = ids or [pk for pk, _, name in rows if name.lower() == text.lower()]
        if ids:
            found[text] = ids
    return found


def find_member(organization: Organization, email: str) -> Membership | None:
    members = Membership.objects.filter(organization=organization).select_related("user")
    return members.filter(user__email=normalize_email(email)).first()


def explain_assignee(text: str) -> str:
    """Why `find_assignees` finds nobody."""
    if text.lower() == ME:
        return "“me” means a person who is signed in. Write an e-mail address."
    return f"No member has the e-mail address, or the name, “{text}”."


def read_id(text: str) -> int | None:
    """Read one of our ids; None for what cannot be one, however long."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID))
    return int(text) if is_number and int(text) <= MAX_ID else None


def find_by_id(rows: QuerySet[Row], text: str) -> Row | None:
    """The row of `rows` with this id, as it is in a URL."""
    pk = read_id(text)
    return None if pk is None else rows.filter(pk=pk).first()


def has_control_characters(text: str) -> bool:
    """Whether `text` holds what no name has and a database may refuse, such as NUL."""
    return _CONTROL.search(text) is not None


def find_error_groups(organization: Organization, texts: Iterable[str]) -> dict[str, list[int]]:
    """By id, as given: the group and those that are merged into it. One query if any is an id."""
    ids = {text: pk for text in texts if (pk := read_id(text)) is not None}
    if not ids:
        return {}
    named = Q(pk__in=ids.values()) | Q(merged_into__in=ids.values())
    rows = JobErrorGroup.objects.for_organization(organization).filter(named)
    pairs = list(rows.values_list("pk", "merged_into"))
    known = {pk for pk, _ in pairs}
    return {
        text: [pk for pk, root in pairs if wanted in (pk, root)]
        for text, wanted in ids.items()
        if wanted in known
    }

"""Values to choose from behind a key, each with what it stands for."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from jobs.query.language.context import Context
from jobs.query.references import ME, read_id
from organizations.models import ApiToken, Membership, User
from organizations.models.token import TOKEN_PREFIX
from providers.core import registry
from providers.core.errors import CLASSES
from providers.core.status import JobStatus

MAX_CHOICES = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """`value` as it is written behind the key, not quoted."""

    value: str
    title: str


def _that_begin(text: str, pairs: Iterable[tuple[str, str]]) -> list[Choice]:
    """Those that begin like `text`; if none does, those that have it in the value or title."""
    text = text.lower()
    known = [Choice(value, title) for value, title in pairs]
    found = [one for one in known if one.value.lower().startswith(text)]
    found = found or [one for one in known if text in f"{one.value} {one.title}".lower()]
    return found[:MAX_CHOICES]


def statuses(context: Context, text: str) -> list[Choice]:
    return _that_begin(text, ((status.value, status.value.capitalize()) for status in JobStatus))


def providers(context: Context, text: str) -> list[Choice]:
    """Those that there are accounts of."""
    slugs = sorted({slug for _, _, slug in context.accounts()})
    return _that_begin(text, ((slug, registry.get_or_removed(slug).label) for slug in slugs))


def accounts(context: Context, text: str) -> list[Choice]:
    pairs = (
        (name, registry.get_or_removed(slug).label) for _, name, slug in context.accounts() if name
    )
    return _that_begin(text, pairs)


def errors(context: Context, text: str) -> list[Choice]:
    families = dict.fromkeys(f"{name.partition('.')[0]}.*" for name in CLASSES if "." in name)
    pairs = [(name, known.title) for name, known in CLASSES.items()]
    return _that_begin(text, [*pairs, *((family, "All of these") for family in families)])


def error_groups(context: Context, text: str) -> list[Choice]:
    """The newest ones by id, each with its title and message."""
    rows = context.visible.error_groups().roots().order_by("-pk")
    if text:
        rows = rows.filter(pk=read_id(text) or 0)
    return [Choice(str(group.pk), str(group)) for group in rows[:MAX_CHOICES]]


def presets(context: Context, text: str) -> list[Choice]:
    rows = context.visible.presets().filter(Q(name__icontains=text) & ~Q(name=""))
    found = rows.order_by("name", "pk").values_list("name", "remote_id")[:MAX_CHOICES]
    return [Choice(name, remote_id) for name, remote_id in found]


def batches(context: Context, text: str) -> list[Choice]:
    """The newest with `text` in their names."""
    rows = context.visible.batches().filter(name__icontains=text)
    return [Choice(name, "Batch") for name in rows.values_list("name", flat=True)[:MAX_CHOICES]]


def submitters(context: Context, text: str) -> list[Choice]:
    organization = context.visible.organization
    people = User.objects.filter(memberships__organization=organization, email__icontains=text)
    tokens = ApiToken.objects.for_organization(organization).filter(
        name__icontains=text.removeprefix(TOKEN_PREFIX)
    )
    return [
        *(Choice(one.email, one.display_name) for one in people.order_by("email")[:MAX_CHOICES]),
        *(
            Choice(f"{TOKEN_PREFIX}{name}", "API token")
            for name in tokens.order_by("name")
            .values_list("name", flat=True)
            .distinct()[:MAX_CHOICES]
        ),
    ][:MAX_CHOICES]


def assignees(context: Context, text: str) -> list[Choice]:
    members = Membership.objects.filter(organization=context.visible.organization).filter(
        Q(user__email__icontains=text) | Q(user__name__icontains=text)
    )
    found = members.select_related("user").order_by("user__email")[:MAX_CHOICES]
    me = [Choice(ME, "You")] if context.visible.member_id and ME.startswith(text.lower()) else []
    return [*me, *(Choice(one.user.email, one.user.display_name) for one in found)][:MAX_CHOICES]


def times(context: Context, text: str) -> list[Choice]:
    pairs = (
        (">1h", "In the last hour"),
        (">2d", "In the last 2 days"),
        (">7d", "In the last 7 days"),
        ("today", "Today"),
        ("yesterday", "Yesterday"),
        ("7d..2d", "From 7 to 2 days ago"),
    )
    return _that_begin(text, pairs)


def lengths(context: Context, text: str) -> list[Choice]:
    pairs = (
        (">20m", "Longer than 20 minutes"),
        (">1h", "Longer than an hour"),
        ("<30s", "Shorter than 30 seconds"),
        ("5m..20m", "From 5 to 20 minutes"),
    )
    return _that_begin(text, pairs)


def flags(context: Context, text: str) -> list[Choice]:
    pairs = (
        ("unresolved", "Failed, and no later attempt succeeded"),
        ("partial", "Ended with usable and with failed outputs"),
        ("suspect", "Succeeded, but something looks wrong"),
        ("stuck", "Unfinished, and takes far too long"),
        ("gone", "The provider no longer has it"),
        ("unconfirmed", "Its submission must be checked at the provider"),
        ("test", "A test job"),
    )
    return _that_begin(text, pairs)


def present(context: Context, text: str) -> list[Choice]:
    pairs = (("error", "Any reported error"), ("assignee", "Somebody looks after it"))
    return _that_begin(text, pairs)

"""Whose jobs are measured: three organizations with 80, 19 and 1 % of them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.models import Batch, BatchState, GroupMark, JobErrorGroup, Preset, ProviderAccount
from organizations.models import ApiToken, Membership, Organization, Role, User
from providers.core import registry

# when the newest job was created: what pages count of today and of the last weeks is there
LATEST = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
SHARES = {"large": 80, "middle": 19, "minor": 1}

# Accounts by organization: name, place of the provider in the registry, and how many of a thousand
# of the organization's jobs it has.
ACCOUNTS = {
    "large": (
        ("main", 0, 600),
        ("second", 0, 200),
        ("third", 1, 100),
        ("fourth", 1, 80),
        ("fifth", 2, 19),
        ("rare", 0, 1),
    ),
    "middle": (("main", 0, 700), ("second", 1, 300)),
    "minor": (("main", 0, 700), ("second", 1, 300)),
}

# The classes of the failures, by the last digit of a number below a thousand that each job has.
# Each digit has GROUPS error groups, and in each organization one more is rare.
CLASSES = (
    *("input.not_found", "input.not_found", "input.not_found", "input.timeout", "encode.failed"),
    *("output.access_denied", "unknown", "provider.timeout", "input.corrupt", "quota.plan"),
)
GROUPS = 4
RARE_GROUP = len(CLASSES) * GROUPS
# of each organization
BATCHES = 50


@dataclass(frozen=True, slots=True)
class World:
    """`presets` are a common and a rare one of the large organization's first account; `groups`
    has the error groups of each organization in the order of CLASSES, and RARE_GROUP.
    """

    user: User
    # of the large organization
    member: Membership
    token: ApiToken
    token_text: str
    accounts: dict[str, list[ProviderAccount]]
    presets: tuple[Preset, Preset]
    groups: dict[str, list[JobErrorGroup]]
    # `spring-0` and so on; by organization
    batches: dict[str, list[Batch]]


def make_world() -> World:
    """The organizations and all else that their jobs belong to; no jobs."""
    user = User.objects.create_superuser("bench@example.com")
    accounts = {slug: _make_accounts(slug, user) for slug in SHARES}
    token, text = ApiToken.issue(accounts["large"][0].organization, "bench", created_by=user)
    common, rare = (
        Preset.objects.create(
            account=accounts["large"][0],
            remote_id=name,
            name=name,
            first_seen_at=LATEST,
            changed_at=LATEST,
        )
        for name in ("web-720", "archive")
    )
    groups = {slug: _make_groups(accounts[slug][0]) for slug in SHARES}
    member = Membership.objects.get(organization__slug="large")
    batches = {slug: _make_batches(accounts[slug][0]) for slug in SHARES}
    return World(user, member, token, text, accounts, (common, rare), groups, batches)


def _make_batches(account: ProviderAccount) -> list[Batch]:
    return Batch.objects.bulk_create(
        Batch(
            organization=account.organization,
            account=account,
            name=f"spring-{number}",
            request={},
            state=BatchState.SENT,
            total=0,
            created_at=LATEST,
        )
        for number in range(BATCHES)
    )


def _make_groups(account: ProviderAccount) -> list[JobErrorGroup]:
    classes = [CLASSES[number // GROUPS] for number in range(RARE_GROUP)]
    return [
        JobErrorGroup.objects.create(
            organization=account.organization,
            fingerprint=f"{number:032}",
            version=1,
            error_class=name,
            message=f"Step <n> of part {number} ended at frame <n>.",
            mark=GroupMark.NEW if number % 10 == 0 else GroupMark.NONE,
            marked_at=LATEST,
            created_at=LATEST,
        )
        for number, name in enumerate([*classes, "input.corrupt"])
    ]


def _make_accounts(slug: str, user: User) -> list[ProviderAccount]:
    organization = Organization.objects.create(name=slug.title(), slug=slug)
    Membership.objects.create(organization=organization, user=user, role=Role.OPERATOR)
    providers = [name for name, _ in registry.choices()]
    return [
        ProviderAccount.objects.create(
            organization=organization,
            provider=providers[place],
            name=name,
            base_url="https://example.com",
            credentials={},
            imported_at=LATEST,
            last_pass_at=LATEST,
            last_success_at=LATEST,
        )
        for name, place, _ in ACCOUNTS[slug]
    ]

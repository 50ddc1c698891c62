"""Whose jobs are measured: three organizations with 80, 19 and 1 % of them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.models import Preset, ProviderAccount
from organizations.models import ApiToken, Membership, Organization, Role, User
from providers.core import registry

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
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


@dataclass(frozen=True, slots=True)
class World:
    """`presets` are a common and a rare one of the large organization's first account."""

    user: User
    token: ApiToken
    token_text: str
    accounts: dict[str, list[ProviderAccount]]
    presets: tuple[Preset, Preset]


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
            first_seen_at=NOON,
            changed_at=NOON,
        )
        for name in ("web-720", "archive")
    )
    return World(user, token, text, accounts, (common, rare))


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
            imported_at=NOON,
            last_pass_at=NOON,
            last_success_at=NOON,
        )
        for name, place, _ in ACCOUNTS[slug]
    ]

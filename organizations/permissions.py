"""Who may do what: the one table that pages, the API and the page of roles go by."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from organizations.models.organization import Role
from organizations.models.token import Scope


class Permission(StrEnum):
    """What somebody may do in an organization."""

    READ = "read"
    SUBMIT = "submit"
    ACT = "act"
    TRIAGE = "triage"
    NOTES = "notes"
    MODERATE = "moderate"
    SHARE_VIEWS = "share_views"
    TEMPLATES = "templates"
    RETRY_RULES = "retry_rules"
    SYNC = "sync"
    DELIVERIES = "deliveries"
    ACCOUNTS = "accounts"
    STORAGE = "storage"
    TOKENS = "tokens"
    AUDIT = "audit"
    PEOPLE = "people"
    SETTINGS = "settings"


# How the page of roles groups them
JOBS, PROVIDERS, ORGANIZATION = "Jobs and files", "Accounts", "Organization"


@dataclass(frozen=True, slots=True)
class Rule:
    """The lowest role and the lowest scope of an API token that are enough.

    Without a scope no token may: people and tokens are managed by people alone.
    """

    group: str
    label: str
    role: Role
    scope: Scope | None = None


RULES: Mapping[Permission, Rule] = {
    Permission.READ: Rule(
        JOBS,
        "See jobs, files, presets, accounts and members, and export lists",
        Role.VIEWER,
        Scope.READ,
    ),
    Permission.SUBMIT: Rule(JOBS, "Submit jobs and watch jobs by id", Role.OPERATOR, Scope.OPERATE),
    Permission.ACT: Rule(
        JOBS, "Cancel and retry jobs, and resolve unconfirmed ones", Role.OPERATOR, Scope.OPERATE
    ),
    Permission.TRIAGE: Rule(
        JOBS,
        "Assign failures and errors; mute, resolve and merge errors, and link them to tickets",
        Role.OPERATOR,
        Scope.OPERATE,
    ),
    Permission.NOTES: Rule(
        JOBS,
        "Write notes on jobs and errors; change and delete one's own",
        Role.OPERATOR,
        Scope.OPERATE,
    ),
    Permission.MODERATE: Rule(JOBS, "Delete notes of others", Role.OWNER),
    Permission.SHARE_VIEWS: Rule(
        JOBS, "Save views for everybody; views of one's own need no role", Role.OPERATOR
    ),
    Permission.TEMPLATES: Rule(
        JOBS,
        "Save and archive templates, and choose which one new jobs begin with",
        Role.OPERATOR,
    ),
    Permission.RETRY_RULES: Rule(
        JOBS, "Save, switch and delete rules that retry failures by themselves", Role.MANAGER
    ),
    Permission.SYNC: Rule(
        PROVIDERS, "Sync accounts, see their usage", Role.OPERATOR, Scope.OPERATE
    ),
    Permission.DELIVERIES: Rule(PROVIDERS, "See the bodies of webhook deliveries", Role.OPERATOR),
    Permission.ACCOUNTS: Rule(
        PROVIDERS,
        "Add, change, check, pause and resume accounts, see their webhook URLs",
        Role.MANAGER,
        Scope.MANAGE,
    ),
    Permission.STORAGE: Rule(
        PROVIDERS, "Add, change and delete stored sources and destinations", Role.MANAGER
    ),
    Permission.TOKENS: Rule(ORGANIZATION, "Create and revoke API tokens", Role.MANAGER),
    Permission.AUDIT: Rule(ORGANIZATION, "See and export the audit log", Role.MANAGER),
    Permission.PEOPLE: Rule(
        ORGANIZATION, "Invite and remove people, change their roles", Role.OWNER
    ),
    Permission.SETTINGS: Rule(
        ORGANIZATION, "Change the organization's name, time zone and defaults", Role.OWNER
    ),
}

_SCOPES = list(Scope)


def role_allows(role: Role, permission: Permission) -> bool:
    return role >= RULES[permission].role


def scope_allows(scope: str, permission: Permission) -> bool:
    lowest = RULES[permission].scope
    return lowest is not None and _SCOPES.index(Scope(scope)) >= _SCOPES.index(lowest)

"""A retry rule: which failures are retried by themselves, how often and when."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from jobs.models.account import ProviderAccount
from jobs.models.mirror.error_group import JobErrorGroup
from jobs.models.work import DueQuerySet, LeasedModel
from organizations.models import Organization
from providers.core.errors import CLASSES
from providers.parsing.text import make_visible

MAX_RETRIES = 5
MAX_DELAY_MINUTES = 24 * 60
MAX_DAILY = 1_000
# Each retry waits twice as long as the one before, but no longer than this.
LONGEST_DELAY = timedelta(days=1)


class RetryRuleQuerySet(DueQuerySet["RetryRule"]):
    def for_organization(self, organization: Organization) -> "RetryRuleQuerySet":
        """By name."""
        found = self.filter(organization=organization).order_by("name")
        return found.select_related("organization", "account", "error_group").defer(
            "account__credentials", "account__hook_secret", "account__options"
        )


class RetryRule(LeasedModel):
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="retry_rules"
    )
    name = models.CharField(max_length=100)
    # null: all accounts, later ones too
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    # either a class or a family such as `input.*`, or else a group with those merged into it
    error_class = models.CharField(max_length=40, blank=True)
    error_group = models.ForeignKey(
        JobErrorGroup, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    # leave out errors that do not go away by themselves
    only_transient = models.BooleanField(default=True)
    # of one job, those that people made included
    max_retries = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(MAX_RETRIES)]
    )
    # before the first retry; doubled for each further one
    delay_minutes = models.PositiveIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(MAX_DELAY_MINUTES)]
    )
    # at each account, on a day of the organization's time zone
    daily_limit = models.PositiveIntegerField(
        default=50, validators=[MinValueValidator(1), MaxValueValidator(MAX_DAILY)]
    )
    # only failures since then are retried; null: the rule is off
    starts_at = models.DateTimeField(null=True, blank=True)
    # when it looks for failures again; null while it is off
    next_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RetryRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("organization", "name", name="retry_rule_name"),
            models.CheckConstraint(
                condition=Q(error_group__isnull=True) ^ Q(error_class=""),
                name="retry_rule_class_or_group",
            ),
            models.CheckConstraint(
                condition=Q(
                    max_retries__range=(1, MAX_RETRIES),
                    delay_minutes__range=(1, MAX_DELAY_MINUTES),
                    daily_limit__range=(1, MAX_DAILY),
                ),
                name="retry_rule_numbers",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=False) | Q(next_at__isnull=True),
                name="retry_rule_due_only_when_on",
            ),
        ]
        indexes = [
            # the tick: what is due
            models.Index(
                fields=["next_at"], condition=Q(next_at__isnull=False), name="retry_rule_due"
            ),
        ]

    def __str__(self) -> str:
        return make_visible(self.name)

    @property
    def is_on(self) -> bool:
        return self.starts_at is not None

    @property
    def audit_id(self) -> str:
        """What ties the audit entries of all its retries together."""
        return f"retryrule-{self.pk}"

    @property
    def label(self) -> str:
        """What acts, where people and tokens are named otherwise."""
        return f"Retry rule “{make_visible(self.name)}”"

    @property
    def error_label(self) -> str:
        """The errors as people read them."""
        if self.error_group is not None:
            return str(self.error_group)
        known = CLASSES.get(self.error_class)
        return f"{known.title} ({known.name})" if known else self.error_class

    @property
    def error_classes(self) -> tuple[str, ...]:
        """The classes of the errors that it retries."""
        if self.error_group is not None:
            # groups of other classes may be merged into it
            named = tuple(CLASSES)
        elif self.error_class.endswith(".*"):
            named = tuple(name for name in CLASSES if name.startswith(self.error_class[:-1]))
        else:
            named = (self.error_class,)
        if not self.only_transient:
            return named
        return tuple(name for name in named if name in CLASSES and CLASSES[name].is_transient)

    def delay(self, number: int) -> timedelta:
        """How long the retry with this number waits after the failure; the first is 1."""
        return min(timedelta(minutes=self.delay_minutes) * 2 ** (number - 1), LONGEST_DELAY)

    @property
    def zone(self) -> ZoneInfo:
        """That of its days."""
        return ZoneInfo(self.organization.time_zone)

"""What a caller may see of an organization: all of it, or what belongs to some accounts."""

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Exists, OuterRef, QuerySet

from jobs.models import Batch, Job, JobErrorGroup, Output, Preset, ProviderAccount
from jobs.models.account import ProviderAccountQuerySet
from jobs.models.mirror.error_group import JobErrorGroupQuerySet
from jobs.models.mirror.job import JobQuerySet
from jobs.models.mirror.output import OutputQuerySet
from jobs.models.mirror.preset import PresetQuerySet
from jobs.models.work import LongWorkQuerySet
from organizations.models import Organization

Rows = TypeVar("Rows", bound=QuerySet)


@dataclass(frozen=True, slots=True)
class Visibility:
    """The one place where rows are narrowed to what a caller may see.

    `account_ids`: those of the accounts that an API token is restricted to; None for all accounts.
    `member_id`: of the person who asks, whom `me` means; None for a token.
    """

    organization: Organization
    account_ids: frozenset[int] | None = None
    member_id: int | None = None

    def accounts(self) -> ProviderAccountQuerySet:
        found = ProviderAccount.objects.for_organization(self.organization)
        return self._narrow(found, "pk")

    def jobs(self) -> JobQuerySet:
        return self._narrow(Job.objects.for_organization(self.organization), "account")

    def outputs(self) -> OutputQuerySet:
        return self._narrow(Output.objects.for_organization(self.organization), "account")

    def batches(self) -> LongWorkQuerySet[Batch]:
        return self._narrow(Batch.objects.for_organization(self.organization), "account")

    def presets(self) -> PresetQuerySet:
        return self._narrow(Preset.objects.for_organization(self.organization), "account")

    def error_groups(self) -> JobErrorGroupQuerySet:
        """Groups in which a job that the caller may see has failed, merged ones too."""
        groups = JobErrorGroup.objects.for_organization(self.organization)
        failures = self._narrow(Job.objects.filter(error_group=OuterRef("pk")), "account")
        return groups.filter(Exists(failures))

    def _narrow(self, rows: Rows, field: str) -> Rows:
        if self.account_ids is None:
            return rows
        narrowed: Rows = rows.filter(**{f"{field}__in": self.account_ids})
        return narrowed

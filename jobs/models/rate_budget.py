"""The requests that an account sent lately, by which its rate is limited."""

from django.db import models

from jobs.models.account import ProviderAccount


class RateBudget(models.Model):
    """Per account and kind of call. Kept by jobs.accounts.budget."""

    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="+")
    bucket = models.CharField(max_length=40)
    # [when the last of them was sent, how many], for each second of the last minute with any
    sent = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint("account", "bucket", name="rate_budget_unique"),
        ]

    def __str__(self) -> str:
        return self.bucket

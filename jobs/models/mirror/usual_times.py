"""How long jobs usually take, by account and by what the jobs have in common."""

from django.db import models

from jobs.models.account import ProviderAccount


class UsualTimes(models.Model):
    """Of the jobs of one account that ended normally of late: see jobs.stuck.history.

    `shape` is what they have in common: see jobs.stuck.shape.
    """

    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, related_name="usual_times", db_index=False
    )
    shape = models.CharField(max_length=40)
    # from start to end
    run_jobs = models.PositiveIntegerField()
    run_p25_ms = models.PositiveBigIntegerField(null=True)
    run_p50_ms = models.PositiveBigIntegerField(null=True)
    run_p90_ms = models.PositiveBigIntegerField(null=True)
    run_p95_ms = models.PositiveBigIntegerField(null=True)
    # from creation to start
    wait_jobs = models.PositiveIntegerField()
    wait_p50_ms = models.PositiveBigIntegerField(null=True)
    wait_p95_ms = models.PositiveBigIntegerField(null=True)

    class Meta:
        verbose_name_plural = "usual times"
        constraints = [models.UniqueConstraint("account", "shape", name="usual_times_of_shape")]

    def __str__(self) -> str:
        return f"{self.shape or 'all jobs'} of account {self.account_id}"

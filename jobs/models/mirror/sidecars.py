"""Rows beside a job's own: its payload, its secret, and when it was confirmed.

Apart from Job, so that lists never load them and confirming a job rewrites no wide row.
"""

import json
import zlib
from typing import Any

from django.db import models

from jobs.models.account import ProviderAccount
from jobs.models.fields import EncryptedJSONField
from jobs.models.mirror.job import Job


class JobSecret(models.Model):
    """The original input URL, where it carries a signature or a key. Never listed."""

    job = models.OneToOneField(
        Job, on_delete=models.CASCADE, primary_key=True, related_name="secret"
    )
    input_url = EncryptedJSONField(null=True)

    def __str__(self) -> str:
        return f"secret of job {self.pk}"


class JobBody(models.Model):
    """The provider's last body, redacted and compressed; apart, so that lists never touch it."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="body")
    compressed = models.BinaryField()
    stored_at = models.DateTimeField()
    # of the body without what signs its URLs, so that an equal one is not written again
    digest = models.CharField(max_length=32, blank=True)
    # a list's payload that omits keys: it is replaced by any, and replaces no complete one
    is_partial = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "job bodies"

    def __str__(self) -> str:
        return f"body of job {self.pk}"

    @staticmethod
    def compress(value: Any) -> bytes:
        return zlib.compress(json.dumps(value, separators=(",", ":")).encode())

    @property
    def value(self) -> Any:
        return json.loads(zlib.decompress(bytes(self.compressed)))


class JobPoll(models.Model):
    """One row for each unfinished job that the provider knows: last confirmed, next due.

    Apart from Job, so that confirming an unchanged job rewrites no wide row.
    """

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="poll")
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="polls")
    confirmed_at = models.DateTimeField()
    next_at = models.DateTimeField()

    class Meta:
        indexes = [
            # the refresh of one account: due jobs, least recently confirmed first
            models.Index(fields=["account", "next_at"], name="poll_due"),
        ]

    def __str__(self) -> str:
        return f"poll of job {self.pk}"

"""Where an organization's inputs are read and its outputs delivered, with the credentials."""

from django.db import models
from django.db.models import Q

from jobs.models.fields import EncryptedJSONField
from organizations.models import Organization
from providers.parsing.text import make_visible

MAX_NAME = 60
# without a slash, so that `NAME/path` is read in one way
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]*"


class LocationKind(models.TextChoices):
    S3 = "s3", "S3-compatible bucket"
    URL = "url", "URL with credentials"


class StoredLocationQuerySet(models.QuerySet["StoredLocation"]):
    def for_organization(self, organization: Organization) -> "StoredLocationQuerySet":
        """By name."""
        return self.filter(organization=organization).order_by("name")

    def listable(self) -> "StoredLocationQuerySet":
        """Sources whose objects can be listed."""
        return self.filter(kind=LocationKind.S3, is_source=True)


class StoredLocation(models.Model):
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    name = models.CharField(max_length=MAX_NAME)
    kind = models.CharField(max_length=3, choices=LocationKind.choices, default=LocationKind.S3)
    is_source = models.BooleanField(default=False)
    is_destination = models.BooleanField(default=False)
    # of a bucket; without an endpoint, it is at AWS
    endpoint = models.CharField(max_length=500, blank=True)
    region = models.CharField(max_length=60, blank=True)
    bucket = models.CharField(max_length=255, blank=True)
    prefix = models.CharField(max_length=500, blank=True)
    # redacted; that of a bucket is made of the above
    url = models.CharField(max_length=4000, blank=True)
    # `key_id` and `secret` of a bucket, else `url`
    credentials = EncryptedJSONField()
    # when the storage last accepted them; null where that could not be asked
    checked_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = StoredLocationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("organization", "name", name="stored_location_name"),
            models.CheckConstraint(
                condition=Q(kind__in=LocationKind.values), name="stored_location_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return make_visible(self.name)

    @property
    def is_bucket(self) -> bool:
        return self.kind == LocationKind.S3

    @property
    def place(self) -> str:
        """Where it is, without credentials."""
        return f"s3://{self.bucket}/{self.prefix}" if self.is_bucket else self.url

    @property
    def uses(self) -> str:
        words = {"source": self.is_source, "destination": self.is_destination}
        return " and ".join(word for word, is_used in words.items() if is_used).capitalize()

"""Notes of people on jobs and errors, and whom they mention."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from jobs.models.mirror.error_group import JobErrorGroup
from jobs.models.mirror.job import Job
from organizations.models import ApiToken, Membership, Organization, name_actor


class NoteQuerySet(models.QuerySet["Note"]):
    def for_organization(self, organization: Organization) -> "NoteQuerySet":
        return self.filter(organization=organization)

    def about(self, subject: Job | JobErrorGroup) -> "NoteQuerySet":
        """Of an error group also those of the groups that are merged into it. Not sorted."""
        if isinstance(subject, Job):
            return self.filter(job=subject)
        root = subject.root_id
        groups = JobErrorGroup.objects.filter(Q(pk=root) | Q(merged_into=root))
        return self.filter(error_group__in=groups.values("pk"))

    def with_people(self) -> "NoteQuerySet":
        """With the author and those mentioned: two queries, one where nobody is mentioned."""
        return self.select_related("author", "token").prefetch_related(
            models.Prefetch("mentions", Mention.objects.select_related("membership__user"))
        )


class Note(models.Model):
    """Plain text about one job, or one error group: exactly one of the two is set."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    # their indexes are below: each holds its own kind of note alone
    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, null=True, related_name="notes", db_index=False
    )
    error_group = models.ForeignKey(
        JobErrorGroup, on_delete=models.CASCADE, null=True, related_name="notes", db_index=False
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    token = models.ForeignKey(ApiToken, on_delete=models.SET_NULL, null=True, related_name="+")
    # as they were called when they wrote it, for when they are deleted
    author_name = models.CharField(max_length=254)
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(job__isnull=False, error_group__isnull=True)
                | Q(job__isnull=True, error_group__isnull=False),
                name="note_about_one_thing",
            ),
        ]
        indexes = [
            # the page of a job, and its deletion
            models.Index("job", "id", condition=Q(job__isnull=False), name="note_job"),
            # the page of an error
            models.Index(
                "error_group", "id", condition=Q(error_group__isnull=False), name="note_error_group"
            ),
        ]

    def __str__(self) -> str:
        return f"note {self.pk}"

    @property
    def subject(self) -> Job | JobErrorGroup:
        """What it is about."""
        if self.job is not None:
            return self.job
        return self.error_group  # type: ignore[return-value]  # a constraint

    @property
    def writer(self) -> str:
        """The author's e-mail address, or `token:NAME`; of a deleted one what it was then."""
        return name_actor(self.author, self.token) or self.author_name

    @property
    def writer_name(self) -> str:
        """What pages call the author."""
        return self.author.display_name if self.author else self.writer


class MentionQuerySet(models.QuerySet["Mention"]):
    def of_member(self, member_id: int | None) -> "MentionQuerySet":
        return self.filter(membership=member_id)

    def unread(self) -> "MentionQuerySet":
        return self.filter(read_at__isnull=True)


class Mention(models.Model):
    """A member whom a note names; it counts as unread until they have seen the note.

    A membership, as with assigning: whoever leaves keeps nothing.
    """

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    # no index of its own: the constraint's begins with it
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    read_at = models.DateTimeField(null=True)

    objects = MentionQuerySet.as_manager()

    class Meta:
        constraints = [
            # also the list of a member's mentions, newest notes first
            models.UniqueConstraint(F("membership"), F("note").desc(), name="mention_once"),
        ]
        indexes = [
            # each poll and page: how many are unread
            models.Index(
                fields=["membership"], condition=Q(read_at__isnull=True), name="mention_unread"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership} in {self.note}"

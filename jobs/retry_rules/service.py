"""What people do with retry rules: save, switch, delete them, and cancel a retry that waits."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.models import AutomaticRetry, EventSource, Job, JobEvent, RetryRule, RetryState
from organizations.models import Actor, ApiToken, AuditEntry, User
from providers.core.status import JobStatus

# What a rule says, as the audit log records it
SETTINGS = (
    *("name", "account", "error_class", "error_group", "only_transient"),
    *("max_retries", "delay_minutes", "daily_limit"),
)


class RetryEnded(Exception):
    """There is nothing to cancel: the retry was made, or no longer waits."""


def create_rule(rule: RetryRule, user: User) -> None:
    """Save a new rule, switched off. Raises IntegrityError where its name is taken."""
    with transaction.atomic():
        rule.starts_at = rule.next_at = None
        rule.save(force_insert=True)
        _record(rule, "created", user, after=_describe(rule))


def change_rule(rule: RetryRule, user: User) -> None:
    """Save the settings of `rule`, of which the stored one still has the old ones.

    Where it is on, it starts anew: no failure that happened before is retried only since the
    settings changed. Raises IntegrityError where its name is taken.
    """
    with transaction.atomic():
        stored = _lock(rule)
        before, after = _describe(stored), _describe(rule)
        changed = [name for name in before if before[name] != after[name]]
        if not changed:
            return
        rule.save(update_fields=SETTINGS)
        if stored.is_on:
            _start(rule)
        _record(
            rule,
            "changed",
            user,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )


def switch_on(rule: RetryRule, user: User) -> None:
    """Retry what fails from now on. Twice is once."""
    with transaction.atomic():
        if not _lock(rule).is_on:
            _start(rule)
            _record(rule, "switched_on", user)


def switch_off(rule: RetryRule, user: User) -> None:
    """Retry nothing more, and nothing of what waits. Twice is once."""
    with transaction.atomic():
        if _lock(rule).is_on:
            # a run that is under way finds that it has lost the rule
            RetryRule.objects.filter(pk=rule.pk).update(
                starts_at=None, next_at=None, lease=None, leased_until=None
            )
            _drop_waiting(rule, "The rule was switched off.")
            _record(rule, "switched_off", user)


def delete_rule(rule: RetryRule, user: User) -> None:
    """Delete it, and make none of the retries that wait; those that were made keep its name."""
    with transaction.atomic():
        _lock(rule)
        _drop_waiting(rule, "The rule was deleted.")
        _record(rule, "deleted", user, before=_describe(rule))
        rule.delete()


def find_waiting(job: Job) -> AutomaticRetry | None:
    """The retry of `job` that a rule is about to make, if any: none of what was retried meanwhile.

    One query, for a failed job alone.
    """
    if job.status != JobStatus.FAILED:
        return None
    return AutomaticRetry.objects.waiting().filter(job=job, job__retries__isnull=True).first()


def find_origin(job: Job) -> AutomaticRetry | None:
    """The retry that `job` is, where a rule made it. No query for what is no retry."""
    return AutomaticRetry.objects.filter(new_job=job).first() if job.retry_of_id else None


def cancel_retry(job: Job, *, user: User | None = None, token: ApiToken | None = None) -> None:
    """Have no rule retry this failure. Raises RetryEnded where none is about to."""
    actor: Actor | None = user or token
    with transaction.atomic():
        waiting = AutomaticRetry.objects.waiting().filter(job=job)
        # behind a worker that is just requesting it, after which this changes nothing
        if not waiting.update(
            state=RetryState.CANCELLED, reason="Cancelled by a person.", actor=user, token=token
        ):
            raise RetryEnded("No automatic retry of it is waiting any more.")
        retry = AutomaticRetry.objects.get(job=job)
        message = f"{retry.label} cancelled"
        JobEvent.build(job, EventSource.ACTION, job.status, job.status, message, actor).save()
        AuditEntry.record(
            job.organization,
            "job.automatic_retry_cancelled",
            job,
            actor=user,
            token=token,
            details={"rule": retry.rule_name, "retry": retry.number},
        )


def _lock(rule: RetryRule) -> RetryRule:
    return RetryRule.objects.select_for_update(no_key=True).get(pk=rule.pk)


def _start(rule: RetryRule) -> None:
    now = timezone.now()
    RetryRule.objects.filter(pk=rule.pk).update(starts_at=now, next_at=now)


def _drop_waiting(rule: RetryRule, reason: str) -> None:
    rule.retries.waiting().update(state=RetryState.DROPPED, reason=reason)


def _describe(rule: RetryRule) -> dict[str, Any]:
    """The settings as the audit log shows them."""
    return {
        name: str(value) if name in ("account", "error_group") and value is not None else value
        for name, value in ((name, getattr(rule, name)) for name in SETTINGS)
    }


def _record(rule: RetryRule, what: str, user: User, **values: Any) -> None:
    AuditEntry.record(rule.organization, f"retry_rule.{what}", rule, actor=user, **values)

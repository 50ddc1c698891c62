"""What a person found at the provider, where nobody knows whether a submission arrived."""

from typing import Any

from django import forms

from jobs.models import Job
from organizations.sign_in.form_fields import StyledField


class FoundJobForm(forms.Form):
    """The job is there, under this id."""

    bound_field_class = StyledField
    found_remote_id = forms.CharField(max_length=255, strip=True)

    def __init__(self, job: Job, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["found_remote_id"].label = f"Job id at {job.account.provider_label}"


class SendAgainForm(forms.Form):
    """The job is not there: it can be sent again."""

    bound_field_class = StyledField
    send_again = forms.BooleanField(
        error_messages={"required": "Check first: a job that is sent twice is charged twice."}
    )

    def __init__(self, job: Job, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label = job.account.provider_label
        self.fields["send_again"].label = f"I checked: {label} does not have this job"

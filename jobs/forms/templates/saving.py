"""Saving what is filled in for a new job as a template."""

from dataclasses import replace

from jobs.forms.job import JobForm
from jobs.models import TemplateVersion
from jobs.submission.templates.service import (
    TemplateRefused,
    change_template,
    create_template,
)
from jobs.submission.templates.settings import read_settings, settings_of
from organizations.encryption import Undecryptable
from organizations.models import User
from providers.core.types import JobRequest


def save_as_template(form: JobForm, user: User, *, is_new: bool) -> TemplateVersion | None:
    """The settings of a valid form as a new template, or as a version of the one it has.

    What the account has no use for, and so no field, a further version takes from the one before,
    and so are the extra settings of other providers. None, with the reason in the form, where it
    cannot be saved.
    """
    if form.chosen is None:
        return None
    provider, request = form.chosen.provider, form.to_request()
    chosen = form.filled_from
    try:
        if is_new or chosen is None:
            name = form.cleaned_data["save_as"].strip()
            if not name:
                raise TemplateRefused("Enter a name for the template.", "name")
            settings = settings_of(request, provider)
            return create_template(form.chosen.organization, name, settings, user)
        template = chosen.version.template
        kept = _keep_absent(request, chosen.original, form.absent)
        settings = settings_of(kept, provider, read_settings(chosen.version))
        return change_template(
            template, template.name, settings, user, based_on=chosen.version.number
        )
    except Undecryptable as error:
        form.add_error(None, str(error))
        return None
    except TemplateRefused as error:
        name = "save_as" if error.field == "name" else error.field.partition(".")[0]
        form.add_error(name if name in form.fields else None, str(error))
        return None


def _keep_absent(request: JobRequest, before: JobRequest, absent: list[str]) -> JobRequest:
    names = {"destination", "thumbnails", "test", "priority"}.intersection(absent)
    if "hls" in absent:
        names.add("renditions")
    return replace(request, **{name: getattr(before, name) for name in names})

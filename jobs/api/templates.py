"""`/templates`: saved settings, to submit jobs with."""

from collections import defaultdict
from typing import Any

from ninja import Router

from jobs.api.auth import ApiRequest, visible_to
from jobs.api.errors import LIST_REFUSALS, invalid
from jobs.api.schemas.templates import TemplateList
from jobs.models import ProviderAccount, TemplateVersion
from jobs.query.parameters import find_careless

router = Router(tags=["templates"], by_alias=True)


@router.get("", response={200: TemplateList, **LIST_REFUSALS}, summary="List templates")
def list_templates(request: ApiRequest) -> dict[str, Any]:
    """The templates of the organization by name, each in its newest version.

    Archived ones are left out.
    """
    if careless := find_careless(request.GET, (), ()):
        raise invalid(careless)
    visible = visible_to(request)
    defaults = defaultdict[int | None, list[ProviderAccount]](list)
    accounts = visible.accounts().exclude(default_template=None)
    for account in accounts.only("name", "provider", "default_template").order_by("name"):
        defaults[account.default_template_id].append(account)
    versions = TemplateVersion.objects.selectable(visible.organization).select_related("saved_by")
    return {"results": [_shape(one, defaults[one.template_id]) for one in versions]}


def _shape(version: TemplateVersion, default_at: list[ProviderAccount]) -> dict[str, Any]:
    return {
        "id": version.template_id,
        "name": version.template.name,
        "version": version.number,
        "saved_at": version.saved_at,
        "saved_by": version.saved_by.email if version.saved_by else None,
        "default_at": default_at,
        "settings": version.shown,
    }

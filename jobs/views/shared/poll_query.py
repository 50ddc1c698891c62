"""What a poll asks first, and mostly only: how the accounts are doing, and what of the rows shown.

Open pages ask it every few seconds. Django would take longer to write the statement than all else
of an empty answer takes, so it is written once, and the parameters are replaced.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection

from jobs.actions.end_notices import notices_of
from jobs.models import ProviderAccount
from jobs.notes.mentions import unread_of
from jobs.query.arrivals import versions_of
from jobs.query.counts import RowCount
from jobs.query.search.matches import list_ids
from jobs.views.shared.layout import health_accounts, running_bulk
from organizations.access import Access
from organizations.models import Organization
from organizations.models.rows import read_rows

# What stands for the parameters: ids that no row has
_ORGANIZATION, _MEMBER, _ROW = -1, -2, -3


def poll_accounts(access: Access, shown: Sequence[int]) -> list[ProviderAccount]:
    """The accounts by name, with `shown` for `read_versions`, and `notices` and `mentions` for
    `read_notices`.

    `bulk_running` is the number of bulk actions. One query.
    """
    statement, params = _write(connection.vendor)
    replaced = {
        _ORGANIZATION: access.organization.pk,
        _MEMBER: access.member_id,
        list_ids([_ROW]): list_ids(shown),
    }
    given = [replaced.get(param, param) for param in params]
    return list(read_rows(ProviderAccount, statement, given))


@cache
def _write(vendor: str) -> tuple[str, tuple[Any, ...]]:
    organization = Organization(pk=_ORGANIZATION)
    columns = {
        "shown": versions_of(organization, [_ROW]),
        "notices": notices_of(_MEMBER),
        "mentions": unread_of(_MEMBER),
        "bulk_running": RowCount(running_bulk(organization).order_by().values("pk")),
    }
    return health_accounts(organization, **columns).query.sql_with_params()

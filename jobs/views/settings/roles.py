"""What each role may do: the table of organizations/permissions.py as a page."""

from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from jobs.views.settings.sections import render_settings
from organizations.access import Access, requires
from organizations.models import Role
from organizations.permissions import RULES, Permission, Rule, role_allows


@dataclass(frozen=True, slots=True)
class Column:
    role: Role
    members: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class Row:
    """`cells`: whether each of the columns may; `scope`: of an API token that may."""

    label: str
    cells: list[tuple[Column, bool]]
    scope: str


@require_safe
@requires(Permission.READ)
def roles(request: HttpRequest, access: Access) -> HttpResponse:
    counts = dict(
        access.organization.memberships.order_by()
        .values_list("role")
        .annotate(number=Count("pk"))
        .values_list("role", "number")
    )
    columns = [Column(role, counts.get(role, 0), role == access.role) for role in Role]
    groups = [
        (group, [_row(permission, rule, columns) for permission, rule in rules])
        for group, rules in groupby(RULES.items(), lambda item: item[1].group)
    ]
    context = {"columns": columns, "groups": groups}
    return render_settings(request, access, "roles", "jobs/settings/roles.html", context)


def _row(permission: Permission, rule: Rule, columns: list[Column]) -> Row:
    cells = [(column, role_allows(column.role, permission)) for column in columns]
    return Row(rule.label, cells, rule.scope.value if rule.scope else "")

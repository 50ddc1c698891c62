"""The same list as Django gives it: an admin's change list, and a ListView with a Paginator.

Their URLs come beside those of the board.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.template import Context, Template
from django.urls import include, path
from django.views.generic import ListView

from jobs.models import Job

LIMIT = 50


class PlainJobAdmin(admin.ModelAdmin[Job]):
    list_display = ("name", "status", "account", "remote_id", "sort_at")
    list_filter = ("status", "organization")
    list_select_related = ("account",)
    list_per_page = LIMIT
    ordering = ("-sort_at",)
    search_fields = ("name", "remote_id", "input_url")


class PlainJobList(ListView[Job]):
    paginate_by = LIMIT
    ordering = ("-sort_at", "-id")
    # by parameter: the field that it narrows
    FILTERS: ClassVar[dict[str, str]] = {
        "status": "status__in",
        "account": "account__in",
        "provider": "account__provider__in",
        "error": "error_class__in",
        "error_group": "error_group__in",
        "code": "error_code__in",
        "batch": "batch__name__in",
        "preset": "outputs__preset__in",
        "finished_after": "finished_at__gte",
        "started_after": "started_at__gte",
        "created_after": "created_at__gte",
    }
    TEMPLATE = """<table>{% for job in page_obj %}<tr><td><a href="/jobs/{{ job.pk }}">{{ job }}</a>
    <td>{{ job.status }}<td>{{ job.account }}<td>{{ job.remote_id }}<td>{{ job.error_class }}
    <td>{{ job.sort_at }}<td>{{ job.finished_at }}</tr>{% endfor %}</table>
    Page {{ page_obj.number }} of {{ paginator.num_pages }}"""

    def get_queryset(self) -> QuerySet[Job]:
        found = Job.objects.filter(organization__slug=self.kwargs["slug"])
        found = found.select_related("account").order_by(*self.ordering)
        for name, lookup in self.FILTERS.items():
            if values := self.request.GET.getlist(name):
                found = found.filter(**{lookup: values if lookup.endswith("in") else values[0]})
        if text := self.request.GET.get("q"):
            found = found.filter(
                Q(name__icontains=text)
                | Q(remote_id__icontains=text)
                | Q(input_url__icontains=text)
            )
        return found.distinct() if "preset" in self.request.GET else found

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        return HttpResponse(Template(self.TEMPLATE).render(Context(context)))


handler404 = "jobs.views.problems.not_found"

site = admin.AdminSite(name="plain")
site.register(Job, PlainJobAdmin)

urlpatterns = [
    path("plain/admin/", site.urls),
    path("plain/<slug:slug>/", PlainJobList.as_view()),
    path("", include("dashboard.urls")),
]

"""URLs of the pages; each contains the organization."""

from django.urls import path

from insights.views import actions, error, errors, notes, overview
from insights.views.stats import page as stats

app_name = "insights"

_GROUP = "o/<slug:org>/errors/<int:group_pk>/"

urlpatterns = [
    path("", overview.home, name="home"),
    path("o/<slug:org>/", overview.overview, name="overview"),
    path("o/<slug:org>/stats/", stats.stats, name="stats"),
    path("o/<slug:org>/stats/csv/", stats.stats_csv, name="stats_csv"),
    path("o/<slug:org>/errors/", errors.error_list, name="errors"),
    path(_GROUP, error.error, name="error"),
    path(f"{_GROUP}mute/", actions.mute, name="mute"),
    path(f"{_GROUP}resolve/", actions.resolve, name="resolve"),
    path(f"{_GROUP}reopen/", actions.reopen, name="reopen"),
    path(f"{_GROUP}assign/", actions.assign, name="assign"),
    path(f"{_GROUP}ticket/", actions.ticket, name="ticket"),
    path(f"{_GROUP}notes/", notes.error_notes, name="error_notes"),
    path(f"{_GROUP}merge/", actions.merge, name="merge"),
    path(f"{_GROUP}split/", actions.split, name="split"),
]

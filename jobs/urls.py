"""Addresses of the pages; the organization stands in each of them."""

from django.urls import path

from jobs.views import (
    accounts,
    actions,
    deliveries,
    files,
    job_detail,
    job_list,
    live,
    media,
    navigation,
    presets,
    raw,
    submit,
)
from jobs.webhooks import receiver

app_name = "jobs"

urlpatterns = [
    path("", navigation.home, name="home"),
    path("o/<slug:org>/", navigation.overview, name="overview"),
    path("o/<slug:org>/search/", navigation.search, name="search"),
    path("o/<slug:org>/jobs/", job_list.job_list, name="list"),
    path("o/<slug:org>/jobs/live/", live.live, name="live"),
    path("o/<slug:org>/jobs/new/", submit.new, name="new"),
    path("o/<slug:org>/jobs/new/preview/", submit.preview, name="preview"),
    path("o/<slug:org>/jobs/<int:pk>/", job_detail.job_detail, name="detail"),
    path("o/<slug:org>/jobs/<int:pk>/raw/", raw.raw, name="raw"),
    path("o/<slug:org>/jobs/<int:pk>/cancel/", actions.cancel, name="cancel"),
    path("o/<slug:org>/jobs/<int:pk>/resubmit/", actions.resubmit, name="resubmit"),
    path("o/<slug:org>/jobs/<int:pk>/resolve/", actions.resolve, name="resolve"),
    path("o/<slug:org>/jobs/<int:pk>/input/open/", media.input_open, name="input_open"),
    path(
        "o/<slug:org>/jobs/<int:pk>/outputs/<int:output_pk>/open/",
        media.output_open,
        name="output_open",
    ),
    path("o/<slug:org>/files/", files.file_list, name="files"),
    path("o/<slug:org>/presets/", presets.preset_list, name="presets"),
    path("o/<slug:org>/accounts/", accounts.account_list, name="accounts"),
    path("o/<slug:org>/accounts/new/", accounts.account_new, name="account_new"),
    path("o/<slug:org>/accounts/<int:pk>/", accounts.account_edit, name="account_edit"),
    path("o/<slug:org>/accounts/<int:pk>/sync/", accounts.sync_now, name="account_sync"),
    path("o/<slug:org>/accounts/<int:pk>/check/", accounts.check_credentials, name="account_check"),
    path("o/<slug:org>/accounts/<int:pk>/usage/", accounts.usage, name="account_usage"),
    path("o/<slug:org>/accounts/<int:pk>/pause/", accounts.pause, name="account_pause"),
    path("o/<slug:org>/accounts/<int:pk>/resume/", accounts.resume, name="account_resume"),
    path("o/<slug:org>/accounts/<int:pk>/deliveries/", deliveries.delivery_list, name="deliveries"),
    path(
        "o/<slug:org>/accounts/<int:pk>/deliveries/<int:delivery_pk>/",
        deliveries.delivery,
        name="delivery",
    ),
    path("hooks/<slug:provider>/<int:account_id>/<str:secret>/", receiver.receive, name="webhook"),
]

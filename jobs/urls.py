"""URLs of the pages; each contains the organization."""

from django.urls import path

from jobs.views import (
    actions,
    files,
    job_detail,
    job_list,
    live,
    media,
    navigation,
    preset,
    presets,
    raw,
)
from jobs.views.accounts import account, deliveries, integration, overview
from jobs.views.accounts import actions as account_actions
from jobs.views.batches import batches
from jobs.views.batches import new as batch_form
from jobs.views.bulk import bulk, start
from jobs.views.lists import export, query, saved_views
from jobs.views.mine import assignment, mentions, notices
from jobs.views.notes import notes
from jobs.views.settings import (
    audit,
    general,
    invitations,
    members,
    roles,
    rules,
    storage,
    templates,
    tokens,
)
from jobs.views.submission import elsewhere, submit
from jobs.webhooks import receiver

app_name = "jobs"

urlpatterns = [
    path("o/<slug:org>/search/", navigation.search, name="search"),
    path("o/<slug:org>/jobs/", job_list.job_list, name="list"),
    path("o/<slug:org>/jobs/live/", live.live, name="live"),
    path("o/<slug:org>/jobs/export.csv", export.job_export, {"kind": "csv"}, name="export_csv"),
    path("o/<slug:org>/jobs/export.json", export.job_export, {"kind": "json"}, name="export_json"),
    path("o/<slug:org>/jobs/query/", query.query, name="query"),
    path("o/<slug:org>/jobs/query/syntax/", query.query_syntax, name="query_syntax"),
    path("o/<slug:org>/jobs/new/", submit.new, name="new"),
    path("o/<slug:org>/jobs/new/preview/", submit.preview, name="preview"),
    path("o/<slug:org>/jobs/<int:pk>/", job_detail.job_detail, name="detail"),
    path("o/<slug:org>/jobs/<int:pk>/raw/", raw.raw, name="raw"),
    path("o/<slug:org>/jobs/<int:pk>/cancel/", actions.cancel, name="cancel"),
    path("o/<slug:org>/jobs/<int:pk>/resubmit/", actions.resubmit, name="resubmit"),
    path(
        "o/<slug:org>/jobs/<int:pk>/automatic-retry/cancel/",
        actions.cancel_retry,
        name="cancel_retry",
    ),
    path("o/<slug:org>/jobs/<int:pk>/elsewhere/", elsewhere.elsewhere, name="elsewhere"),
    path("o/<slug:org>/jobs/<int:pk>/compare/", elsewhere.compare, name="compare"),
    path("o/<slug:org>/jobs/<int:pk>/resolve/", actions.resolve, name="resolve"),
    path("o/<slug:org>/jobs/<int:pk>/assign/", assignment.assign, name="assign"),
    path("o/<slug:org>/jobs/<int:pk>/notify/", notices.notify, name="notify"),
    path("o/<slug:org>/jobs/<int:pk>/notes/", notes.job_notes, name="job_notes"),
    path("o/<slug:org>/jobs/<int:pk>/input/open/", media.input_open, name="input_open"),
    path(
        "o/<slug:org>/jobs/<int:pk>/outputs/<int:output_pk>/open/",
        media.output_open,
        name="output_open",
    ),
    path("o/<slug:org>/batches/", batches.batch_list, name="batch_list"),
    path("o/<slug:org>/batches/new/", batch_form.batch_new, name="batch_new"),
    path("o/<slug:org>/batches/<int:batch_pk>/", batches.batch, name="batch"),
    path("o/<slug:org>/batches/<int:batch_pk>/stop/", batches.batch_stop, name="batch_stop"),
    path("o/<slug:org>/batches/<int:batch_pk>/resume/", batches.batch_resume, name="batch_resume"),
    path("o/<slug:org>/bulk/", bulk.bulk_list, name="bulk_list"),
    path("o/<slug:org>/bulk/new/", start.bulk_new, name="bulk_new"),
    path("o/<slug:org>/bulk/<int:bulk_pk>/", bulk.bulk, name="bulk"),
    path("o/<slug:org>/bulk/<int:bulk_pk>/stop/", bulk.bulk_stop, name="bulk_stop"),
    path("o/<slug:org>/bulk/<int:bulk_pk>/resume/", bulk.bulk_resume, name="bulk_resume"),
    path("o/<slug:org>/notes/<int:note_pk>/edit/", notes.note_edit, name="note_edit"),
    path("o/<slug:org>/notes/<int:note_pk>/delete/", notes.note_delete, name="note_delete"),
    path("o/<slug:org>/notes/members/", mentions.member_options, name="member_options"),
    path("o/<slug:org>/mentions/", mentions.mentions, name="mentions"),
    path("o/<slug:org>/notices/", notices.notices, name="notices"),
    path("o/<slug:org>/views/", saved_views.views, name="views"),
    path("o/<slug:org>/views/new/", saved_views.view_new, name="view_new"),
    path("o/<slug:org>/views/<int:view_pk>/", saved_views.view_edit, name="view_edit"),
    path("o/<slug:org>/views/<int:view_pk>/save/", saved_views.view_save, name="view_save"),
    path("o/<slug:org>/views/<int:view_pk>/delete/", saved_views.view_delete, name="view_delete"),
    path("o/<slug:org>/files/", files.file_list, name="files"),
    path("o/<slug:org>/presets/", presets.preset_list, name="presets"),
    path("o/<slug:org>/presets/<int:preset_pk>/", preset.preset, name="preset"),
    path("o/<slug:org>/accounts/", overview.account_list, name="accounts"),
    path("o/<slug:org>/accounts/new/", account.account_new, name="account_new"),
    path("o/<slug:org>/accounts/<int:pk>/", account.account_edit, name="account_edit"),
    path("o/<slug:org>/accounts/<int:pk>/watch/", account.account_watch, name="account_watch"),
    path("o/<slug:org>/accounts/<int:pk>/sync/", account_actions.sync_now, name="account_sync"),
    path(
        "o/<slug:org>/accounts/<int:pk>/check/",
        account_actions.check_credentials,
        name="account_check",
    ),
    path("o/<slug:org>/accounts/<int:pk>/usage/", account_actions.usage, name="account_usage"),
    path(
        "o/<slug:org>/accounts/<int:pk>/integration/",
        integration.account_integration,
        name="account_integration",
    ),
    path(
        "o/<slug:org>/accounts/<int:pk>/integration/switch/",
        integration.account_switch,
        name="account_switch",
    ),
    path("o/<slug:org>/accounts/<int:pk>/pause/", account_actions.pause, name="account_pause"),
    path("o/<slug:org>/accounts/<int:pk>/resume/", account_actions.resume, name="account_resume"),
    path("o/<slug:org>/accounts/<int:pk>/deliveries/", deliveries.delivery_list, name="deliveries"),
    path(
        "o/<slug:org>/accounts/<int:pk>/deliveries/<int:delivery_pk>/",
        deliveries.delivery,
        name="delivery",
    ),
    path("o/<slug:org>/settings/", general.general, name="settings"),
    path("o/<slug:org>/settings/members/", members.members, name="members"),
    path("o/<slug:org>/settings/members/leave/", members.member_leave, name="member_leave"),
    path(
        "o/<slug:org>/settings/members/<int:membership_pk>/role/",
        members.member_role,
        name="member_role",
    ),
    path(
        "o/<slug:org>/settings/members/<int:membership_pk>/remove/",
        members.member_remove,
        name="member_remove",
    ),
    path(
        "o/<slug:org>/settings/invitations/<int:invitation_pk>/send/",
        invitations.invitation_send,
        name="invitation_send",
    ),
    path(
        "o/<slug:org>/settings/invitations/<int:invitation_pk>/withdraw/",
        invitations.invitation_withdraw,
        name="invitation_withdraw",
    ),
    path("o/<slug:org>/settings/roles/", roles.roles, name="roles"),
    path("o/<slug:org>/settings/tokens/", tokens.tokens, name="tokens"),
    path(
        "o/<slug:org>/settings/tokens/<int:token_pk>/revoke/",
        tokens.token_revoke,
        name="token_revoke",
    ),
    path("o/<slug:org>/settings/templates/", templates.templates, name="templates"),
    path("o/<slug:org>/settings/templates/new/", templates.template_new, name="template_new"),
    path("o/<slug:org>/settings/templates/<int:template_pk>/", templates.template, name="template"),
    path(
        "o/<slug:org>/settings/templates/<int:template_pk>/edit/",
        templates.template_edit,
        name="template_edit",
    ),
    path(
        "o/<slug:org>/settings/templates/<int:template_pk>/default/",
        templates.template_default,
        name="template_default",
    ),
    path(
        "o/<slug:org>/settings/templates/<int:template_pk>/archive/",
        templates.template_archive,
        name="template_archive",
    ),
    path(
        "o/<slug:org>/settings/templates/<int:template_pk>/restore/",
        templates.template_restore,
        name="template_restore",
    ),
    path(
        "o/<slug:org>/settings/templates/<int:template_pk>/delete/",
        templates.template_delete,
        name="template_delete",
    ),
    path("o/<slug:org>/settings/rules/", rules.rules, name="rules"),
    path("o/<slug:org>/settings/rules/new/", rules.rule_new, name="rule_new"),
    path("o/<slug:org>/settings/rules/<int:rule_pk>/", rules.rule, name="rule"),
    path("o/<slug:org>/settings/rules/<int:rule_pk>/edit/", rules.rule_edit, name="rule_edit"),
    path(
        "o/<slug:org>/settings/rules/<int:rule_pk>/switch/", rules.rule_switch, name="rule_switch"
    ),
    path(
        "o/<slug:org>/settings/rules/<int:rule_pk>/delete/", rules.rule_delete, name="rule_delete"
    ),
    path("o/<slug:org>/settings/destinations/", storage.destinations, name="destinations"),
    path(
        "o/<slug:org>/settings/destinations/new/", storage.destination_new, name="destination_new"
    ),
    path(
        "o/<slug:org>/settings/destinations/<int:location_pk>/",
        storage.destination_edit,
        name="destination_edit",
    ),
    path(
        "o/<slug:org>/settings/destinations/<int:location_pk>/delete/",
        storage.destination_delete,
        name="destination_delete",
    ),
    path("o/<slug:org>/settings/audit/", audit.audit, name="audit"),
    path("o/<slug:org>/settings/audit/export/", audit.audit_export, name="audit_export"),
    path("hooks/<slug:provider>/<int:account_id>/<str:secret>/", receiver.receive, name="webhook"),
]

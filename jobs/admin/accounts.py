"""Provider accounts: write-only credentials, options, pause and resume."""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from jobs.accounts.duplicates import describe_duplicates, find_duplicates
from jobs.accounts.service import CheckStatus, add_unconfigured, set_enabled, write_account
from jobs.accounts.validation import COMMON_OPTIONS, InvalidAccount
from jobs.admin.base import ACCOUNT_SECRETS, LargeTableAdmin, isolated_column
from jobs.forms.accounts.account import AccountForm
from jobs.models import ProviderAccount
from jobs.sync.on_demand import request_sync
from organizations.access import require_user


@admin.register(ProviderAccount)
class ProviderAccountAdmin(LargeTableAdmin):
    """Added paused and without credentials, which the page that follows asks for."""

    audited_as = "account"
    recorded_elsewhere = frozenset({"added", "changed"})
    list_display = ["name", "organization", "provider", "state", "last_success_at", "next_sync_at"]
    list_filter = ["provider", "enabled", ("refused_at", admin.EmptyFieldListFilter)]
    list_select_related = ["organization"]
    search_fields = ["name", "organization__name", "organization__slug"]
    autocomplete_fields = ["organization"]
    ordering = ["organization__name", "name"]
    actions = ["sync_now", "pause", "resume"]
    deferred = ACCOUNT_SECRETS
    sync_state: ClassVar[list[Any]] = [
        "state",
        "last_success_at",
        "last_error_at",
        isolated_column("last_error_class", "last error class"),
        isolated_column("last_error_message", "last error message"),
        "consecutive_failures",
        "refused_at",
        "latency_ms",
        "rate_remaining",
        "next_sync_at",
        "leased_until",
        "imported_at",
        "last_pass_at",
        "crawled_at",
        "revision",
        "created_at",
    ]

    @admin.display(description="health")
    def state(self, account: ProviderAccount) -> str:
        return account.health.value

    def get_form(
        self,
        request: HttpRequest,
        obj: ProviderAccount | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[forms.ModelForm]:
        if obj is not None:
            kwargs["form"] = form_class = AccountForm.for_provider(obj.adapter_class, obj)
            for field in form_class.declared_fields.values():
                if type(field.widget) is forms.TextInput:
                    field.widget = AdminTextInputWidget(field.widget.attrs)
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ProviderAccount | None = None
    ) -> list[Any]:
        # jobs belong to the organization and are read by the provider's adapter for good; the
        # name is what the account is found by
        return ["organization", "provider", "name", *self.sync_state] if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: ProviderAccount | None = None) -> list[Any]:
        naming = ["organization", "provider", "name"]
        if obj is None:
            return [(None, {"fields": naming})]
        adapter_class = obj.adapter_class
        options = [field.name for field in adapter_class.option_fields]
        secrets = [field.name for field in adapter_class.credential_fields]
        sections: list[Any] = [
            (None, {"fields": [*naming, "base_url", "enabled"]}),
            ("Sync", {"fields": self.sync_state}),
        ]
        if self.has_change_permission(request, obj):
            sections[1:1] = [
                ("Credentials", {"fields": secrets}),
                ("Options", {"fields": [*options, *COMMON_OPTIONS]}),
            ]
        return sections

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Without Django's transaction around it: the form waits for the provider's answer.

        `write_account` has a transaction of its own, and adding an account is one row.
        """
        view = self._changeform_view  # type: ignore[attr-defined]  # not in the stubs
        try:
            response: HttpResponse = view(request, object_id, form_url, extra_context)
        except InvalidAccount as error:  # changed by somebody else since it was checked
            self.message_user(request, f"Nothing was saved. {error}", messages.ERROR)
            return redirect(request.get_full_path())
        return response

    def save_model(
        self, request: HttpRequest, obj: ProviderAccount, form: Any, change: bool
    ) -> None:
        if not change:
            add_unconfigured(obj, user=require_user(request))
            return
        # not the entire row: a worker writes the sync columns meanwhile
        saved = write_account(form.values, form.checked, user=require_user(request))
        if form.checked.status == CheckStatus.UNANSWERED:
            text = f"The credentials could not be checked yet. {form.checked.reason}"
            self.message_user(request, text, messages.WARNING)
        duplicates = find_duplicates(saved, ProviderAccount.objects.all())
        if notice := describe_duplicates(saved, duplicates):
            self.message_user(request, f"{saved}: {notice}", messages.WARNING)

    def response_add(
        self, request: HttpRequest, obj: ProviderAccount, post_url_continue: str | None = None
    ) -> HttpResponse:
        self.message_user(
            request, "The account is paused until you enter its credentials and enable it."
        )
        return redirect("admin:jobs_provideraccount_change", obj.pk)

    def get_deleted_objects(
        self, objs: Sequence[ProviderAccount] | QuerySet[ProviderAccount], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name the accounts and say what goes with them, rather than list a million rows."""
        lines = [f"{account}, with all of its jobs" for account in objs]
        return lines, {"provider accounts": len(lines)}, set(), []

    @admin.action(description="Sync now", permissions=["change"])
    def sync_now(self, request: HttpRequest, accounts: QuerySet[ProviderAccount]) -> None:
        running = [account for account in accounts if account.enabled]
        for account in running:
            request_sync(account)
        self.message_user(request, f"Sync scheduled for {_count(running)}.")
        if paused := [account for account in accounts if not account.enabled]:
            self.message_user(request, f"{_count(paused)} paused: resume first.", messages.WARNING)

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, accounts: QuerySet[ProviderAccount]) -> None:
        self._set_enabled(request, accounts, enabled=False)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, accounts: QuerySet[ProviderAccount]) -> None:
        self._set_enabled(request, accounts, enabled=True)

    def _set_enabled(
        self, request: HttpRequest, accounts: QuerySet[ProviderAccount], *, enabled: bool
    ) -> None:
        for account in accounts:
            set_enabled(account, enabled, user=require_user(request))
        action = "Resumed" if enabled else "Paused"
        self.message_user(request, f"{action} {_count(accounts)}.")


def _count(accounts: Collection[ProviderAccount]) -> str:
    number = len(accounts)
    return f"{number} account{'' if number == 1 else 's'}"

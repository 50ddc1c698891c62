"""Provider accounts: write-only credentials, options, pause and resume."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from jobs.accounts.service import (
    COMMON_OPTIONS,
    Check,
    Checked,
    Entered,
    InvalidAccount,
    check_account,
    set_enabled,
    write_account,
)
from jobs.admin.base import ACCOUNT_SECRETS, LargeTableAdmin, isolated_column
from jobs.models import ProviderAccount
from jobs.models.account import MAX_BASE_URL
from jobs.sync.runner import request_sync
from organizations.access import require_user
from organizations.models import AuditEntry
from providers.core.contract import Provider


class AccountForm(forms.ModelForm):
    """An account's settings; `for_account` adds the fields that its provider declares."""

    adapter_class: ClassVar[type[Provider]]
    checked: Checked
    base_url = forms.CharField(
        label="Base URL", max_length=MAX_BASE_URL, widget=AdminTextInputWidget
    )

    class Meta:
        model = ProviderAccount
        fields = ["base_url", "enabled"]

    @classmethod
    def for_account(cls, account: ProviderAccount) -> type["AccountForm"]:
        adapter_class = account.adapter_class
        fields: dict[str, Any] = {
            field.name: forms.CharField(
                label=field.label,
                required=False,
                max_length=2000,
                help_text=f"{field.help} Left empty, the stored one is kept.".strip(),
                # never filled in, whatever was stored or typed before
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            )
            for field in adapter_class.credential_fields
        }
        options = [(field.name, field.label, field.help) for field in adapter_class.option_fields]
        options += [(name, name, help_text) for name, help_text in COMMON_OPTIONS.items()]
        for name, label, help_text in options:
            fields[name] = forms.CharField(
                label=label,
                help_text=help_text,
                required=False,
                max_length=500,
                initial=account.options.get(name, ""),
                widget=AdminTextInputWidget,
            )
        return type("AccountForm", (cls,), {**fields, "adapter_class": adapter_class})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.checked = check_account(self.entered)
            except InvalidAccount as error:
                for name, sentence in error.errors.items():
                    self.add_error(name if name in self.fields else None, sentence)
        return cleaned

    @property
    def entered(self) -> Entered:
        account = self.instance
        return Entered(
            account.organization,
            provider=account.provider,
            name=account.name,
            base_url=self.cleaned_data["base_url"],
            credentials=self._told(field.name for field in self.adapter_class.credential_fields),
            options=self._told(
                [*(field.name for field in self.adapter_class.option_fields), *COMMON_OPTIONS]
            ),
            enabled=self.cleaned_data["enabled"],
        )

    def _told(self, names: Iterable[str]) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in names}


@admin.register(ProviderAccount)
class ProviderAccountAdmin(LargeTableAdmin):
    """Added paused and without credentials, which the page that follows asks for."""

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
        "walked_at",
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
            kwargs["form"] = AccountForm.for_account(obj)
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
        response: HttpResponse = view(request, object_id, form_url, extra_context)
        return response

    def save_model(
        self, request: HttpRequest, obj: ProviderAccount, form: Any, change: bool
    ) -> None:
        if change:
            # never the whole row: a worker writes the sync columns meanwhile
            try:
                write_account(form.entered, form.checked, user=require_user(request))
            except InvalidAccount as error:  # changed by somebody else since it was checked
                self.message_user(request, f"Nothing was saved. {error}", messages.ERROR)
                return
            if form.checked.check == Check.UNANSWERED:
                self.message_user(
                    request,
                    f"The credentials are not checked yet. {form.checked.reason}",
                    messages.WARNING,
                )
            return
        obj.enabled = False
        obj.base_url = obj.adapter_class.default_base_url
        obj.save()
        AuditEntry.record(obj.organization, "account.added", obj, actor=require_user(request))

    def response_add(
        self, request: HttpRequest, obj: ProviderAccount, post_url_continue: str | None = None
    ) -> HttpResponse:
        self.message_user(request, "It is paused until you give its credentials and enable it.")
        return redirect("admin:jobs_provideraccount_change", obj.pk)

    def get_deleted_objects(
        self, objs: Sequence[ProviderAccount] | QuerySet[ProviderAccount], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name the accounts and say what goes with them, rather than list a million rows."""
        lines = [f"{account}, with all that is mirrored of it" for account in objs]
        return lines, {"provider accounts": len(lines)}, set(), []

    @admin.action(description="Sync now", permissions=["change"])
    def sync_now(self, request: HttpRequest, accounts: QuerySet[ProviderAccount]) -> None:
        running = [account for account in accounts if account.enabled]
        for account in running:
            request_sync(account)
        self.message_user(request, f"{len(running)} accounts are due now.")
        if paused := len(accounts) - len(running):
            self.message_user(request, f"{paused} are paused: resume them first.", messages.WARNING)

    @admin.action(description="Pause: no polling, submissions held", permissions=["change"])
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
        word = "resumed" if enabled else "paused"
        self.message_user(request, f"{len(accounts)} accounts are {word}.")

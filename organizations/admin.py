"""The Django admin of people, organizations, tokens and the audit trail."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from organizations.access import require_user
from organizations.admin_query import SafeQueryAdmin
from organizations.models import ApiToken, AuditEntry, Membership, Organization, User
from organizations.pagination import CappedPaginator
from organizations.people.admin import OwnersKeptAdmin
from organizations.sign_in import admin as sign_in_admin
from organizations.sign_in.verification import forget_other_addresses
from organizations.tokens import revoke_token

# One way in: the admin's own form knows neither rate limits nor a second factor
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
sign_in_admin.register()


class MembershipInline(admin.TabularInline[Membership, Any]):
    model = Membership
    extra = 0
    autocomplete_fields = ["user", "organization"]


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(SafeQueryAdmin, DjangoGroupAdmin):
    pass


class UserCreationForm(AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ["email", "name"]


@admin.register(User)
class UserAdmin(OwnersKeptAdmin, DjangoUserAdmin[User]):
    add_form = UserCreationForm
    add_fieldsets = (
        (None, {"fields": ["email", "name", "usable_password", "password1", "password2"]}),
    )
    fieldsets = (
        (None, {"fields": ["email", "name", "password"]}),
        (
            "Django admin",
            {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
        ("Times", {"fields": ["last_login", "created_at"]}),
    )
    readonly_fields = ["last_login", "created_at"]
    inlines = [MembershipInline]
    list_display = ["email", "name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    show_full_result_count = False

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():  # the password, and that it was set
            return super().user_change_password(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        forget_other_addresses(obj)


@admin.register(Organization)
class OrganizationAdmin(OwnersKeptAdmin):
    list_display = ["name", "slug", "created_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MembershipInline]
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """Never: all of its jobs and its audit log would go with it."""
        return False


@admin.register(Membership)
class MembershipAdmin(OwnersKeptAdmin):
    audited_as = "member"
    list_display = ["user", "organization", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "organization__name", "organization__slug"]
    autocomplete_fields = ["user", "organization"]
    show_full_result_count = False


@admin.register(ApiToken)
class ApiTokenAdmin(SafeQueryAdmin):
    """Tokens can be renamed and ended here, not made: the clear text would have to be shown."""

    audited_as = "token"
    list_display = ["name", "prefix", "organization", "scope", "last_used_at", "revoked_at"]
    list_filter = ["scope", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["organization"]
    search_fields = ["name", "prefix", "organization__name", "organization__slug"]
    fields = [
        "organization",
        "name",
        "prefix",
        "scope",
        "created_at",
        "created_by",
        "last_used_at",
        "last_used_from",
        "expires_at",
        "revoked_at",
    ]
    readonly_fields = [
        "organization",
        "prefix",
        "scope",
        "created_at",
        "created_by",
        "last_used_at",
        "last_used_from",
        "revoked_at",
    ]
    actions = ["revoke"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Revoke selected API tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        actor = require_user(request)
        for token in tokens.select_related("organization"):
            revoke_token(token, actor=actor)
        self.message_user(request, "The selected tokens are revoked.")


@admin.register(AuditEntry)
class AuditEntryAdmin(SafeQueryAdmin):
    list_display = ["at", "organization", "actor_name", "address", "action", "target"]
    list_filter = ["organization"]
    list_select_related = ["organization"]
    search_fields = ["actor_name", "action", "target"]
    paginator = CappedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

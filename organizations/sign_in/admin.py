"""The Django admin of the ways to sign in: what django-allauth stores can be removed, not made."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from organizations.access import require_user
from organizations.admin_query import SafeQueryAdmin
from organizations.sign_in.history import record


class SignInAdmin(SafeQueryAdmin):
    list_select_related = ["user"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        for row in queryset:
            self.delete_model(request, row)


class SecondFactorAdmin(SignInAdmin):
    """For people who lost theirs. What a second factor holds is not shown."""

    recorded_elsewhere = frozenset({"deleted"})
    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    search_fields = ["user__email", "user__name"]
    fields = ["user", "type", "created_at", "last_used_at"]

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        actor = require_user(request)
        record("second_factor.removed", obj.user, actor=actor, type=obj.type)
        super().delete_model(request, obj)


class SingleSignOnAdmin(SignInAdmin):
    """Who is linked to whom at the issuer."""

    recorded_elsewhere = frozenset({"deleted"})
    list_display = ["user", "uid", "provider", "last_login"]
    search_fields = ["user__email", "user__name", "uid"]
    fields = ["user", "uid", "provider", "date_joined", "last_login"]

    def delete_model(self, request: HttpRequest, obj: SocialAccount) -> None:
        record("single_sign_on.unlinked", obj.user, actor=require_user(request))
        super().delete_model(request, obj)


class VerifiedAddressAdmin(SignInAdmin):
    """An address that is removed here is asked to be verified again."""

    audited_as = "email_address"
    list_display = ["email", "user", "verified"]
    list_filter = ["verified"]
    search_fields = ["email", "user__name"]
    fields = ["email", "user", "verified"]


def register() -> None:
    """In the place of allauth's own. Issuers come from the settings, and tokens are not kept.

    Sessions are ended on the profile page.
    """
    allauth_models = [Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken]
    admin.site.unregister([*allauth_models, UserSession])
    admin.site.register(Authenticator, SecondFactorAdmin)
    admin.site.register(SocialAccount, SingleSignOnAdmin)
    admin.site.register(EmailAddress, VerifiedAddressAdmin)

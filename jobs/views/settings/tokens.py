"""API tokens: which there are, a new one, and the end of one."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from jobs.forms.token import TokenForm
from jobs.models import ProviderAccount
from jobs.views.settings.sections import render_settings
from organizations.access import Access, requires
from organizations.models import ApiToken
from organizations.permissions import Permission
from organizations.tokens import revoke_token

# How many that have ended are listed below the others
ENDED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class TokenRow:
    token: ApiToken
    # names of the accounts it may use; None for all
    accounts: list[str] | None


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TOKENS)
def tokens(request: HttpRequest, access: Access) -> HttpResponse:
    """The list, with the form for a new one.

    The clear text is in the answer to the form alone: a redirect would have to keep it somewhere.
    """
    if request.method != "POST":
        return _show(request, access, TokenForm(access.organization))
    form = TokenForm(access.organization, request.POST)
    if not form.is_valid():
        return _show(request, access, form, status=422)
    token, text = form.issue(access.user)
    return _show(request, access, TokenForm(access.organization), new=token, text=text)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TOKENS)
def token_revoke(request: HttpRequest, access: Access, token_pk: int) -> HttpResponse:
    """Asks first."""
    owned = ApiToken.objects.for_organization(access.organization).select_related("organization")
    token = get_object_or_404(owned, pk=token_pk)
    if request.method == "POST":
        revoke_token(token, actor=access.user)
        messages.success(request, f"The token {token.name} is revoked.")
        return redirect("jobs:tokens", access.organization.slug)
    context = {"token": token}
    return render_settings(request, access, "tokens", "jobs/settings/token_revoke.html", context)


def _show(
    request: HttpRequest,
    access: Access,
    form: TokenForm,
    *,
    new: ApiToken | None = None,
    text: str = "",
    status: int = 200,
) -> HttpResponse:
    owned = ApiToken.objects.for_organization(access.organization)
    found = list(owned.select_related("created_by").order_by("-pk"))
    active = [token for token in found if token.is_active]
    ended = [token for token in found if not token.is_active][:ENDED_SHOWN]
    accounts = ProviderAccount.objects.for_organization(access.organization)
    names = dict(accounts.values_list("pk", "name"))
    context = {
        "form": form,
        "new": new,
        "text": text,
        "rows": [_row(token, names) for token in (*active, *ended)],
        "active": len(active),
    }
    template = "jobs/settings/tokens.html"
    return render_settings(request, access, "tokens", template, context, status=status)


def _row(token: ApiToken, names: dict[int, str]) -> TokenRow:
    if token.account_ids is None:
        return TokenRow(token, None)
    # of one that was deleted only its id is left
    return TokenRow(token, [names.get(pk, f"deleted account {pk}") for pk in token.account_ids])

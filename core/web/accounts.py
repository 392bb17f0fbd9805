"""The accounts, for administrators: who may sign in, one more, another password, and no longer."""

from uuid import UUID

from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from core.accounts import Account
from core.commands.accounts import LastAdministrator, change_password, create_account, switch_account
from core.web.access import Request, staff_only


@require_safe
@never_cache
@staff_only
def accounts_page(request: Request) -> HttpResponse:
    """Everybody who may sign in, or once might."""
    return _list(request)


@sensitive_post_parameters("password")
@require_POST
@staff_only
def add(request: Request) -> HttpResponse:
    """Let one more person in."""
    name, admin = request.POST.get("username", "").strip(), "admin" in request.POST
    try:
        create_account(name, request.POST.get("password", ""), admin=admin)
    except ValidationError as error:
        return _list(request, refused=" ".join(error.messages), typed=name)
    return redirect("accounts")


@sensitive_post_parameters("password")
@require_POST
@staff_only
def password(request: Request, account_id: UUID) -> HttpResponse:
    """Another password, for who has forgotten theirs."""
    account = _account(account_id)
    try:
        change_password(account, request.POST.get("password", ""))
    except ValidationError as error:
        return _list(request, refused=" ".join(error.messages))
    if account.pk == request.user.pk:  # who sets their own goes on here, and has to sign in again elsewhere
        update_session_auth_hash(request, account)
    return redirect("accounts")


@require_POST
@staff_only
def switch(request: Request, account_id: UUID) -> HttpResponse:
    """Let a person in no longer, or again."""
    try:
        switch_account(_account(account_id), on=request.POST.get("on") == "yes")
    except LastAdministrator as error:
        return _list(request, refused=str(error))
    return redirect("accounts")


def _account(account_id: UUID) -> Account:
    account = Account.objects.filter(pk=account_id).first()
    if account is None:
        raise Http404("There is no such account.")
    return account


def _list(request: Request, refused: str = "", typed: str = "") -> HttpResponse:
    context = {"accounts": Account.objects.order_by("username"), "refused": refused, "typed": typed}
    return render(request, "accounts/accounts.html", context, status=422 if refused else 200)

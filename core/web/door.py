"""The pages at the door: the first account, signing in and out; and the choice of light or dark."""

from typing import Any

from django import forms
from django.contrib.auth import login, password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from core.accounts import Account
from core.commands.accounts import AccountsExist, create_first_admin
from core.web import guard
from core.web.frame import APPEARANCES

_YEAR = 365 * 24 * 60 * 60


class WelcomeForm(forms.Form):
    """The first account's name and password."""

    username = forms.CharField(label="Your name", max_length=150, strip=True)
    password = forms.CharField(label="Password", strip=False, widget=forms.PasswordInput)

    def create(self) -> Account | None:
        """The account, or None with the form's errors filled. Raises AccountsExist."""
        try:
            return create_first_admin(self.cleaned_data["username"], self.cleaned_data["password"])
        except ValidationError as error:
            by_field = error.message_dict if hasattr(error, "error_dict") else {"password": error.messages}
            for field, messages in by_field.items():
                self.add_error(field if field in self.fields else None, messages)
            return None


class SignInForm(AuthenticationForm):
    """Django's form behind the guard: who failed too often is turned away before any password is hashed."""

    error_messages = {
        "invalid_login": "This name and password do not belong together. Mind capitals in the password.",
        "inactive": "This account has been switched off.",
    }

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username", "")
        assert self.request is not None
        if not guard.may_try(self.request, name):
            raise ValidationError("Too many tries. Wait a quarter of an hour, then try again.", code="held_off")
        cleaned = super().clean()
        guard.forget_failures(self.request, name)
        return cleaned


class SignInPage(LoginView):
    """Django's view; while no account exists, the way leads to the welcome page instead."""

    template_name = "accounts/signin.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not Account.objects.exists():
            return redirect("welcome")
        return super().dispatch(request, *args, **kwargs)


class SignOut(LogoutView):
    """Django's view; the browser also forgets the previews that it has kept."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


@sensitive_post_parameters("password")
@never_cache
def welcome_page(request: HttpRequest) -> HttpResponse:
    """Make the administrator's account, as long as there is none."""
    if Account.objects.exists():
        return redirect("signin")
    form = WelcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            account = form.create()
        except AccountsExist:
            return redirect("signin")
        if account is not None:
            login(request, account)
            return redirect("timeline")
    rules = password_validation.password_validators_help_texts()
    return render(request, "accounts/welcome.html", {"form": form, "rules": rules})


@require_POST
def choose_appearance(request: HttpRequest) -> HttpResponse:
    """Remember light or dark for a year, for browsers without script."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    # Not by `redirect`, which would look for a page of that name.
    response = HttpResponseRedirect(target)
    chosen = request.POST.get("appearance", "")
    response.set_cookie(
        "appearance",
        chosen if chosen in APPEARANCES else "auto",
        max_age=_YEAR,
        samesite="Lax",
    )
    return response

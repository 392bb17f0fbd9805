"""Who may see a page: the guard of every view behind the sign-in, and the request as those views know it."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from core.accounts import Account

P = ParamSpec("P")


class Request(HttpRequest):
    """A request by a signed-in account."""

    htmx: HtmxDetails
    user: Account


View = Callable[Concatenate[Request, P], HttpResponseBase]


def signed_in(view: View[P]) -> View[P]:
    """Send everybody else to the sign-in page, and back afterwards.

    For a fragment it is the whole page that goes there: a form inside a tile would help nobody.
    """

    @wraps(view)
    def guarded(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if _is_signed_in(request):
            return view(request, *args, **kwargs)
        if request.htmx:
            return HttpResponseClientRedirect(redirect_to_login(request.htmx.current_url_abs_path or "/").url)
        return redirect_to_login(request.get_full_path())

    return guarded


def staff_only(view: View[P]) -> View[P]:
    """Answer 403 with a page to accounts that are no administrators."""

    @wraps(view)
    def guarded(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def not_there(error: type[Exception], words: str) -> Callable[[View[P]], View[P]]:
    """Answer that there is no such thing where a view raises this error: what one may not see is not there."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def answered(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except error as missing:
                raise Http404(words) from missing

        return answered

    return guard


def _is_signed_in(request: HttpRequest) -> bool:
    return request.user.is_authenticated


def actor_of(request: Request) -> str:
    """The name under which events remember who acted."""
    return request.user.actor

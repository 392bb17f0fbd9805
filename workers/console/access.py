"""Who may see and operate the job console: staff. Others are told so, strangers are sent to the sign-in."""

from functools import wraps
from typing import ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase

from core.web.access import Request, View, signed_in

P = ParamSpec("P")


def staff_only(view: View[P]) -> View[P]:
    """Answer 403 with a page to accounts that are no staff."""

    @wraps(view)
    def guarded(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(guarded)

"""What is typed: numbers in it; and addresses, forms and cookies with a NUL are refused, which no table keeps."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# Its files come in forms too, and are read by whoever keeps them.
_API = "/api/"


def number_in(text: str, digits: int = 9) -> int | None:
    """A whole number that somebody has typed, or a page has sent along; None for what is none, or is longer."""
    # Without a bound, Python refuses to read very long ones, and no column could keep them.
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None


@sync_and_async_middleware
def plain_text_only(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware; what is uploaded as a file may hold anything."""
    if iscoroutinefunction(get_response):

        async def handle_later(request: HttpRequest) -> HttpResponseBase:
            answer: HttpResponseBase = _refused(request) or await get_response(request)
            return answer

        return handle_later

    def handle(request: HttpRequest) -> HttpResponseBase:
        answer: HttpResponseBase = _refused(request) or get_response(request)
        return answer

    return handle


def _refused(request: HttpRequest) -> HttpResponseBase | None:
    address = f"{request.path}?{request.META.get('QUERY_STRING', '')}"
    # A cookie may hold one as \000, and the sign-in is looked up by it.
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if "\0" in address or "%00" in address or "\0" in cookie or _form_holds_nul(request):
        return HttpResponseBadRequest("That holds a NUL, which is no text.")
    return None


def _form_holds_nul(request: HttpRequest) -> bool:
    is_form = request.content_type in _FORMS and not request.path.startswith(_API)
    if request.method != "POST" or not is_form:
        return False
    # Read whole, so that a view may still read it in its own way; Django refuses more than some mebibytes.
    return bool(request.body) and any("\0" in text for _, texts in request.POST.lists() for text in texts)

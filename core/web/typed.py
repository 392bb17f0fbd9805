"""Refuses addresses and forms that hold a NUL: nobody types one, and no table can keep one."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

_FORM = "application/x-www-form-urlencoded"


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
    if "\0" in address or "%00" in address or _form_holds_nul(request):
        return HttpResponseBadRequest("That holds a NUL, which is no text.")
    return None


def _form_holds_nul(request: HttpRequest) -> bool:
    is_form = request.method == "POST" and request.content_type == _FORM
    return is_form and any("\0" in text for _, texts in request.POST.lists() for text in texts)

"""Every tag that the original holds, read when somebody asks, in groups that can be searched."""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.web.access import Request, signed_in
from core.web.pictures import visible_photo


@require_safe
@never_cache
@signed_in
def all_tags_page(request: Request, photo_id: UUID) -> HttpResponse:
    """The tags of one photo's original; `q` leaves those that hold all its words."""
    photo = visible_photo(request.user, photo_id)
    found = import_string(settings.ALL_TAGS)(photo)
    words = request.GET.get("q", "").lower().split()
    groups = [(group.title, _matching(group.title, group.tags, words)) for group in found.groups]
    context = {
        "photo": photo,
        "reason": found.reason,
        "groups": [(title, tags) for title, tags in groups if tags],
        "q": request.GET.get("q", ""),
        "count": sum(len(tags) for _, tags in groups),
    }
    return render(request, "photos/alltags.html", context)


def _matching(title: str, tags: tuple[tuple[str, str], ...], words: list[str]) -> list[tuple[str, str]]:
    return [(name, text) for name, text in tags if all(word in f"{title} {name} {text}".lower() for word in words)]

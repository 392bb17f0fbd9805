"""Photos that look alike, side by side: keep the best, keep all, and take either back."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.commands import duplicates as commands
from core.domain.duplicates import NotAChoice
from core.readmodels.alikegroups import (
    Group,
    count_groups,
    duplicate_groups,
    exact_groups,
    group_of,
    kept_instead,
    of_one_owner,
    reviewed_photos,
)
from core.readmodels.photos import Photo, visible_photos
from core.readmodels.proposals import words_for_kept
from core.web.access import Request, actor_of, signed_in
from core.web.alike import SideBySide, side_by_side
from core.web.pictures import visible_photo
from core.web.typed import number_in
from core.web.words import counted

PAGE = 20
KEPT_PAGE = 200


@dataclass(frozen=True, slots=True)
class Done:
    """What was decided just now, in words, and how it is taken back."""

    group: UUID
    review: UUID
    words: str


@require_safe
@never_cache
@signed_in
def duplicates_page(request: Request) -> HttpResponse:
    """Groups to look at, the largest first."""
    behind = _cursor(request.GET.get("behind", ""))
    found = duplicate_groups(request.user, behind=behind, limit=PAGE + 1)
    shown, last = found[:PAGE], found[PAGE - 1] if len(found) > PAGE else None
    context = {
        "groups": [side_by_side(group) for group in shown],
        "next": f"{last.size}~{last.id}" if last else "",
        "done": _done_before(request),
    }
    return render(request, "duplicates/duplicates.html", context | _counts(request))


@require_safe
@never_cache
@signed_in
def compare_page(request: Request, group_id: UUID) -> HttpResponse:
    """One group, large: zoomed at the same spot, or one picture over the other."""
    context = {"group": _group(request, group_id)}
    return render(request, "duplicates/compare.html", context)


@require_POST
@signed_in
def keep(request: Request, group_id: UUID) -> HttpResponse:
    """Keep one of the photos that were looked at in the timeline, and none of the others."""
    photos = _looked_at(request)
    best = next((one for one in photos if str(one.id) == request.POST.get("keep")), None)
    if best is None or len(photos) < 2:
        return HttpResponseBadRequest("Choose one of the photos.")
    review = uuid4()
    try:
        words = words_for_kept(best, photos)
        others = [one.id for one in photos]
        commands.keep_best(best.id, others, review=review, actor=actor_of(request), words=words)
    except NotAChoice:
        return redirect("duplicates")
    gone = counted(len(photos) - 1, "other")
    return _answer(request, Done(group_id, review, f"{best.name} is kept; {gone} no longer in the timeline."))


@require_POST
@signed_in
def keep_all(request: Request, group_id: UUID) -> HttpResponse:
    """They are no duplicates: keep them all, and propose them no more."""
    photos = _looked_at(request)
    if len(photos) < 2:
        return HttpResponseBadRequest("There is nothing to tell apart.")
    review = uuid4()
    commands.tell_apart([one.id for one in photos], review=review, actor=actor_of(request))
    return _answer(request, Done(group_id, review, f"All {len(photos)} are kept and not proposed again."))


@require_POST
@signed_in
def undo(request: Request, review: UUID) -> HttpResponse:
    """Take back everything that was decided at once."""
    photos = reviewed_photos(request.user, review)
    if not photos:
        raise Http404("There is nothing to take back.")
    commands.undo_review(photos, review, actor=actor_of(request))
    group = group_of(request.user, _uuid(request.POST.get("group", ""))) if request.htmx else None
    if group is not None:
        return render(request, "duplicates/_group.html", {"group": side_by_side(group), "back": True})
    return redirect("duplicates")


@signed_in
@never_cache
def keep_exact(request: Request) -> HttpResponse:
    """In every group whose photos look exactly alike: first what would be kept, then, asked for, keep it."""
    groups = [side_by_side(group) for group in exact_groups(request.user)]
    sure = [group for group in groups if group.sure]
    if request.method == "POST":
        review = uuid4()
        for group in sure:
            others = [one.photo.id for one in group.members]
            with contextlib.suppress(NotAChoice):  # somebody else has decided about it meanwhile
                best = next(one.photo for one in group.members if one.photo.id == group.best)
                words = words_for_kept(best, [one.photo for one in group.members])
                commands.keep_best(group.best, others, review=review, actor=actor_of(request), words=words)
        return redirect(f"{reverse('duplicates')}?done={review}")
    left = sum(len(group.members) - 1 for group in sure)
    context = {"sure": sure[:PAGE], "sure_count": len(sure), "left_count": left, "unsure": len(groups) - len(sure)}
    return render(request, "duplicates/exact.html", context | _counts(request))


@require_safe
@never_cache
@signed_in
def kept_page(request: Request) -> HttpResponse:
    """The photos that are not in the timeline, since another one is kept."""
    found = list(kept_instead(request.user)[:KEPT_PAGE])
    kept = visible_photos(request.user).in_bulk([photo.duplicate_of for photo in found])
    rows = [(photo, kept.get(photo.duplicate_of)) for photo in found]
    return render(request, "duplicates/kept.html", {"rows": rows} | _counts(request))


@require_POST
@signed_in
def show_again(request: Request, photo_id: UUID) -> HttpResponse:
    """Put one photo back into the timeline."""
    photo = visible_photo(request.user, photo_id)
    commands.show_again(photo.id, actor=actor_of(request))
    return redirect("photo", photo.id) if "viewer" in request.POST else redirect("duplicates-kept")


def _group(request: Request, group_id: UUID) -> SideBySide:
    group: Group | None = group_of(request.user, group_id)
    if group is None:
        raise Http404("There is no such group.")
    return side_by_side(group)


def _looked_at(request: Request) -> Sequence[Photo]:
    """The photos that the page has shown: one that joined the group since is not decided about unseen."""
    asked = [_uuid(text) for text in request.POST.getlist("photo")]
    found = visible_photos(request.user).in_bulk(asked)
    if len(found) < len(set(asked)):
        raise Http404("There is no such photo.")
    if not of_one_owner(found.values()):
        raise PermissionDenied
    return list(found.values())


def _answer(request: Request, done: Done) -> HttpResponse:
    if request.htmx:
        return render(request, "duplicates/_done.html", {"done": done, "fresh": True})
    return redirect(f"{reverse('duplicates')}?done={done.review}")


def _done_before(request: Request) -> Done | None:
    """For who comes back from a decision without script, or from one about many groups."""
    text = request.GET.get("done", "")
    photos = reviewed_photos(request.user, _uuid(text)) if text else []
    return Done(UUID(int=0), _uuid(text), f"Done, for {counted(len(photos), 'photo')}.") if photos else None


def _counts(request: Request) -> dict[str, int]:
    groups, exact = count_groups(request.user)
    return {"group_count": groups, "exact_count": exact, "kept_count": kept_instead(request.user).count()}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("There is no such photo.") from error


def _cursor(text: str) -> tuple[int, UUID] | None:
    size, _, last = text.partition("~")
    number = number_in(size, digits=5)
    return None if number is None else (number, _uuid(last))

"""People: everybody with a face, one person with all of theirs, who look alike; and what may be said of them."""

from collections.abc import Callable
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from core import whoiswho
from core.domain.edits import BadValue, NotUndoable
from core.domain.people import PersonNotFound
from core.forgetting import may_forget_person
from core.readmodels.faces import Person, PersonAct
from core.readmodels.people import (
    acts_about,
    count_people,
    faces_of,
    names_of,
    people_of,
    person_for,
    person_named,
    portrait_of,
)
from core.readmodels.questions import loose_faces, questions_for
from core.vectors import NEEDED, has_vectors
from core.web.access import Request, not_there, signed_in
from core.web.faces import face_tiles, pair_of, person_tile
from core.web.peoplewords import acts_in_words
from core.web.typed import number_in
from core.web.words import counted

PAGE = 120
QUESTIONS = 6


_found = not_there(PersonNotFound, "There is no such person.")


@require_safe
@never_cache
@signed_in
def people_page(request: Request) -> HttpResponse:
    """Everybody: those with a name, those without, and who look alike. Hidden ones behind a switch."""
    hidden = request.GET.get("show") == "hidden"
    context: dict[str, object]
    if hidden:
        context = {"hidden": [person_tile(one) for one in people_of(request.user, hidden=True)]}
    else:
        context = {
            "named": [person_tile(one) for one in people_of(request.user, named=True, limit=1000)],
            "unnamed": [person_tile(one) for one in people_of(request.user, named=False)],
            "pairs": [pair_of(one) for one in questions_for(request.user, QUESTIONS)],
        }
    about = {"counts": count_people(request.user), "missing": "" if has_vectors() else NEEDED}
    return render(request, "people/people.html", {**context, **about, "names": names_of(request.user)})


@require_safe
@never_cache
@signed_in
def loose_page(request: Request) -> HttpResponse:
    """Faces that are nobody's yet: each may be named."""
    context = {"faces": face_tiles(loose_faces(request.user, PAGE)), "names": names_of(request.user)}
    return render(request, "people/loose.html", {**context, "counts": count_people(request.user)})


@require_safe
@never_cache
@signed_in
@_found
def person_page(request: Request, person_id: UUID) -> HttpResponse:
    """One person; under the id of somebody who was merged, who they are known as now."""
    person = person_for(request.user, person_id)
    if person.id != person_id:
        return redirect("person", person.id)
    return render(request, "people/person.html", _context(request, person))


@require_POST
@signed_in
@_found
def change(request: Request, person_id: UUID) -> HttpResponse:
    """A name, a birthday, hidden or not."""
    value = request.POST.get("value", "")
    match request.POST.get("fact"):
        case "name":
            return _answer(request, person_id, lambda: whoiswho.name(request.user, person_id, value))
        case "birthday":
            return _answer(request, person_id, lambda: whoiswho.set_birthday(request.user, person_id, value))
        case "hidden":
            return _answer(request, person_id, lambda: whoiswho.hide(request.user, person_id, value == "on"))
    return HttpResponseBadRequest("There is no such form.")


@require_POST
@signed_in
@_found
def merge(request: Request, person_id: UUID) -> HttpResponse:
    """Make one of this person and another, who is named by id or by name."""
    person = person_for(request.user, person_id)
    into = _chosen(request, person)
    if into is None:
        return _answer(request, person_id, _nobody_of_that_name)
    return _answer(request, person_id, lambda: whoiswho.merge(request.user, person_id, into.id))


@require_POST
@signed_in
@_found
def faces(request: Request, person_id: UUID) -> HttpResponse:
    """Something about the faces that are ticked."""
    person = person_for(request.user, person_id)
    ticked = [_uuid(text) for text in request.POST.getlist("face")]
    user = request.user
    match request.POST.get("act"):
        case "confirm":
            return _answer(request, person_id, lambda: whoiswho.confirm(user, ticked))
        case "reject":
            return _answer(request, person_id, lambda: whoiswho.reject(user, person_id, ticked))
        case "split":
            return _answer(request, person_id, lambda: whoiswho.split(user, ticked))
        case "cover":
            cover = ticked[0] if ticked else None
            return _answer(request, person_id, lambda: whoiswho.choose_cover(user, person_id, cover))
        case "move":
            to = _chosen(request, person)
            if to is not None:
                return _answer(request, person_id, lambda: whoiswho.move(user, to.id, ticked))
            text = request.POST.get("to", "")
            return _answer(request, person_id, lambda: whoiswho.split(user, ticked, _wanted(text)))
    return HttpResponseBadRequest("There is no such button.")


@require_POST
@signed_in
@_found
def undo(request: Request, act_id: UUID) -> HttpResponse:
    """Take an act back; on the page of the person where the button was."""
    shown = _uuid(request.POST.get("shown", ""))
    return _answer(request, shown, lambda: whoiswho.undo(request.user, act_id))


@require_POST
@signed_in
@_found
def answer(request: Request) -> HttpResponse:
    """Whether two who look alike are the same person."""
    one, other = (_uuid(request.POST.get(name, "")) for name in ("one", "other"))
    is_face, same = "is_face" in request.POST, request.POST.get("same") == "yes"
    before = set(PersonAct.objects.filter(people__contains=[other]).values_list("id", flat=True))
    try:
        whoiswho.answer(request.user, one, other, is_face=is_face, same=same)
    except BadValue as refused:
        return HttpResponseBadRequest(str(refused))
    if not request.htmx:
        return redirect("people")
    person = person_for(request.user, other)
    made = [act for act in acts_about(person.id, limit=3) if act.id not in before]
    context = {"words": _said(is_face, same), "act": made[0].id if made else None, "shown": person.id}
    return render(request, "people/_answered.html", context)


@require_POST
@signed_in
def group_again(request: Request) -> HttpResponse:
    """Have all faces grouped anew."""
    whoiswho.group_again(request.user)
    return redirect(f"{reverse('people')}?grouping=1")


@require_POST
@signed_in
@_found
def name_face(request: Request, face_id: UUID) -> HttpResponse:
    """Say who a face is, on the page of loose faces."""
    try:
        person = whoiswho.name_face(request.user, face_id, request.POST.get("name", ""))
    except BadValue as refused:
        return HttpResponseBadRequest(str(refused))
    return redirect("person", person)


def _answer(request: Request, shown: UUID, act: Callable[[], object]) -> HttpResponse:
    """Do it, and show the person as it is now, or why nothing was done."""
    refused = ""
    try:
        act()
    except (BadValue, NotUndoable) as error:
        refused = str(error).rstrip(".") + "."
    person = person_for(request.user, shown)
    if request.htmx and person.id == shown:
        return render(request, "people/_person.html", {**_context(request, person), "refused": refused})
    if request.htmx and not refused:
        return HttpResponseClientRedirect(reverse("person", args=[person.id]))
    if refused:
        return render(request, "people/person.html", {**_context(request, person), "refused": refused}, status=409)
    return redirect("person", person.id)


def _context(request: Request, person: Person) -> dict[str, object]:
    portrait = portrait_of(request.user, person)
    skip = number_in(request.GET.get("from", ""), digits=6) or 0
    seen = faces_of(request.user, person.id, skip=skip, limit=PAGE + 1)
    return {
        "person": person,
        "may_forget": may_forget_person(request.user, person),
        "tile": person_tile(portrait),
        "faces": face_tiles(seen[:PAGE]),
        "count": counted(portrait.faces, "face"),
        "from": skip,
        "next": skip + PAGE if len(seen) > PAGE else None,
        "history": acts_in_words(acts_about(person.id), person.id),
        "names": names_of(request.user, person.id),
        "refused": "",
    }


def _chosen(request: Request, person: Person) -> Person | None:
    """The other one, by id, or by the name that was typed."""
    if text := request.POST.get("into", ""):
        return person_for(request.user, _uuid(text))
    named = person_named(request.user, request.POST.get("to", ""), person.owner_id)
    return named if named is not None and named.id != person.id else None


def _nobody_of_that_name() -> None:
    raise BadValue("Choose somebody who has this name already.")


def _wanted(text: str) -> str:
    if not text.strip():
        raise BadValue("Say whose these faces are.")
    return text


def _said(is_face: bool, same: bool) -> str:
    if is_face:
        return "This face is theirs now." if same else "This face is somebody else's."
    return "They are one person now." if same else "They are two, and you are not asked again."


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("There is no such person.") from error

"""A library is given to somebody else on its page, by administrators, and taken back there."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from core import handover
from core.commands.accounts import UnknownAccount, account_named
from core.domain.edits import NotUndoable
from core.domain.libraries import UploadsStay
from core.web.access import Request, actor_of
from core.web.libraries import library_settings, library_there, staff_only


@require_POST
@staff_only
def give(request: Request, library_id: UUID) -> HttpResponse:
    """Make it somebody else's; the answer offers to take that back."""
    library = library_there(library_id)
    try:
        owner = account_named(request.POST.get("owner", "") or request.user.username)
        event = handover.hand_over(library.id, owner.pk, actor=actor_of(request))
    except (UnknownAccount, UploadsStay) as error:
        return library_settings(request, library, refused=str(error))
    return _back(library.id, f"?given={event}" if event else "")


@require_POST
@staff_only
def take_back(request: Request, library_id: UUID, event: UUID) -> HttpResponse:
    """Give it back to whose it was."""
    library = library_there(library_id)
    try:
        handover.take_back(library.id, event, actor=actor_of(request))
    except NotUndoable as error:
        return library_settings(request, library, refused=f"{error}.")
    return _back(library.id)


def _back(library: UUID, asked: str = "") -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('library', args=[library])}{asked}#owner")

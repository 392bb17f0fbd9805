"""manage.py forget: erase what is known of photos, or of people, for good."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.domain.forgetting import StillThere
from core.domain.people import PersonNotFound
from core.domain.photos import PhotoNotFound
from core.forgetting import forget, forget_person, refuse_if_there, uploads_of
from core.readmodels.people import root_of
from core.readmodels.photos import Photo
from core.web.words import size

_ACTOR = "cli"


class Command(BaseCommand):
    """All are looked at before any is forgotten. Their files go a moment later, by a job of the worker."""

    help = "Erase what is known of photos, with previews and uploads, or of people. It cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        photo = what.add_parser("photo", help="photos by their ids, as in the viewer's address")
        person = what.add_parser("person", help="people by their ids, as in their pages' addresses")
        for one in (photo, person):
            one.add_argument("ids", nargs="+", type=UUID, metavar="ID")
            one.add_argument("--reason", required=True, help="why, without personal words: it is kept")
            one.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["reason"].strip():
            raise CommandError("Say why.")
        act = self._photos if options["what"] == "photo" else self._people
        try:
            act(list(dict.fromkeys(options["ids"])), options["reason"], options["yes"])
        except (PhotoNotFound, PersonNotFound) as missing:
            raise CommandError(f"There is no such {options['what']}: {missing}") from missing
        except StillThere as refused:
            raise CommandError(str(refused)) from refused

    def _photos(self, ids: list[UUID], reason: str, yes: bool) -> None:
        photos = [self._known(photo) for photo in ids]
        for photo in photos:
            self.stdout.write(f"{photo.name}, {photo.path}")
            for upload in uploads_of(photo):
                self.stdout.write(f"  with its uploaded original {upload.name}, {size(upload.size)}")
        self._ask(yes)
        for photo in photos:
            forget(photo, actor=_ACTOR, reason=reason)
        self.stdout.write("Forgotten. The worker removes their files.")

    def _people(self, ids: list[UUID], reason: str, yes: bool) -> None:
        people = {root_of(person).id: root_of(person) for person in ids}.values()
        for person in people:
            self.stdout.write(person.name or f"somebody without a name, {person.id}")
        self._ask(yes)
        for person in people:
            forget_person(person, actor=_ACTOR, reason=reason)
        self.stdout.write("Forgotten. The worker removes their portraits.")

    def _ask(self, yes: bool) -> None:
        if not yes and input("Forget them for good? It cannot be undone. Type yes: ").strip() != "yes":
            raise CommandError("Nothing was forgotten.")

    def _known(self, photo_id: UUID) -> Photo:
        found = Photo.objects.filter(id=photo_id).first()
        if found is None:
            raise CommandError(f"There is no photo {photo_id}.")
        try:
            refuse_if_there(found)
        except StillThere as refused:
            raise CommandError(f"{photo_id}: {refused}") from refused
        return found

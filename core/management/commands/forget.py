"""manage.py forget: erase what is known of photos, for good."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.domain.forgetting import StillThere
from core.domain.photos import PhotoNotFound
from core.forgetting import forget, refuse_if_there, uploads_of
from core.readmodels.photos import Photo
from core.web.words import size


class Command(BaseCommand):
    """All are looked at before any is forgotten. Their files go a moment later, by a job of the worker."""

    help = "Erase everything that is known of photos, their previews and uploaded originals. It cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        photo = what.add_parser("photo", help="photos by their ids, as in the viewer's address")
        photo.add_argument("ids", nargs="+", type=UUID, metavar="ID")
        photo.add_argument("--reason", required=True, help="why, without personal words: it is kept")
        photo.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["reason"].strip():
            raise CommandError("Say why.")
        photos = [self._known(photo) for photo in dict.fromkeys(options["ids"])]
        for photo in photos:
            self.stdout.write(f"{photo.name}, {photo.path}")
            for upload in uploads_of(photo):
                self.stdout.write(f"  with its uploaded original {upload.name}, {size(upload.size)}")
        if not options["yes"] and input("Forget them for good? It cannot be undone. Type yes: ").strip() != "yes":
            raise CommandError("Nothing was forgotten.")
        for photo in photos:
            self._forget(photo, options["reason"])
        self.stdout.write("Forgotten. The worker removes their files.")

    def _known(self, photo_id: UUID) -> Photo:
        found = Photo.objects.filter(id=photo_id).first()
        if found is None:
            raise CommandError(f"There is no photo {photo_id}.")
        try:
            refuse_if_there(found)
        except StillThere as refused:
            raise CommandError(f"{photo_id}: {refused}") from refused
        return found

    def _forget(self, photo: Photo, reason: str) -> None:
        try:
            forget(photo, actor="cli", reason=reason)
        except (StillThere, PhotoNotFound) as refused:
            raise CommandError(f"{photo.id}: {refused}") from refused

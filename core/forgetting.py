"""Who may have a photo or a person forgotten, whether that may be done now, and what goes with it."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from core.accounts import Account
from core.commands import forgetting as commands
from core.domain.forgetting import refuse_while_there
from core.domain.people import PersonNotFound
from core.domain.photos import PhotoNotFound
from core.readmodels.faces import Face, Person, PersonAct
from core.readmodels.files import PhotoFile, files_of_photo
from core.readmodels.libraries import Folder, Library, lies_at
from core.readmodels.people import family_of, owner_of, person_for
from core.readmodels.photos import Photo
from core.readmodels.sidecars import Sidecar
from core.storage import is_managed

# Why, where nothing else is said.
BY_OWNER = "asked for by its owner"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of the photo that lies in a folder of Filmroll's own, and is deleted with it."""

    name: str
    size: int


def photo_to_forget(account: Account, photo_id: UUID) -> Photo:
    """A photo of this account's own library, hidden or not; an administrator's too where a library is nobody's.

    Raises PhotoNotFound.
    """
    found = Photo.objects.filter(id=photo_id).first()
    if found is None or not may_forget(account, found):
        raise PhotoNotFound(str(photo_id))
    return found


def may_forget(account: Account, photo: Photo) -> bool:
    """To see a photo is not enough: what is forgotten is gone for its owner."""
    return _is_owner(account, owner_of(photo))


def person_to_forget(account: Account, person_id: UUID) -> Person:
    """A person in this account's own libraries, or who it was merged into. Raises PersonNotFound."""
    known = person_for(account, person_id)
    if not may_forget_person(account, known):
        raise PersonNotFound(str(person_id))
    return known


def may_forget_person(account: Account, person: Person) -> bool:
    """The same as with photos: whose they are decides."""
    return _is_owner(account, person.owner_id)


def _is_owner(account: Account, owner: UUID) -> bool:
    """A library that is nobody's is its own owner, and an administrator's to decide on."""
    return owner == account.pk or (account.is_staff and Library.objects.filter(id=owner, owner_id=None).exists())


def refuse_if_there(photo: Photo) -> None:
    """Raises StillThere while a file of it is where it would be found again: in a folder that is only read."""
    looked_in = Folder.objects.filter(library_id=photo.library_id, removed=False)
    folders = {one.id: one.root for one in looked_in if not is_managed(one.root)}
    if Library.objects.filter(id=photo.library_id, removed=True).exists():
        return
    files = [file for file in files_of_photo(photo.id) if file.folder_id in folders]
    refuse_while_there(file.path for file in files if file.missing_since is None or _is_there(file))


def uploads_of(photo: Photo) -> list[Upload]:
    """The originals that are deleted with a photo."""
    managed = {one.id for one in Folder.objects.filter(library_id=photo.library_id) if is_managed(one.root)}
    return [Upload(one.known_as, one.size) for one in files_of_photo(photo.id) if one.folder_id in managed]


def forget(photo: Photo, *, actor: str, reason: str) -> None:
    """Erase everything that is known of a photo, for good. Raises StillThere, PhotoNotFound."""
    refuse_if_there(photo)
    files = commands.files_of(photo.id)
    own = files - _of_others(photo, files)
    commands.forget_photo(photo.id, photo.library_id, own, actor=actor, reason=reason)


def forget_person(person: Person, *, actor: str, reason: str) -> None:
    """Erase everything that was said of a person, and what their faces are known by. Raises PersonNotFound."""
    family, acts = [*family_of(person.id), *_namesakes(person)], _acts_with_name(person)
    faces = dict(Face.objects.filter(person_id__in=family).values_list("id", "photo_id"))
    mine = set(PersonAct.objects.filter(person_id__in=family).values_list("id", flat=True))
    theirs = sorted(acts - mine)
    commands.forget_person(person.id, person.owner_id, family, faces, theirs, actor=actor, reason=reason)


def _namesakes(person: Person) -> list[UUID]:
    """Others of this name with no face left: what was once said of the same one, as a rule."""
    if not person.name:
        return []
    same = Person.objects.filter(owner_id=person.owner_id, name__iexact=person.name).exclude(root_id=person.id)
    alone = same.filter(~Exists(Face.objects.filter(home_id=OuterRef("id")))).order_by("id")
    return [one for one in alone.values_list("id", flat=True) if family_of(one) == [one]]


def _acts_with_name(person: Person) -> set[UUID]:
    """Where the name was said of somebody who has another one by now."""
    if not person.name:
        return set()
    others = Person.objects.filter(owner_id=person.owner_id).exclude(name__iexact=person.name).values("id")
    said = PersonAct.objects.filter(person_id__in=others, type="person.named", data__name__iexact=person.name)
    return set(said.values_list("id", flat=True))


def _of_others(photo: Photo, files: set[UUID]) -> set[UUID]:
    """Files that are another photo's by now, tell about another one too, or lie in a folder that is only read."""
    rows = PhotoFile.objects.filter(id__in=files).exclude(photo_id=photo.id)
    kept = {one.id for one in rows if one.photo_id or not _is_managed(one)}
    shared = Sidecar.objects.filter(~Q(photo_id=photo.id), file_id__in=files)
    return kept | set(shared.values_list("file_id", flat=True))


def _is_managed(file: PhotoFile) -> bool:
    return is_managed(Folder.objects.values_list("root", flat=True).get(id=file.folder_id))


def _is_there(file: PhotoFile) -> bool:
    return lies_at(file.folder_id, file.path).exists()

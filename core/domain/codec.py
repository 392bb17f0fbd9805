"""Events under their written-down names, and each one to and from plain JSON values."""

from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter

from core.domain import (
    albums,
    analysis,
    duplicates,
    edits,
    files,
    forgetting,
    libraries,
    lifts,
    looks,
    occasions,
    people,
    photos,
    places,
    sidecars,
    stacks,
)
from events.event import Event

DomainEvent = (
    photos.PhotoEvent
    | files.FileEvent
    | libraries.LibraryEvent
    | people.PeopleEvent
    | occasions.OccasionEvent
    | albums.AlbumEvent
)

TYPES: dict[str, type[Any]] = {
    "library.added": libraries.LibraryAdded,
    "library.renamed": libraries.LibraryRenamed,
    "library.owner_changed": libraries.OwnerChanged,
    "library.removed": libraries.LibraryRemoved,
    "library.restored": libraries.LibraryRestored,
    "library.folder_added": libraries.FolderAdded,
    "library.folder_removed": libraries.FolderRemoved,
    "library.ignore_rules_changed": libraries.IgnoreRulesChanged,
    "library.watch_switched": libraries.WatchSwitched,
    "library.sidecars_switched": libraries.SidecarsSwitched,
    "library.analyses_switched": analysis.AnalysesSwitched,
    "library.analysis_asked": analysis.AnalysisAsked,
    "library.rescan_asked": libraries.RescanAsked,
    "library.remake_asked": libraries.RemakeAsked,
    "library.folder_offline": libraries.FolderOffline,
    "library.folder_online": libraries.FolderOnline,
    "library.mount_forgotten": libraries.MountForgotten,
    "library.folder_watch_failed": libraries.FolderWatchFailed,
    "library.folder_watched": libraries.FolderWatched,
    "photo.imported": photos.PhotoImported,
    "photo.file_added": photos.FileAdded,
    "photo.file_gone": photos.FileGone,
    "photo.file_moved": photos.FileMoved,
    "photo.file_missing": photos.FileMissing,
    "photo.file_back": photos.FileBack,
    "photo.content_replaced": photos.ContentReplaced,
    "photo.taken_out": photos.TakenOut,
    "photo.metadata_read": photos.MetadataRead,
    "photo.previews_rendered": photos.PreviewsRendered,
    "photo.labels_found": photos.LabelsFound,
    "photo.scenes_found": analysis.ScenesFound,
    "photo.faces_found": analysis.FacesFound,
    "photo.vector_made": analysis.VectorMade,
    "photo.meaning_made": analysis.MeaningMade,
    "photo.analysed": analysis.PhotoAnalysed,
    "photo.step_failed": photos.StepFailed,
    "photo.step_retried": photos.StepRetried,
    "photo.step_set_aside": photos.StepSetAside,
    "photo.looks_found": looks.LooksFound,
    "photo.alike_found": looks.AlikeFound,
    "photo.processed": photos.PhotoProcessed,
    "photo.forgotten": forgetting.PhotoForgotten,
    "photo.rated": edits.PhotoRated,
    "photo.favoured": edits.PhotoFavoured,
    "photo.titled": edits.PhotoTitled,
    "photo.captioned": edits.PhotoCaptioned,
    "photo.keywords_changed": edits.KeywordsChanged,
    "photo.placed": edits.PhotoPlaced,
    "photo.dated": edits.PhotoDated,
    "photo.place_found": places.PlaceFound,
    "photo.place_corrected": places.PlaceCorrected,
    "photo.style_corrected": looks.StyleCorrected,
    "photo.change_undone": edits.ChangeUndone,
    "photo.sidecar_read": sidecars.SidecarRead,
    "photo.sidecar_gone": sidecars.SidecarGone,
    "photo.sidecar_asked": sidecars.SidecarAsked,
    "photo.sidecar_written": sidecars.SidecarWritten,
    "photo.sidecar_not_written": sidecars.SidecarNotWritten,
    "photo.stacked": stacks.PhotoStacked,
    "photo.unstacked": stacks.PhotoUnstacked,
    "photo.put_on_top": stacks.PutOnTop,
    "photo.top_taken_back": stacks.TopTakenBack,
    "photo.marked_duplicate": duplicates.MarkedDuplicate,
    "photo.unmarked_duplicate": duplicates.UnmarkedDuplicate,
    "photo.told_apart": duplicates.ToldApart,
    "photo.apart_taken_back": duplicates.ApartTakenBack,
    "date.named": occasions.DateNamed,
    "date.forgotten": occasions.DateForgotten,
    "file.uploaded": files.FileUploaded,
    "file.skipped": files.FileSkipped,
    "file.failed": files.FileFailed,
    "file.retried": files.FileRetried,
    "file.set_aside": files.FileSetAside,
    "file.vanished": files.FileVanished,
    "group.faces_joined": people.FacesJoined,
    "group.faces_let_go": people.FacesLetGo,
    "people.grouping_asked": people.GroupingAsked,
    "person.begun": people.PersonBegun,
    "person.named": people.PersonNamed,
    "person.birthday_set": people.BirthdaySet,
    "person.hidden": people.PersonHidden,
    "person.cover_chosen": people.CoverChosen,
    "person.faces_confirmed": people.FacesConfirmed,
    "person.faces_moved": people.FacesMoved,
    "person.faces_rejected": people.FacesRejected,
    "person.merged": people.PersonMerged,
    "person.told_apart": people.PeopleToldApart,
    "person.act_undone": people.ActUndone,
    "person.forgotten": people.PersonForgotten,
    "album.made": albums.AlbumMade,
    "album.renamed": albums.AlbumRenamed,
    "album.rule_changed": albums.AlbumRuleChanged,
    "album.removed": albums.AlbumRemoved,
    "album.photos_added": albums.PhotosAddedToAlbum,
    "album.photos_taken": albums.PhotosTakenFromAlbum,
    "album.cover_chosen": albums.AlbumCoverChosen,
    "album.change_undone": albums.AlbumChangeUndone,
}
_NAMES = {made: name for name, made in TYPES.items()}


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    # Made when first needed: all of them would be a twelfth of each program's start.
    return TypeAdapter(TYPES[name])


def encode(event: DomainEvent) -> tuple[str, dict[str, Any]]:
    """An event's written-down name and its payload."""
    name = _NAMES[type(event)]
    return name, _adapter(name).dump_python(event, mode="json")


def newest_version(name: str) -> int:
    """The schema version in which an event is written today: what the last of its lifts gives."""
    version = 1
    while (name, version) in lifts.LIFTS:
        version += 1
    return version


def decode(event: Event) -> DomainEvent:
    """The domain event in a stored one; keys that this version does not know stay in the log unread."""
    return fact_of(event.type, event.data)


def fact_of(name: str, data: dict[str, Any]) -> DomainEvent:
    """The domain event with this name and payload."""
    return cast(DomainEvent, _adapter(name).validate_python(data))

"""Where Django finds the tables of the photo library; each is written beside what fills and asks it."""

from core.accounts import Account, ApiKey
from core.codes import PhotoCode
from core.groups import Resemblance
from core.meaning import PhotoMeaning, TextMeaning
from core.readmodels.albums import Album, AlbumChange, AlbumPhoto
from core.readmodels.analysis import PhotoAnalysis
from core.readmodels.duplicates import Judged, Look, Tie
from core.readmodels.faces import Face, ForgottenOne, Person, PersonAct
from core.readmodels.failures import Failure
from core.readmodels.files import PhotoFile
from core.readmodels.forgotten import ForgottenPhoto
from core.readmodels.libraries import Folder, Library
from core.readmodels.looks import Looked, PhotoColour, PhotoStyle
from core.readmodels.mounts import Mount
from core.readmodels.occasions import NamedDate
from core.readmodels.photos import Photo
from core.readmodels.places import PhotoPlace, Place
from core.readmodels.searching import PhotoExposure, PhotoWords, SearchTerm
from core.readmodels.sidecars import Sidecar
from core.readmodels.stacks import StackMember
from core.readmodels.uploads import UploadedFile
from core.uploads import Upload
from core.vectors import FaceVector, PhotoVector

__all__ = [
    "Account",
    "Album",
    "AlbumChange",
    "AlbumPhoto",
    "ApiKey",
    "Face",
    "FaceVector",
    "Failure",
    "Folder",
    "ForgottenOne",
    "ForgottenPhoto",
    "Judged",
    "Library",
    "Look",
    "Looked",
    "Mount",
    "NamedDate",
    "Person",
    "PersonAct",
    "Photo",
    "PhotoAnalysis",
    "PhotoCode",
    "PhotoColour",
    "PhotoExposure",
    "PhotoFile",
    "PhotoMeaning",
    "PhotoPlace",
    "PhotoStyle",
    "PhotoVector",
    "PhotoWords",
    "Place",
    "Resemblance",
    "SearchTerm",
    "Sidecar",
    "StackMember",
    "TextMeaning",
    "Tie",
    "Upload",
    "UploadedFile",
]

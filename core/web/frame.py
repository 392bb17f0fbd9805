"""What the frame of every page knows: the section, the look, and how far the machine's work is."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.accounts import Account
from core.readmodels.albums import names_by_hand
from core.readmodels.timeline import Counts, counts
from core.web.access import Request, signed_in
from core.web.words import counted, number

APPEARANCES = ("light", "dark")
_SECTIONS = {
    "failures": "failures",
    "skipped": "failures",
    "missing": "failures",
    "duplicates": "duplicates",
    "looks": "looks",
    "albums": "albums",
    "people": "people",
    "search": "search",
    "search-meaning": "search",
    "dates": "search",
    "places": "places",
    "jobs": "jobs",
    "libraries": "libraries",
    "accounts": "accounts",
}


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the rail. `section` is where the entry is marked as the one that is open."""

    words: str
    icon: str
    address: str
    section: str


# What one comes for is in sight on a phone too; the tools are in its menu.
_LINKS = (
    Link("Photos", "photo", "/", "photos"),
    Link("Search", "magnifying-glass", "/search/", "search"),
    Link("Albums", "rectangle-stack", "/albums/", "albums"),
    Link("People", "users", "/people/", "people"),
    Link("Places", "map-pin", "/places/", "places"),
)
_TOOLS = (
    Link("Looks", "swatch", "/looks/", "looks"),
    Link("Failed", "exclamation-triangle", "/failures/", "failures"),
    Link("Duplicates", "document-duplicate", "/duplicates/", "duplicates"),
)
_STAFF_TOOLS = (
    Link("Jobs", "queue-list", "/jobs/", "jobs"),
    Link("Libraries", "folder", "/libraries/", "libraries"),
    Link("Accounts", "identification", "/accounts/", "accounts"),
)


@dataclass(frozen=True, slots=True)
class Progress:
    """The calm ring: work in progress, and how many things failed."""

    shown: int
    waiting: int
    failed: int

    @classmethod
    def of(cls, counted_photos: Counts) -> "Progress":
        return cls(counted_photos.shown, counted_photos.waiting, counted_photos.failed)

    @property
    def known(self) -> int:
        """All photos that the timeline has, with or without their preview."""
        return self.shown + self.waiting

    @property
    def percent(self) -> int:
        """Of all photos, how many have their preview; never quite 100 while one waits."""
        return min(99, round(100 * self.shown / max(1, self.shown + self.waiting)))

    @property
    def waiting_words(self) -> str:
        return f"{number(self.waiting)} to go"

    @property
    def failed_words(self) -> str:
        return f"{counted(self.failed, 'failure')} to look at"

    @property
    def failed_short(self) -> str:
        return str(self.failed) if self.failed < 100 else "99+"

    @property
    def words(self) -> str:
        if self.waiting:
            return f"Previews are being made: {counted(self.waiting, 'photo')} to go"
        return "All photos are ready"

    @property
    def announcement(self) -> str:
        """For screen readers; without the count that changes three times a second."""
        work = "Previews are being made." if self.waiting else "All previews are made."
        return f"{work} {self.failed_words}." if self.failed else work


class Frame:
    """Read lazily by templates: a fragment that shows no ring counts nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def section(self) -> str:
        first = self._request.path.strip("/").partition("/")[0]
        return "photos" if first in ("", "photos") else _SECTIONS.get(first, "")

    @property
    def links(self) -> tuple[Link, ...]:
        """The entries for everybody who looks at photos."""
        return _LINKS

    @property
    def tools(self) -> tuple[Link, ...]:
        """The entries for whoever looks after them."""
        account = getattr(self._request, "user", None)
        return _TOOLS + _STAFF_TOOLS if isinstance(account, Account) and account.is_staff else _TOOLS

    @cached_property
    def appearance(self) -> str:
        chosen = self._request.COOKIES.get("appearance", "")
        return chosen if chosen in APPEARANCES else ""

    @cached_property
    def counts(self) -> Counts | None:
        account = getattr(self._request, "user", None)
        return counts(account) if isinstance(account, Account) else None

    @cached_property
    def album_names(self) -> list[str]:
        """The albums that photos can be put into, for the fields that propose them."""
        account = getattr(self._request, "user", None)
        return names_by_hand(account) if isinstance(account, Account) else []

    @property
    def progress(self) -> Progress | None:
        return Progress.of(self.counts) if self.counts else None


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context processor: `frame` in every template."""
    return {"frame": Frame(request)}


@require_safe
@never_cache
@signed_in
def progress_ring(request: Request) -> HttpResponse:
    """The ring alone, for when something changed."""
    return render(request, "_progress.html", {"progress": Frame(request).progress})

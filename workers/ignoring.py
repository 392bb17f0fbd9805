"""Which files and folders of a library are left out: rules written as lines of a .gitignore.

Nearly all rules are about a name alone. Those are one regular expression, asked once per name on the way down;
only rules with a slash inside, or with exceptions (`!keep`), need the whole path and the library that knows git's
ways in full.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable

from pathspec import GitIgnoreSpec

from workers.halfmade import NAMES

_NOTHING = re.compile(r"(?!)")


class Rules:
    """Answers for paths as text inside their folder (`core.storage`), with "/" between names."""

    def __init__(self, lines: Iterable[str]) -> None:
        kept = [line for line in lines if line.strip() and not line.startswith("#")]
        if any(line.startswith("!") for line in kept):
            by_name, by_path = [], kept
        else:
            by_name = [line for line in kept if _is_name(line)]
            by_path = [line for line in kept if not _is_name(line)]
        self._file = _any_of([NAMES, *(line for line in by_name if not line.endswith("/"))])
        self._folder = _any_of(line.rstrip("/") for line in by_name)
        self._spec = GitIgnoreSpec.from_lines(by_path) if by_path else None

    def leaves_out_file(self, name: str, path: str) -> bool:
        """Whether a file is left out, its folders taken as kept."""
        return self._file(name) is not None or (self._spec is not None and self._spec.match_file(path))

    def leaves_out_folder(self, name: str, path: str) -> bool:
        """Whether a folder is left out with all that is in it, the folders around it taken as kept."""
        return self._folder(name) is not None or (self._spec is not None and self._spec.match_file(f"{path}/"))

    def leaves_out(self, path: str) -> bool:
        """Whether a file is left out, for itself or with one of its folders."""
        *folders, name = path.split("/")
        around = ""
        for folder in folders:
            around = f"{around}/{folder}" if around else folder
            if self.leaves_out_folder(folder, around):
                return True
        return self.leaves_out_file(name, path)


def _is_name(line: str) -> bool:
    return "/" not in line.rstrip("/") and "\\" not in line and "**" not in line


def _any_of(patterns: Iterable[str]) -> Callable[[str], re.Match[str] | None]:
    translated = [fnmatch.translate(pattern.rstrip()) for pattern in patterns]
    return re.compile("|".join(translated)).match if translated else _NOTHING.match

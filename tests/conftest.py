"""What every test stands on: a real PostgreSQL, started once, and the shared photos where they are there."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import templates

if TYPE_CHECKING:
    from core import database

pytest_plugins = ["tests.web.windows"]
_held = contextlib.ExitStack()


def _start_database() -> None:
    """One embedded server for the whole run; with DATABASE_URL set, that server is used instead."""
    folder = Path(_held.enter_context(tempfile.TemporaryDirectory(prefix="filmroll-test-")))
    folder.chmod(0o755)
    os.environ["FILMROLL_DATA_DIR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    from core import database

    if not database.is_embedded():
        return
    # Tests never survive a power cut: no fsync.
    _held.enter_context(
        database.running(
            folder, fsync="off", full_page_writes="off", max_connections="200", max_prepared_transactions="10"
        )
    )
    os.environ["DATABASE_URL"] = database.conninfo(folder)
    # pytest-django has read the settings before this file was loaded.
    from django.conf import settings

    settings.DATABASES["default"].update(database.configuration(folder))


def pytest_configure() -> None:
    # Not before Django is set up.
    from tests import emptying

    emptying.install()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread whole installations over the first two thirds: seldom two at once, and none at the end."""
    long = [item for item in items if item.path.parent.name == "journeys"]
    if not long or len(long) == len(items):
        return
    short = [item for item in items if item.path.parent.name != "journeys"]
    between = max(1, len(short) * 2 // 3 // len(long))
    spread = [[*short[at * between : (at + 1) * between], item] for at, item in enumerate(long)]
    items[:] = [*(item for some in spread for item in some), *short[len(long) * between :]]


def pytest_unconfigure() -> None:
    _held.close()


if "PYTEST_XDIST_WORKER" not in os.environ:
    _start_database()
    templates.begin_run()
    _held.callback(templates.end_run)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Tests' databases are clones; four processes that each migrate one of their own would take their time."""
    from django.db import connection

    connection.settings_dict["TEST"]["TEMPLATE"] = templates.template()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real photos and models, or a skip."""
    here = Path(os.environ.get("FILMROLL_SHARED", Path(__file__).parents[2] / "shared"))
    if not (here / "photos" / "MANIFEST.json").exists():
        pytest.skip("the shared photos are not here")
    return here


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once() -> Iterator[None]:
    """Each test client makes the middlewares anew; looking for all static files each time would take minutes."""
    from core.web.statics import StaticFiles

    look, found = StaticFiles.add_files_from_finders, {}

    def look_once(middleware: StaticFiles) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFiles, "add_files_from_finders", look_once)
        yield


@pytest.fixture
def mount() -> Iterator[Callable[..., None]]:
    """Mounts things at a place (`mount WORDS PLACE`) until the end of the test; a skip where one may not."""
    made: list[Path] = []

    def act(place: Path, *words: str) -> None:
        place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", *words, str(place)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        made.append(place)

    yield act
    for place in reversed(made):
        subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=False)


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["database.Embedded"]:
    """A server of this test's own, that may be stopped."""
    from core import database

    monkeypatch.delenv("DATABASE_URL", raising=False)
    # PostgreSQL runs as another user, who must be able to walk here.
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    server = database.Embedded(tmp_path / "own", fsync="off")
    server.prepare()
    server.start()
    server.wait_until_ready()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def data_dir(settings: object, tmp_path: Path) -> Iterator[Path]:
    """A data folder of each test's own."""
    settings.DATA_DIR = tmp_path / "data"  # type: ignore[attr-defined]
    settings.DATA_DIR.mkdir()  # type: ignore[attr-defined]
    yield settings.DATA_DIR  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def empty_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """An empty log after each test that commits: Django's flush cannot empty a table that refuses it."""
    marker = request.node.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"}.intersection(request.fixturenames)
    if not asked and not (marker and marker.kwargs.get("transaction")):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    from events import testing

    testing.forget_everything()

"""What a person said stays when the file changes; failures whose cause is gone are forgotten; limits are told."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from core.commands.edits import edit_photo
from core.commands.failures import retry_failure
from core.domain import edits
from core.readmodels.failures import Failure
from core.readmodels.libraries import Folder, library_by_id
from core.readmodels.photos import Photo
from tests.workers.files.conftest import Home, jobs, work
from workers import watch
from workers.inotify import CannotWatch
from workers.mounts import Mounts


@pytest.mark.django_db
def test_a_failed_photo_whose_file_was_deleted_is_missing_when_it_is_tried_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.errors import PoisonError
    from workers.pipelines import previews

    def refuse(*_: object) -> None:
        raise PoisonError("truncated", "This file ends in the middle.")

    home.put("kept.jpg", 2)
    home.scan()
    path = home.put("one.jpg", 1)
    with monkeypatch.context() as broken:
        broken.setattr(previews, "render_previews", refuse)
        home.scan()
    failure = Failure.objects.get()
    assert (failure.step, jobs("failed")) == ("previews", 1)
    path.unlink()
    retry_failure(failure, actor="account:1")
    work()
    assert not Failure.objects.exists()
    assert (home.missing(), jobs("failed")) == ({"one.jpg"}, 0)
    home.put("one.jpg", 1)
    home.scan()
    assert Photo.objects.get(path="one.jpg").preview_state == "ready"


@pytest.mark.django_db
def test_j16_what_a_person_said_stays_when_the_file_is_edited(home: Home) -> None:
    home.put("one.jpg", 1)
    home.scan()
    photo = Photo.objects.get()
    edit_photo(photo.id, [edits.PhotoRated(4)], actor="account:1")
    home.put("one.jpg", 2)
    home.scan()
    now = Photo.objects.get()
    assert (now.id, now.rating, now.sha256 != photo.sha256) == (photo.id, 4, True)


@pytest.mark.django_db(transaction=True)
def test_a_limit_of_the_system_is_kept_for_the_page_and_the_folder_is_looked_through_instead(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CannotWatch("watch-limit", "The limit fs.inotify.max_user_watches is used up.")

    monkeypatch.setattr(watch.Tree, "add", refuse)

    async def keep() -> None:
        folder = await sync_to_async(Folder.objects.get)()
        library = await sync_to_async(library_by_id)(home.library)
        keeping = asyncio.create_task(watch._keep_watching(folder, library, Mounts(), asyncio.Event()))
        async with asyncio.timeout(60):
            while not await sync_to_async(Folder.objects.exclude(watch_code="").exists)():
                await asyncio.sleep(0.02)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await sync_to_async(connections.close_all)()

    asyncio.run(keep())
    assert Folder.objects.get().watch_code == "watch-limit"

"""`import --copy`: files from anywhere come into the managed library, as uploads do."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from core.accounts import Account
from core.readmodels.uploads import UploadedFile
from tests.web.conftest import jpeg
from tests.web.uploading import gathering, kept_by, sha256

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Account:
    return Account.objects.create(username="ada", is_superuser=True)


def copy(*paths: Path, **options: str) -> tuple[str, str]:
    told, complained = io.StringIO(), io.StringIO()
    call_command("import", *map(str, paths), copy=True, stdout=told, stderr=complained, **options)
    return told.getvalue(), complained.getvalue()


def test_a_folder_is_copied_in_and_left_as_it_was(ada: Account, tmp_path: Path) -> None:
    files = {"a.JPG": jpeg("a"), "day 1/b.jpg": jpeg("b"), "day 1/same.jpg": b"", "notes.txt": b"words"}
    files["day 1/same.jpg"] = files["a.JPG"]
    for name, data in files.items():
        (tmp_path / "trip" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "trip" / name).write_bytes(data)
    told, complained = copy(tmp_path / "trip")
    assert told == "2 copied, 1 there already, 1 not taken\n"
    assert "notes.txt: This is a text file, and only photos and videos are kept here." in complained
    assert sorted(kept_by(ada).values()) == sorted([files["a.JPG"], files["day 1/b.jpg"]])
    assert {path.name: path.read_bytes() for path in (tmp_path / "trip").rglob("*.*")} == {
        Path(name).name: data for name, data in files.items()
    }
    assert gathering() == []
    assert copy(tmp_path / "trip")[0] == "0 copied, 3 there already, 1 not taken\n"


def test_a_copy_keeps_the_time_of_its_file_and_any_name(ada: Account, tmp_path: Path) -> None:
    odd = tmp_path / b"caf\xe9 \x1b[31m\n.jpg".decode("utf-8", "surrogateescape")
    odd.write_bytes(data := jpeg("odd"))
    assert copy(odd)[0].startswith("1 copied")
    kept = UploadedFile.objects.get()
    assert (kept.name, kept.sha256) == ("caf\N{REPLACEMENT CHARACTER} [31m.jpg", sha256(data))
    [path] = kept_by(ada)
    from core.storage import managed_root, original_path

    assert original_path(managed_root(ada.pk), path).stat().st_mtime_ns == odd.stat().st_mtime_ns


def test_copies_belong_to_the_one_who_is_named(ada: Account, tmp_path: Path) -> None:
    olga = Account.objects.create(username="olga")
    (tmp_path / "x.jpg").write_bytes(jpeg("x"))
    copy(tmp_path / "x.jpg", user="olga")
    assert len(kept_by(olga)) == 1
    with pytest.raises(CommandError, match="no account 'nobody'"):
        copy(tmp_path / "x.jpg", user="nobody")
    with pytest.raises(CommandError, match="does not exist"):
        copy(tmp_path / "y.jpg")


def test_a_full_disk_ends_it_in_plain_words(ada: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.jpg").write_bytes(jpeg("x"))
    monkeypatch.setattr("core.receiving.room_for_originals", lambda: (100, 0))
    with pytest.raises(CommandError, match="There is no room for it"):
        copy(tmp_path / "x.jpg")
    assert gathering() == []

"""What the kernel tells of a folder: names as they are, moves as pairs, limits in words."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.ignoring import Rules
from workers.inotify import CannotWatch, Changes, Tree


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(str(tmp_path), Rules(["@eaDir/", ".*"]).leaves_out_folder)
    made.add()
    yield made
    made.close()


def changes(tree: Tree) -> Changes:
    told = Changes()
    tree.read(told)
    tree.give_up_halves(told)
    return told


def test_a_name_that_is_no_text_comes_as_it_is(tree: Tree, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\xff.jpg")
    (tmp_path / name).write_bytes(b"x")
    assert name in changes(tree).written


def test_a_renamed_folder_is_a_pair_and_goes_on_telling_under_its_new_name(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "a" / "deep").mkdir(parents=True)
    for folder in changes(tree).folders:
        tree.add(folder)
    (tmp_path / "a").rename(tmp_path / "b")
    assert changes(tree).moved == [("a", "b")]
    (tmp_path / "b" / "deep" / "one.jpg").write_bytes(b"x")
    assert changes(tree).written == {"b/deep/one.jpg"}


def test_what_is_moved_out_of_sight_is_gone_and_tells_no_more(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    (tmp_path / "a").mkdir()
    tree.add("a")
    changes(tree)
    (tmp_path / "a").rename(outside)
    assert changes(tree).gone_folders == {"a"}
    (outside / "one.jpg").write_bytes(b"x")
    assert not changes(tree)
    shutil.rmtree(outside)


def test_folders_that_are_left_out_and_links_are_not_watched(tree: Tree, tmp_path: Path) -> None:
    before = len(tree)
    (tmp_path / "@eaDir").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "link").symlink_to(tmp_path.parent)
    told = changes(tree)
    assert (told.folders, told.touched) == (set(), {"link"})
    tree.add()
    assert len(tree) == before


def test_that_the_root_is_gone_is_told(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    tree = Tree(str(root), Rules([]).leaves_out_folder)
    tree.add()
    root.rename(tmp_path / "away")
    assert changes(tree).root_gone
    with pytest.raises(FileNotFoundError):
        tree.add()
    tree.close()


@pytest.mark.parametrize(
    ("number", "code", "setting"),
    [
        (errno.ENOSPC, "watch-limit", "fs.inotify.max_user_watches"),
        (errno.EMFILE, "instance-limit", "fs.inotify.max_user_instances"),
    ],
)
def test_a_limit_of_the_system_is_named_with_what_to_do(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, number: int, code: str, setting: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(type(tree._inotify), "add_watch", refuse)
    with pytest.raises(CannotWatch, match=f"sysctl {setting}=") as caught:
        tree.add()
    assert caught.value.code == code


def test_a_queue_that_overflowed_is_told(tree: Tree, tmp_path: Path) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    paths = [tmp_path / name for name in ("a", "b")]
    for number in range(limit // 2 + 10):
        # Two files in turns: like events one after the other would be merged.
        os.close(os.open(paths[number % 2], os.O_WRONLY | os.O_CREAT))
        os.utime(paths[number % 2])
    assert changes(tree).lost_count


@pytest.mark.parametrize(
    ("rules", "left_out", "kept"),
    [
        (["*.tmp", "@eaDir/"], ["a.tmp", "x/@eaDir/y.jpg"], ["@eaDir", "tmp.jpg"]),
        (["scans/raw"], ["scans/raw/a.jpg"], ["raw/a.jpg", "x/scans/raw/a.jpg"]),
        (["*.jpg", "!keep.jpg"], ["a.jpg", "x/b.jpg"], ["keep.jpg", "x/keep.jpg"]),
        (["# a remark", "[#]recycle/", "  "], ["#recycle/a.jpg"], ["# a remark", "a.jpg"]),
        ([".*"], [".a", "x/.b/c.jpg"], ["a.b"]),
    ],
)
def test_rules_leave_out_what_git_would(rules: list[str], left_out: list[str], kept: list[str]) -> None:
    asked = Rules(rules)
    assert [path for path in left_out if not asked.leaves_out(path)] == []
    assert [path for path in kept if asked.leaves_out(path)] == []

"""The search language of the list of jobs, alone and on the page."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.utils import timezone

from core.accounts import Account
from tests.workers.console.conftest import PHOTO, Make, sql
from tests.workers.console.test_console import ids_in, seen, text_of
from workers.console import listing, listpage
from workers.console.search import Filter, Term, UnknownFilter, parse, without_state, written
from workers.console.states import State

NOW = datetime(2026, 5, 16, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Filter()),
        ("state:dead", Filter(State.DEAD)),
        ("-state:dead", Filter(None, (Term("state", State.DEAD, without=True),))),
        (
            "queue:previews -task:scan",
            Filter(None, (Term("queue", "previews"), Term("task", "scan", without=True))),
        ),
        ('error:"two words"', Filter(None, (Term("error", "two words"),))),
        ('"a: b" c', Filter(None, (Term("", "a: b"), Term("", "c")))),
        (f"photo:{PHOTO.upper()}", Filter(None, (Term("photo", PHOTO),))),
        ("arg.path:2024/*", Filter(None, (Term("arg.path", "2024/*"),))),
        ("attempts:>2 attempts:3", Filter(None, (Term("attempts", 2, ">"), Term("attempts", 3, "=")))),
        ("run:>30s run:<=2min", Filter(None, (Term("run", 30.0, ">"), Term("run", 120.0, "<=")))),
        ("since:2h", Filter(None, (Term("since", NOW - timedelta(hours=2)),))),
        ("before:2026-05-01", Filter(None, (Term("before", datetime(2026, 5, 1, tzinfo=UTC)),))),
    ],
)
def test_text_becomes_terms(text: str, expected: Filter) -> None:
    assert parse(text, NOW) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour:red", "There is no key “colour”. There are: state, queue,"),
        ("state:ded", "There is no state “ded”"),
        ("state:dead state:ready", "one state at a time"),
        ("queue:", "has no value"),
        ("-", "has no value"),
        ('error:"half', "a quotation mark has no partner"),
        ("photo:beach.jpg", "is no photo's id"),
        ("since:tomorrow", "is no time. Write it like since:2h"),
        ("since:999999999w", "is no time"),
        ("attempts:many", "attempts:>2"),
        ("run:>fast", "run:>30s"),
        ("a" * 1001, "1,000 letters"),
        ("a\0", "NUL"),
    ],
)
def test_what_cannot_be_read_is_a_message(text: str, told: str) -> None:
    with pytest.raises(UnknownFilter, match=re.escape(told)):
        parse(text, NOW)


def test_what_is_written_is_read_the_same() -> None:
    pairs = [("queue", "previews"), ("error", "two words")]
    assert [(term.key, term.value) for term in parse(written(pairs), NOW).terms] == pairs
    assert without_state('state:dead -state:ready error:"a b"') == '-state:ready error:"a b"'


@pytest.fixture
def jobs(make: Make, worker: int) -> dict[str, int]:
    """Jobs that differ in what a search looks at."""
    made = {
        "dead": make("dead", worker=worker, photo=PHOTO),
        "ready": make("ready", queue="labels", task="detect_objects", path="a 100%_real.jpg"),
        "running": make("running", worker=worker, queue="previews", task="render_previews"),
        "retrying": make("retrying"),
    }
    sql("UPDATE job_attempt SET started_at = now() - interval '1 hour' WHERE job_id = %s", made["running"])
    sql("UPDATE job_attempt SET ended_at = now() - interval '3 days' WHERE job_id = %s", made["retrying"])
    return made


FINDS = [
    ("state:dead", "dead"),
    ("-state:dead -state:ready", "running retrying"),
    ("queue:labels", "ready"),
    ("-queue:files", "ready running"),
    ("task:render_previews", "running"),
    (f"photo:{PHOTO}", "dead"),
    (f"-photo:{PHOTO}", "ready running retrying"),
    ("worker:media", "dead running"),
    ("worker:media@darkroom -state:dead", "running"),
    ("error:empty", "dead retrying"),
    ("error:f1 state:retrying", "retrying"),
    ('error:"FILE IS"', "dead retrying"),
    ("arg.path:2024/IMG_0001.jpg", "dead running retrying"),
    ("arg.path:*100%_real*", "ready"),
    ("arg.path:*100%%*", ""),
    ("attempts:>1", "retrying"),
    ("attempts:0", "ready running"),
    ("run:>30min", "running"),
    ("since:1d", "dead running"),
    ("before:1d", "retrying"),
    ("real", "ready"),
    ("bytes -state:dead", "retrying"),
    ("nothing", ""),
]


def test_each_key_finds_what_it_says(jobs: dict[str, int], worker: int) -> None:
    for text, found in FINDS:
        page = listing.page_of(parse(text, timezone.now()), "", [worker])
        assert set(page.ids) == {jobs[name] for name in found.split()}, text


def test_runs_that_waited_for_the_world_are_no_attempts(make: Make, worker: int) -> None:
    waits = make("waiting for room", worker=worker)
    for text, found in (("attempts:>2", set()), ("attempts:0", {waits})):
        assert set(listing.page_of(parse(text, timezone.now()), "", [worker]).ids) == found, text


def test_a_job_is_found_by_its_number(staff: Client, jobs: dict[str, int]) -> None:
    assert ids_in(seen(staff, f"/jobs/list/?q=%23{jobs['ready']}")) == [jobs["ready"]]


def test_a_mistake_stays_in_the_box_and_is_told(staff: Client) -> None:
    answer = staff.get("/jobs/list/?q=colour:red")
    html = answer.content.decode()
    assert answer.status_code == 400 and 'value="colour:red"' in html
    assert "There is no key “colour”" in text_of(html)


@pytest.mark.parametrize("state", ["", "ready", "retrying"])
def test_a_search_looks_at_so_many_jobs_at_a_time_says_so_and_goes_on(
    staff: Client, make: Make, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(listing, "SEARCHED", 3)
    made = [make(state or "ready", queue="labels" if n in (0, 8) else "files") for n in range(9)]
    address, found, pages = f"/jobs/list/?q=queue:labels&state={state}", [], 0
    while address:
        html = seen(staff, address)
        found += ids_in(html)
        pages += 1
        following = re.search(r'href="(\?[^"]*after=[^"]*)" rel="next"', html)
        assert bool(following) == ("3 jobs were searched" in text_of(html))
        address = f"/jobs/list/{following[1].replace('&amp;', '&')}" if following else ""
        assert pages < 6
    assert sorted(found) == [made[0], made[8]] and pages >= 3


def test_an_empty_list_says_what_its_emptiness_means(staff: Client, make: Make) -> None:
    assert "All good" in text_of(seen(staff, "/jobs/list/?state=dead"))
    assert "Nothing matches" in text_of(seen(staff, "/jobs/list/?state=dead&q=queue:x"))
    assert "Nothing is running" in text_of(seen(staff, "/jobs/list/"))


def test_suggestions_name_what_there_is(staff: Client, make: Make, worker: int) -> None:
    make("dead")
    html = seen(staff, "/jobs/list/")
    for term in ("state:dead", "queue:previews", "task:render_previews", "worker:darkroom", "error:empty"):
        assert f'<option value="{term}">' in html


def _export(account: Account | None, address: str) -> tuple[int, str]:
    async def ask() -> tuple[int, str]:
        client = AsyncClient()
        if account:
            await client.aforce_login(account)
        answer = await client.get(address)
        if not answer.streaming:
            return answer.status_code, answer.content.decode()
        return answer.status_code, b"".join([part async for part in answer.streaming_content]).decode()

    return async_to_sync(ask)()


def test_a_list_is_exported_whole_in_its_order_and_harmless_to_a_spreadsheet(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listpage, "_AT_A_TIME", 2)
    boss = Account.objects.create_user("boss", password="x", is_staff=True)
    made = [make("dead", path=f"=cmd{n}.jpg") for n in range(5)]
    make("ready")
    status, text = _export(boss, "/jobs/list/export.csv?state=dead")
    lines = text.splitlines()
    assert status == 200 and lines[0].startswith("id,task,queue,state")
    assert [int(line.split(",")[0]) for line in lines[1:]] == made[::-1]
    assert ",'=cmd0.jpg," in lines[-1]
    _, text = _export(boss, "/jobs/list/export.ndjson?state=dead&q=error:empty")
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["id"] for row in rows] == made[::-1]
    assert rows[-1]["args"] == {"path": "=cmd0.jpg"} and rows[-1]["reason"] == "This file is empty."


def test_an_export_is_bounded_and_for_staff_only(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listpage, "EXPORTED", 3)
    for _ in range(5):
        make("dead")
    boss = Account.objects.create_user("boss", password="x", is_staff=True)
    member = Account.objects.create_user("member", password="x")
    assert len(_export(boss, "/jobs/list/export.ndjson?state=dead")[1].splitlines()) == 3
    assert _export(member, "/jobs/list/export.ndjson?state=dead")[0] == 403
    assert _export(None, "/jobs/list/export.csv")[0] == 302
    status, told = _export(boss, "/jobs/list/export.csv?q=colour:red")
    assert status == 400 and "There is no key “colour”" in told

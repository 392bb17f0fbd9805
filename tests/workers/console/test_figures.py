"""What the overview counts: the chart and its roll-ups, how far each step is, the groups of dead letters."""

import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from core.accounts import Account
from core.commands.libraries import add_library
from tests.web.conftest import Shelf
from tests.workers.console.conftest import Make, sql
from tests.workers.console.test_console import seen, text_of
from workers.actions import discard_jobs
from workers.console import charts, deaths, figures
from workers.console.sharing import shared
from workers.console.states import State
from workers.flow import roll_up
from workers.models import JobFlow
from workers.queuesettings import pause_queue


def _ended(job: int, ago: str) -> None:
    sql(
        """UPDATE job_attempt SET started_at = now() - %s::interval - interval '2 seconds',
                  ended_at = now() - %s::interval WHERE job_id = %s""",
        ago,
        ago,
        job,
    )


def _totals(name: str) -> tuple[int, int]:
    bars = charts.chart(name).bars
    return sum(bar.done for bar in bars), sum(bar.failed for bar in bars)


def test_the_chart_counts_each_run_once_rolled_up_or_not(make: Make) -> None:
    for state, ago in [("succeeded", "40 minutes"), ("dead", "7 minutes"), ("succeeded", "3 minutes")]:
        _ended(make(state), ago)
    roll_up()
    fresh = make("succeeded")
    assert _totals("hour") == _totals("day") == _totals("month") == (3, 1)
    roll_up()
    assert _totals("hour") == (3, 1)
    # What is rolled up no longer needs the attempts.
    _ended(fresh, "2 minutes")
    roll_up()
    sql("DELETE FROM job_attempt")
    assert _totals("hour") == _totals("day") == (3, 1)
    assert "3 runs done and 1 failed in the last hour" in charts.chart("hour").words
    assert charts.chart("nonsense").span.name == "hour"


def test_hours_outlive_the_minutes_they_were_made_of(make: Make) -> None:
    _ended(make("succeeded"), "30 hours")
    _ended(make("succeeded"), "40 minutes")
    JobFlow.objects.create(span="minute", at=timezone.now() - timedelta(days=3), task="x", done=5, failed=0,
                           dead=0, seconds=1)  # fmt: skip
    roll_up()
    roll_up()
    assert not JobFlow.objects.filter(span="minute", task="x").exists()
    assert JobFlow.objects.get(span="hour", task="x").done == 5
    assert _totals("month") == (7, 0)


def test_the_overview_draws_the_chart_and_tells_it_in_words(staff: Client, make: Make) -> None:
    assert "Nothing has run in the last hour." in text_of(seen(staff, "/jobs/"))
    make("dead")
    html = seen(staff, "/jobs/?chart=day")
    assert "0 runs done and 1 failed in the last 24 hours; at most 1 within one hour." in text_of(html)
    assert 'class="bar-failed"' in html and 'class="bar-done"' not in html


@pytest.fixture
def shelf(db: None, tmp_path: Path) -> Shelf:
    account = Account.objects.create_user("olga", password="x")
    (tmp_path / "in").mkdir()
    return Shelf(add_library(tmp_path / "in", owner=account.pk, actor="cli"), tmp_path / "in", account)


def test_a_group_of_dead_letters_shows_its_photos_and_whether_it_grows(
    staff: Client, make: Make, shelf: Shelf
) -> None:
    photos = [shelf.photo("a.jpg"), shelf.photo("b.jpg", ready=False)]
    jobs = [make("dead", task="render_previews", photo=str(photo)) for photo in photos]
    html = seen(staff, "/jobs/dead/")
    assert f'src="/photos/{photos[0]}/tile/r1.webp" alt="a.jpg"' in html and f'href="/photos/{photos[1]}/"' in html
    assert "growing: 2 within a day, 0 the day before" in text_of(html)
    for job in jobs:
        _ended(job, "30 hours")
    assert "growing" not in seen(staff, "/jobs/dead/")


def test_a_step_says_how_many_of_the_photos_are_through(staff: Client, make: Make, shelf: Shelf) -> None:
    for name in "abcd":
        shelf.photo(f"{name}.jpg", ready=False)
    sql("DELETE FROM procrastinate_jobs WHERE queue_name <> 'previews'")
    sql("DELETE FROM procrastinate_jobs WHERE id = (SELECT max(id) FROM procrastinate_jobs)")
    left = sql("SELECT count(*) FROM procrastinate_jobs")[0][0]
    rows, _ = figures.queues([])
    [previews] = [row for row in rows if row.name == "previews"]
    assert previews.photos == 4 and previews.percent == round(100 * (4 - left) / 4)
    assert f'value="{previews.percent}"' in seen(staff, "/jobs/")


def test_who_asks_while_an_answer_is_made_gets_the_next_one_and_shares_it() -> None:
    made: list[int] = []
    begun, go = threading.Event(), threading.Event()

    def answer() -> str:
        made.append(len(made) + 1)
        mine = str(made[-1])
        begun.set()
        go.wait(60)
        return mine

    got: list[str] = []
    first = threading.Thread(target=lambda: got.append("first " + shared("q", answer)))
    first.start()
    assert begun.wait(60)
    others = [threading.Thread(target=lambda: got.append(shared("q", answer))) for _ in range(5)]
    for other in others:
        other.start()
    from tests.web.browsing import wait_until
    from workers.console import sharing

    wait_until(lambda: sharing._rounds["q"].waiting == 6)
    go.set()
    for thread in [first, *others]:
        thread.join(60)
    assert sorted(got) == ["2"] * 5 + ["first 1"] and sharing._rounds == {}


def test_a_question_that_failed_is_asked_again() -> None:
    with pytest.raises(ValueError, match="no"):
        shared("q", lambda: (_ for _ in ()).throw(ValueError("no")))
    assert shared("q", lambda: "yes") == "yes"


def test_an_answer_is_kept_for_who_asks_next_until_a_change_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.console import sharing

    class Ear:
        changes: int | None = 0

        def heard(self, _channel: str) -> int | None:
            return self.changes

    ear = Ear()
    monkeypatch.setattr(sharing, "_ear", ear)
    monkeypatch.setattr(sharing, "FRESH_SECONDS", 1e9)
    made: list[int] = []

    def answer() -> str:
        made.append(1)
        return str(len(made))

    assert [shared("q", answer), shared("q", answer), shared("other", answer)] == ["1", "1", "2"]
    ear.changes = 1
    assert [shared("q", answer), shared("q", answer)] == ["3", "3"]
    sharing.notice()
    assert shared("q", answer) == "4"
    monkeypatch.setattr(sharing, "FRESH_SECONDS", 0)
    assert [shared("q", answer), shared("q", answer)] == ["5", "6"] and list(sharing._rounds) == []
    monkeypatch.setattr(sharing, "FRESH_SECONDS", 1e9)
    ear.changes = None  # nobody listens: who knows what has changed
    assert [shared("q", answer), shared("q", answer)] == ["7", "8"]


def test_the_overview_says_which_queues_are_held_and_why_and_calls_none_of_them_late(
    staff: Client, make: Make, worker: int
) -> None:
    job = make("ready")
    sql("UPDATE procrastinate_events SET at = now() - interval '1 hour' WHERE job_id = %s", job)
    assert "Is anything late? files Waiting" in text_of(seen(staff, "/jobs/"))
    pause_queue("files", "bob", "moving the disk")
    told = text_of(seen(staff, "/jobs/"))
    assert "Is work flowing? Held" in told and "held: files" in told
    assert "files paused by bob: moving the disk" in told and "Is anything late? No" in told


def test_dead_letters_are_counted_anew_when_one_has_changed_and_not_before(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql("ALTER SEQUENCE filmroll_dead_changes RESTART")
    monkeypatch.setattr(deaths, "_counted", (-1, 0.0, []))
    counted: list[int] = []
    whole = deaths._count_groups
    monkeypatch.setattr(deaths, "_count_groups", lambda: (counted.append(1), whole())[1])

    def sizes() -> list[int]:
        return [group.count for group in deaths.groups()]

    assert sizes() == []
    job = make("dead")
    assert sizes() == sizes() == [1] and len(counted) == 2
    make("succeeded")
    assert sizes() == [1] and len(counted) == 2
    make("dead")
    assert sizes() == [2] and len(counted) == 3
    discard_jobs([job], "ada")
    assert sizes() == [1] and len(counted) == 4
    sql("DELETE FROM job_attempt WHERE outcome = 'dead' AND NOT resolved")
    assert sizes() == []


def test_without_a_live_worker_nothing_flows_whatever_was_done_just_now(staff: Client, make: Make) -> None:
    make("succeeded")
    make("ready")
    told = text_of(seen(staff, "/jobs/"))
    assert "Is work flowing? No" in told and "Are workers alive? None" in told


def test_beyond_a_thousand_a_queue_says_about_how_many_a_worker_has_counted(make: Make) -> None:
    for _ in range(4):
        make("ready")
    make("dead")
    make("dead")
    [before] = [row for row in figures.queues([], 2)[0] if row.name == "files"]
    assert (before.ready.words, before.ready.estimate) == ("2+", None)
    roll_up()
    rows, _ = figures.queues([], 1)
    [files] = [row for row in rows if row.name == "files"]
    assert (files.ready.words, files.ready.estimate, files.dead.words) == ("about 4", 4, "about 2")
    counted = figures.counts([], 1)
    assert (counted[State.READY].words, counted[State.DEAD].words) == ("about 4", "about 2")
    sql("UPDATE job_count SET at = now() - interval '1 hour'")
    assert figures.counts([], 1)[State.READY].words == "1+"  # old figures say nothing about now


def test_the_tasks_page_tells_policy_percentiles_and_the_day(staff: Client, make: Make) -> None:
    for ago in ("10 minutes", "20 minutes"):
        _ended(make("succeeded"), ago)
    make("succeeded", task="of_another_version")
    roll_up()
    html = seen(staff, "/jobs/tasks/")
    words = text_of(html)
    assert "Read a file files 6 runs, after up to 2.0 s, doubling up to 1 h 2.0 s / 2.0 s" in words
    assert re.search(r"of_another_version unknown to this version \d+ ms / \d+ ms \d+ ms / \d+ ms 0 0 0", words)
    assert re.search(r'data-label="done in 24 h">2<', html)


def test_the_backoff_of_a_job_is_drawn_with_where_it_stands(staff: Client, make: Make) -> None:
    html = seen(staff, f"/jobs/{make('retrying')}/")
    assert len(re.findall(r"--h:\d+", html)) == 5
    assert re.search(r'class="backoff-now">.*?after run 2, now<', html)
    assert "Now after run 2: next run in" in text_of(html)
    assert "--h:" not in seen(staff, f"/jobs/{make('succeeded')}/")

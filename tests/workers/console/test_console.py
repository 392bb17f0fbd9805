"""The console's pages, on jobs in every state."""

import json
import re
from html import unescape

import pytest
from django.test import Client
from procrastinate.contrib.django import app

from core.accounts import Account
from tests.workers.console.conftest import PHOTO, Make, sql
from workers.console import reading
from workers.console.collecting import collect_operation
from workers.console.listing import PAGE
from workers.console.states import ICONS, State
from workers.models import JobAction
from workers.operations import run_slice

PAGES = [
    "/jobs/",
    "/jobs/queues/",
    "/jobs/list/",
    "/jobs/dead/",
    "/jobs/tasks/",
    "/jobs/workers/",
    f"/jobs/photo/{PHOTO}/",
]


def text_of(html: str) -> str:
    """The words of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_every_task_has_words_of_its_own() -> None:
    ours = {name for name in app.tasks if "procrastinate" not in name}
    assert ours <= reading.TASK_WORDS.keys()


def seen(client: Client, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def ids_in(html: str) -> list[int]:
    return [int(found) for found in re.findall(r'href="/jobs/(\d+)/"', html)]


@pytest.mark.parametrize("address", [*PAGES, "/jobs/1/"])
def test_strangers_are_sent_to_the_sign_in_and_members_are_told_no(client: Client, db: None, address: str) -> None:
    assert client.get(address).headers["Location"].startswith("/signin/")
    client.force_login(Account.objects.create_user("member", password="x"))
    assert client.get(address).status_code == 403


@pytest.mark.parametrize("address", ["/jobs/retry/", "/jobs/discard/", "/jobs/dead/retry/", "/jobs/dead/discard/"])
def test_actions_are_posts_with_a_token_by_staff(client: Client, make: Make, address: str) -> None:
    job = make("dead")
    form = {"job": job, "task": "import_file", "error": "f1"}
    client.force_login(Account.objects.create_user("member", password="x"))
    assert client.post(address, form).status_code == 403
    boss = Account.objects.create_user("boss", password="x", is_staff=True)
    client.force_login(boss)
    assert client.get(address).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(boss)
    assert careful.post(address, form).status_code == 403
    assert sql("SELECT status::text FROM procrastinate_jobs WHERE id = %s", job) == [("failed",)]


@pytest.mark.parametrize("state", list(State))
def test_each_state_has_its_list_with_exactly_the_jobs_in_it(
    staff: Client, make: Make, worker: int, state: State
) -> None:
    jobs = {one: make(one.value, worker=worker) for one in State}
    html = seen(staff, f"/jobs/list/?state={state}")
    listed = ids_in(html)
    assert jobs[state] in listed
    assert not set(listed) & {job for other, job in jobs.items() if other is not state}
    assert state.value in text_of(html)


def test_the_word_on_each_row_is_the_jobs_state(staff: Client, make: Make, worker: int) -> None:
    for state in State:
        job = make(state.value, worker=worker)
        page = seen(staff, f"/jobs/{job}/")
        assert re.search(rf'class="chip state state-{state}">.*?</svg>\s*{state}<', page, re.S), state


def test_each_state_has_an_icon_of_its_own_kind() -> None:
    assert set(ICONS) == set(State)


@pytest.mark.parametrize("state", ["dead", "ready", "retrying", "succeeded"])
def test_pages_follow_one_another_without_a_gap_or_a_repeat(staff: Client, make: Make, state: str) -> None:
    jobs = {make(state) for _ in range(2 * PAGE + 7)}
    address, found = f"/jobs/list/?state={state}", []
    for _ in range(5):
        html = seen(staff, address)
        found += ids_in(html)
        following = re.search(r'href="(\?[^"]*after=[^"]*)" rel="next"', html)
        if not following:
            break
        address = f"/jobs/list/{unescape(following[1])}"
    assert len(found) == len(jobs) and set(found) == jobs


def test_the_ready_list_is_in_the_order_in_which_workers_take_them(staff: Client, make: Make) -> None:
    slow, quick, second = make("ready"), make("ready"), make("ready")
    sql("UPDATE procrastinate_jobs SET priority = 50 WHERE id IN (%s, %s)", quick, second)
    assert ids_in(seen(staff, "/jobs/list/?state=ready")) == [quick, second, slow]


def test_a_list_is_narrowed_by_task_queue_and_photo(staff: Client, make: Make) -> None:
    one = make("dead", queue="previews", task="render_previews", photo=PHOTO)
    make("dead")
    for narrowed in ("task=render_previews", "queue=previews", f"photo={PHOTO.upper()}"):
        assert ids_in(seen(staff, f"/jobs/list/?state=dead&{narrowed}")) == [one]
        assert ids_in(seen(staff, f"/jobs/list/?{narrowed}")) == [one]
    assert "Nothing matches" in seen(staff, "/jobs/list/?state=dead&queue=labels")
    assert "Nothing matches" in text_of(seen(staff, "/jobs/list/?queue=labels"))


@pytest.mark.parametrize(
    "wrong", ["state=ded", "state=dead&after=x", "state=retrying&after=x~1", "state=dead&after=" + "9" * 40]
)
def test_a_filter_nobody_knows_is_a_message_and_not_an_empty_list(staff: Client, wrong: str) -> None:
    answer = staff.get(f"/jobs/list/?{wrong}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_a_job_page_tells_each_attempt_with_its_error_and_escapes_it(
    staff: Client, make: Make, worker: int
) -> None:
    job = make("retrying", worker=worker, photo=PHOTO)
    other = make("succeeded", worker=worker, photo=PHOTO)
    html = seen(staff, f"/jobs/{job}/")
    words = text_of(html)
    for expected in (
        *("Attempt 1", "This file is empty.", "PoisonError", "Traceback: line 1", "media@darkroom, process 4711"),
        *("2 / 6 used", "Next run in", "IMG_0001.jpg", "Run now", "It failed and is tried again by itself"),
    ):
        assert expected in words, expected
    assert "no <b>bytes" not in html and "data-countdown" in html
    assert other in ids_in(html)


def test_j25_a_job_that_waits_for_room_says_so_and_counts_no_run(staff: Client, make: Make, worker: int) -> None:
    job = make("waiting for room", worker=worker, photo=PHOTO)
    page, many, photo = (
        text_of(seen(staff, address))
        for address in (f"/jobs/{job}/", "/jobs/list/?state=retrying&q=error:disk-full", f"/jobs/photo/{PHOTO}/")
    )
    for words in (page, many, photo):
        assert "aits for room on the disk; 9 runs do not count." in words
        assert "0 / 6" in words and "9 / 6" not in words
    assert "It goes on by itself, however long that takes." in page and "Run now" in page
    assert "0 / 6 used, 9 not counted" in page and "could not go on: does not count" in page
    text = b"".join(staff.get("/jobs/list/export.ndjson?state=retrying")).decode()
    assert json.loads(text)["waits"] == 9


def test_a_job_that_does_not_exist_is_a_404(staff: Client) -> None:
    assert staff.get("/jobs/999999999/").status_code == 404


def test_the_overview_answers_its_five_questions(staff: Client, make: Make, worker: int) -> None:
    make("dead")
    make("stuck")
    make("running", worker=worker)
    words = text_of(seen(staff, "/jobs/"))
    assert "Is anything dead? 1 " in words and "Is anything stuck? 1 " in words
    assert "Is anything late? No" in words and "Are workers alive? 1 media" in words
    assert "1 running" in words


def test_a_queue_that_stands_still_is_late(staff: Client, make: Make) -> None:
    job = make("ready", queue="previews")
    sql("UPDATE procrastinate_events SET at = now() - interval '1 hour' WHERE job_id = %s", job)
    assert "Is anything late? previews" in text_of(seen(staff, "/jobs/"))


def test_the_overview_of_nothing_is_calm(staff: Client) -> None:
    words = text_of(seen(staff, "/jobs/"))
    assert "Nothing to do" in words and "All queues are empty" in words and "starts them again by itself" in words


def test_dead_letters_are_grouped_by_cause_and_retried_by_group(staff: Client, make: Make) -> None:
    same = [make("dead") for _ in range(3)]
    other = make("dead")
    sql("UPDATE job_attempt SET fingerprint = 'f2', reason = 'Odd.' WHERE job_id = %s", other)
    html = seen(staff, "/jobs/dead/")
    assert "Retry all 3" in html and "Retry all 1" in html
    chosen = seen(staff, "/jobs/dead/?task=import_file&error=f1")
    assert re.findall(r'name="job" value="(\d+)" form="chosen"', chosen) == [str(job) for job in reversed(same)]
    answer = staff.post(
        "/jobs/dead/retry/", {"task": "import_file", "error": "f1", "back": "/jobs/dead/"}, follow=True
    )
    told = text_of(answer.content.decode())
    assert "dead letters of Read a file, empty f1 collecting" in told
    [(one,)] = sql("SELECT id FROM job_operation")
    assert sql("SELECT count(*) FROM job_operation_item") == [(0,)]  # the request itself has looked for nothing
    collect_operation(one)
    run_slice(one)
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = 'files'") == [(3,)]
    assert "Retry all 3" not in seen(staff, "/jobs/dead/")
    ada = Account.objects.get(username="ada").actor
    assert JobAction.objects.filter(action="retried", actor=ada).count() == 3


def test_the_live_part_that_readers_share_has_each_readers_own_token_in_its_forms(make: Make) -> None:
    job = make("dead")
    for name in ("ada", "bob"):
        reader = Client(enforce_csrf_checks=True)
        reader.force_login(Account.objects.create_user(name, password="x", is_staff=True))
        for address in ("/jobs/dead/", "/jobs/list/?state=dead", f"/jobs/{job}/"):
            part = seen(reader, address, **{"HX-Request": "true"})
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', part)
            assert token, address
            form = {"job": 0, "back": address, "csrfmiddlewaretoken": token[1]}
            assert reader.post("/jobs/retry/", form).status_code == 302


def test_selected_jobs_are_retried_or_discarded_and_the_page_says_what_was_left_alone(
    staff: Client, make: Make, worker: int
) -> None:
    dead, running = make("dead"), make("running", worker=worker)
    answer = staff.post("/jobs/retry/", {"job": [dead, running], "back": "/jobs/dead/"}, follow=True)
    assert "1 job queued again. 1 job left alone: it is running now." in text_of(answer.content.decode())
    gone = make("dead")
    staff.post("/jobs/discard/", {"job": [gone], "back": f"/jobs/{gone}/"})
    page = text_of(seen(staff, f"/jobs/{gone}/"))
    assert "resolved" in page and "Discarded by ada" in page
    assert "No job was chosen." in text_of(staff.post("/jobs/retry/", {}, follow=True).content.decode())


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http://testserver//evil.example"]
)
def test_an_action_never_leads_away_from_the_site(staff: Client, back: str) -> None:
    assert staff.post("/jobs/retry/", {"back": back}).headers["Location"].startswith("/jobs/?said=")


@pytest.mark.parametrize("address", PAGES)
def test_the_script_that_refreshes_gets_the_live_part_alone(staff: Client, address: str) -> None:
    fragment = seen(staff, address, **{"HX-Request": "true"})
    whole = seen(staff, address)
    assert "<html" not in fragment and "<html" in whole
    assert 'hx-trigger="sse:jobs, refresh"' in whole


def test_a_photos_jobs_are_listed_newest_first(staff: Client, make: Make) -> None:
    first = make("succeeded", task="render_previews", photo=PHOTO)
    second = make("ready", task="detect_objects", queue="labels", photo=PHOTO)
    make("ready")
    html = seen(staff, f"/jobs/photo/{PHOTO}/")
    assert ids_in(html) == [second, first]
    assert "Make previews" in html and "Look for things" in html


def test_a_worker_that_waits_for_a_model_says_so_where_one_looks(staff: Client, make: Make, worker: int) -> None:
    job = make("ready", queue="previews")
    sql('UPDATE worker_info SET waiting = \'{"previews": "model missing: no file"}\'')
    assert "model missing: no file" in text_of(seen(staff, f"/jobs/{job}/"))
    assert "model missing: no file" in text_of(seen(staff, "/jobs/"))
    assert "model missing: no file" in text_of(seen(staff, "/jobs/workers/"))


def test_a_killed_worker_is_among_the_gone_at_once(staff: Client) -> None:
    worker = sql("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")[0][0]
    sql(
        """INSERT INTO worker_info (worker_id, name, host, pid, version, queues, concurrency, waiting, started_at)
           VALUES (%s, 'media', 'darkroom', 1, '1', '[]', 1, '{}', now())""",
        worker,
    )
    words = text_of(seen(staff, "/jobs/workers/"))
    assert "No worker is alive" in words and "the next sweep clears it up" in words


def test_the_sum_of_states_is_the_number_of_rows(staff: Client, make: Make, worker: int) -> None:
    from workers.console.listing import Filter, page_of

    for state in State:
        make(state.value, worker=worker)
    listed = [job for state in State for job in page_of(Filter(state), "", [worker]).ids]
    assert len(listed) == len(set(listed)) == sql("SELECT count(*) FROM procrastinate_jobs")[0][0]


def test_the_queues_page_pauses_and_tunes_and_the_job_says_why_it_waits(staff: Client, make: Make) -> None:
    job = make("ready", queue="files")
    form = {"queue": "files", "act": "pause", "reason": "backup", "length": "1h"}
    assert "is paused" in text_of(staff.post("/jobs/queues/set/", form, follow=True).content.decode())
    assert "Paused by ada: backup" in text_of(seen(staff, "/jobs/queues/"))
    assert "The queue is paused by ada (backup)" in text_of(seen(staff, f"/jobs/{job}/"))
    done = make("succeeded", queue="files", photo=PHOTO)
    for address in ("/jobs/list/?state=ready", "/jobs/list/?q=queue:files"):
        told = text_of(seen(staff, address))
        assert told.count("paused by ada: backup") == 1, told
    assert f"#{done}" in told
    make("ready", queue="files", photo=PHOTO)
    assert text_of(seen(staff, f"/jobs/photo/{PHOTO}/")).count("paused by ada: backup") == 1
    staff.post("/jobs/queues/set/", {"queue": "files", "act": "resume"})
    refused = staff.post(
        "/jobs/queues/set/", {"queue": "files", "act": "tune", "concurrency": "many"}, follow=True
    )
    assert "Nothing was changed" in text_of(refused.content.decode())
    staff.post("/jobs/queues/set/", {"queue": "files", "act": "tune", "concurrency": "3", "newest": "on"})
    assert sql("SELECT concurrency, newest_first, paused_at FROM job_queue_setting") == [(3, True, None)]

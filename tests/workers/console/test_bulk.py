"""Acts on all jobs of a search, on those ticked in a list, and on one with other arguments."""

import json
import re

import pytest
from django.test import Client

from tests.workers.console.conftest import PHOTO, Make, sql
from tests.workers.console.test_console import PAGE, ids_in, seen, text_of
from workers.console import audit
from workers.console.collecting import collect_operation
from workers.models import JobAction, Operation, OperationItem
from workers.operations import cancel_operation, run_slice

GOOD = {"library": PHOTO, "path": "a.jpg", "file": PHOTO}


def status_of(job: int) -> str:
    return str(sql("SELECT status::text FROM procrastinate_jobs WHERE id = %s", job)[0][0])


def begin(staff: Client, **form: object) -> Operation:
    answer = staff.post("/jobs/bulk/start/", {"rate": 1000, "canary": 0, **form})
    one = Operation.objects.latest("id")
    assert answer.headers["Location"] == f"/jobs/operations/{one.id}/"
    return one


def test_a_whole_search_is_retried_in_the_background_with_an_outcome_for_each(staff: Client, make: Make) -> None:
    jobs = [make("dead") for _ in range(PAGE + 3)]
    other, gone = make("dead", queue="previews"), jobs[0]
    html = seen(staff, "/jobs/list/?state=dead&q=queue:files")
    link = re.search(r'href="(/jobs/bulk/[^"]+)"', html)
    assert link
    asked = text_of(seen(staff, link[1].replace("&amp;", "&")))
    assert f"{len(jobs)} jobs now" in asked and f"Begin with all {len(jobs)}" in asked
    one = begin(staff, state="dead", q="queue:files", act="retry", reason="the disk is back")
    late = make("dead")
    assert one.state == "collecting" and status_of(jobs[5]) == "failed"  # the request itself changes nothing
    collect_operation(one.id)
    sql("UPDATE procrastinate_jobs SET status = 'todo' WHERE id = %s", gone)
    run_slice(one.id)
    one.refresh_from_db()
    assert (one.state, one.total, one.done, one.skipped) == ("done", len(jobs), len(jobs) - 1, 1)
    assert {status_of(job) for job in jobs} == {"todo"} and status_of(other) == status_of(late) == "failed"
    page = seen(staff, f"/jobs/operations/{one.id}/")
    assert "the disk is back" in page and len(ids_in(page)) == PAGE and 'rel="next"' in page
    sql("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = ANY(%s)", [jobs[1], jobs[-2]])
    sql("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", jobs[-1])
    told = text_of(seen(staff, f"/jobs/operations/{one.id}/"))
    assert f"Since then 1 succeeded, 2 dead again, {len(jobs) - 4} to go" in told
    assert f"job {jobs[-2]} put back dead This file is empty." in told
    assert f"job {jobs[-1]} put back succeeded" in told
    left = text_of(seen(staff, f"/jobs/operations/{one.id}/?outcome=skipped"))
    assert f"job {gone} left alone it is in the queue already" in left
    assert f"/jobs/operations/{one.id}/" in seen(staff, "/jobs/operations/")


def test_an_operation_that_is_cancelled_while_it_collects_changes_nothing(staff: Client, make: Make) -> None:
    job = make("dead")
    one = begin(staff, state="dead", act="discard")
    assert cancel_operation(one.id, "ada")
    collect_operation(one.id)
    run_slice(one.id)
    assert status_of(job) == "failed" and not OperationItem.objects.exists()


def test_a_group_of_dead_letters_is_retried_with_a_reason_at_a_rate_and_a_few_first(
    staff: Client, make: Make
) -> None:
    jobs, other = [make("dead") for _ in range(3)], make("dead", task="render_previews")
    link = re.search(r'href="(/jobs/bulk/\?task=import_file[^"]+)"', seen(staff, "/jobs/dead/"))
    assert link
    asked = seen(staff, link[1].replace("&amp;", "&"))
    assert "3 jobs now" in text_of(asked) and "All dead letters of Read a file, empty f1" in text_of(asked)
    group = dict(re.findall(r'type="hidden" name="(task|kind)" value="([^"]*)"', asked))
    wrong = staff.post("/jobs/bulk/start/", {**group, "act": "cancel", "rate": 5, "canary": 0}, follow=True)
    assert "Nothing was begun. Choose what to do" in text_of(wrong.content.decode())
    one = begin(staff, **group, act="retry", reason="a new disk", rate=50, canary=1)
    late = make("dead")
    collect_operation(one.id)
    run_slice(one.id)
    one.refresh_from_db()
    assert (one.rate, one.canary, one.total, one.done) == (50, 1, 3, 1)  # the first has yet to end well
    assert [status_of(job) for job in (*jobs, other, late)].count("todo") == 1
    assert JobAction.objects.get(subject=f"operation {one.id}").reason.endswith("empty f1 (a new disk)")


def test_all_that_runs_is_stopped_but_for_what_carries_out_the_act_itself(
    staff: Client, make: Make, worker: int
) -> None:
    jobs = [make("running", worker=worker) for _ in range(2)]
    assert "All that match" in seen(staff, "/jobs/list/?state=running")
    one = begin(staff, state="running", act="stop", reason="too warm")
    own = make("running", worker=worker, task="run_operation", queue="operations")
    one.up_to = own
    one.save()
    collect_operation(one.id)
    sql("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", jobs[0])
    run_slice(one.id)
    asked = dict(sql("SELECT id, abort_requested FROM procrastinate_jobs"))
    assert asked[jobs[1]] and not asked[jobs[0]] and not asked[own]
    page = text_of(seen(staff, f"/jobs/operations/{one.id}/"))
    assert f"job {jobs[0]} left alone it has succeeded" in page and f"job {jobs[1]} done" in page
    assert f"job {own} left alone it carries out an act on many jobs" in page
    assert JobAction.objects.get(job_id=jobs[1]).reason == "too warm"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"state": "dead", "act": "cancel"}, "Choose what to do"),
        ({"state": "running", "act": "retry"}, "Choose what to do"),
        ({"state": "dead", "act": "retry", "rate": 0}, "The rate is from 1"),
        ({"state": "dead", "act": "retry", "canary": 5000}, "go first"),
        ({"state": "dead", "q": "nokey:1", "act": "retry"}, "There is no key"),
    ],
)
def test_what_cannot_be_done_to_all_is_said_and_nothing_begins(
    staff: Client, form: dict[str, object], said: str
) -> None:
    answer = staff.post("/jobs/bulk/start/", {"rate": 10, "canary": 0, **form}, follow=True)
    assert said in text_of(answer.content.decode())
    assert not Operation.objects.exists()


def test_lines_ticked_in_a_list_are_cancelled_together(staff: Client, make: Make) -> None:
    jobs = [make("ready"), make("ready")]
    html = seen(staff, "/jobs/list/?state=ready")
    assert all(f'value="{job}" form="chosen"' in html for job in jobs) and "Cancel selected" in html
    said = staff.post("/jobs/cancel/", {"job": jobs, "back": "/jobs/list/?state=ready"}, follow=True)
    assert "2 jobs cancelled" in text_of(said.content.decode())


def test_a_dead_letter_is_tried_again_with_other_arguments_and_its_own_are_kept(staff: Client, make: Make) -> None:
    job = make("dead")
    assert "Edit and retry" in seen(staff, f"/jobs/{job}/")
    answer = staff.post(f"/jobs/{job}/edit/", {"args": json.dumps(GOOD), "back": f"/jobs/{job}/"})
    new = int(re.match(r"/jobs/(\d+)/", answer.headers["Location"])[1])  # type: ignore[index]
    assert (status_of(job), status_of(new)) == ("cancelled", "todo")
    assert json.loads(sql("SELECT args::text FROM procrastinate_jobs WHERE id = %s", new)[0][0]) == GOOD
    told = {act.job_id: act for act in JobAction.objects.all()}
    assert "2024/IMG_0001.jpg" in told[job].reason and f"by job {new}" in told[job].reason
    assert f"from job {job}" in told[new].reason
    assert "Edited by ada" in text_of(seen(staff, f"/jobs/{new}/"))
    again = staff.post(f"/jobs/{job}/edit/", {"args": json.dumps(GOOD), "back": f"/jobs/{job}/"}, follow=True)
    assert "another state by now" in text_of(again.content.decode())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("{", "This is no JSON"),
        ("[1]", "names with values"),
        ('{"path": "a"}', "Missing"),
        (json.dumps({**GOOD, "colour": "red"}), "unexpected"),
        (json.dumps({**GOOD, "path": 7}), "“path” must be text"),
        (json.dumps({**GOOD, "path": "a\0b"}), "cannot hold a NUL"),
        ("[" * 20_000, "nested too deeply"),
        ('{"path": "\\ud800"}', "This is no JSON"),
        ('{"path": NaN}', "a number has an end"),
        ('{"path": "2024/IMG_0001.jpg"}', "Missing"),
    ],
)
def test_arguments_that_the_task_cannot_take_are_refused(staff: Client, make: Make, args: str, said: str) -> None:
    job = make("dead")
    answer = staff.post(f"/jobs/{job}/edit/", {"args": args, "back": f"/jobs/{job}/"}, follow=True)
    assert said in text_of(answer.content.decode())
    assert status_of(job) == "failed"


def test_a_waiting_job_is_rescheduled_from_its_page(staff: Client, make: Make) -> None:
    job = make("ready")
    assert "Reschedule" in seen(staff, f"/jobs/{job}/")
    form = {"job": job, "back": f"/jobs/{job}/"}
    staff.post("/jobs/reschedule/", {**form, "minutes": "60", "at": ""})
    due = "SELECT scheduled_at > now() + interval '59 minutes' FROM procrastinate_jobs WHERE id = %s"
    assert sql(due, job) == [(True,)]
    staff.post("/jobs/reschedule/", {**form, "at": "2031-05-16T14:00"})
    at = "SELECT to_char(scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
    at += " FROM procrastinate_jobs WHERE id = %s"
    assert sql(at, job) == [("2031-05-16 14:00",)]
    said = staff.post("/jobs/reschedule/", {**form, "at": "soon"}, follow=True).content.decode()
    assert "Choose a time" in text_of(said) and sql(at, job) == [("2031-05-16 14:00",)]


def test_the_audit_is_narrowed_by_who_what_whom_and_when(
    staff: Client, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make("dead")
    staff.post("/jobs/discard/", {"job": job, "reason": "broken beyond repair"})
    staff.post("/jobs/queues/set/", {"queue": "files", "act": "pause", "reason": "moving"})
    rows = f"job {job}"
    for query, found in (
        ("who=ada", True), ("who=bob", False), ("what=discarded", True), ("what=paused", False),
        (f"to={job}", True), (f"to=job+{job}", True), ("to=queue+files", False), ("since=1h", True),
        ("until=1h", False),
    ):  # fmt: skip
        assert (rows in text_of(seen(staff, f"/jobs/audit/?{query}"))) is found, query
    assert "moving" in text_of(seen(staff, "/jobs/audit/?to=queue"))
    assert staff.get("/jobs/audit/?since=yesterdayish").status_code == 400
    monkeypatch.setattr(audit, "LOOKED", 1)
    html = seen(staff, "/jobs/audit/?what=discarded")
    assert "Nothing found so far" in html
    following = re.search(r'href="(\?[^"]*before=[^"]*)"', html)
    assert following and rows in text_of(seen(staff, f"/jobs/audit/{following[1].replace('&amp;', '&')}"))

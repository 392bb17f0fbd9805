"""Schedules and settings, by page and by API."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from core.accounts import Account, ApiKey
from tests.workers.console.conftest import Make, sql
from tests.workers.console.test_console import seen, text_of
from workers import jobsettings
from workers.models import JobAction, QueueSetting
from workers.queuesettings import hold_of
from workers.schedules import ensure_schedules

Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(staff: Client) -> Call:
    """Asks the API with the session of an administrator: status and answer."""

    def ask(method: str, path: str, body: object = None) -> tuple[int, Any]:
        told = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        answer = getattr(staff, method)(f"/api/v1/jobs{path}", **told)
        return answer.status_code, answer.json() if answer.content else None

    return ask


def test_the_schedules_page_tells_when_each_ran_and_runs_and_lets_one_run_pause_and_resume(staff: Client) -> None:
    assert "once a worker has started" in text_of(seen(staff, "/jobs/schedules/"))
    ensure_schedules()
    words = text_of(seen(staff, "/jobs/schedules/"))
    assert "Clear away finished jobs every 1 d not yet in 2" in words and "Look through every library" in words
    for act, said in (("run", "does it now"), ("pause", "It is paused"), ("resume", "It goes on")):
        answer = staff.post("/jobs/schedules/set/", {"name": "purge", "act": act}, follow=True)
        assert said in text_of(answer.content.decode())
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'purge_jobs'") == [(1,)]
    for wrong in ({"name": "no", "act": "run"}, {"name": "purge", "act": "no"}):
        assert "Nothing was changed" in staff.post("/jobs/schedules/set/", wrong, follow=True).content.decode()


def test_settings_for_all_queues_are_set_on_the_page_and_noted_down(staff: Client) -> None:
    staff.post("/jobs/settings/set/", {"act": "keep", "days": "7"})
    assert jobsettings.keep_days() == 7
    said = staff.post("/jobs/settings/set/", {"act": "keep", "days": "many"}, follow=True).content.decode()
    assert "Nothing was changed" in said and jobsettings.keep_days() == 7
    staff.post("/jobs/settings/set/", {"act": "uploads"})
    assert not jobsettings.uploads_first()
    assert 'name="first" type="checkbox">' in seen(staff, "/jobs/schedules/")
    told = JobAction.objects.filter(action="set").order_by("id").values_list("reason", flat=True)
    assert list(told) == [
        "finished jobs are kept for 7 days (before: 30)",
        "uploads take their turn (before: True)",
    ]


def test_uploads_that_wait_are_moved_when_the_switch_is_turned_and_nothing_else_is(db: None, make: Make) -> None:
    mine = "aaaaaaaa-0000-5000-8000-000000000001"
    upload, found = make("ready", library=mine), make("ready", library="bbbbbbbb-0000-5000-8000-000000000002")
    sql("UPDATE procrastinate_jobs SET priority = 60 WHERE id = %s", upload)
    sql("UPDATE procrastinate_jobs SET priority = 10 WHERE id = %s", found)

    def priorities() -> list[int]:
        query = "SELECT priority FROM procrastinate_jobs WHERE id IN (%s, %s) ORDER BY id"
        return [row[0] for row in sql(query, upload, found)]

    assert jobsettings.put_uploads_first(False, [mine], "ada") == 1
    assert priorities() == [10, 10] and jobsettings.upload_priority() == 0
    assert jobsettings.put_uploads_first(False, [mine], "ada") == 0
    assert jobsettings.put_uploads_first(True, [mine], "ada") == 1
    assert priorities() == [60, 10] and jobsettings.upload_priority() == 50


def test_a_queue_is_set_paused_and_resumed_by_the_api(call: Call, staff: Client, make: Make) -> None:
    make("ready")
    assert {queue["newest_first"] for queue in call("get", "/queues")[1]} == {False}
    assert "checked" not in seen(staff, "/jobs/queues/")
    wanted = {"concurrency": 3, "quiet_from": "22:00", "quiet_until": "06:30", "zone": "Europe/Berlin"}
    assert call("put", "/queues/files", {**wanted, "newest_first": True})[0] == 204
    [files] = [queue for queue in call("get", "/queues")[1] if queue["name"] == "files"]
    assert (files["concurrency"], files["quiet_from"], files["newest_first"]) == (3, "22:00:00", True)
    assert call("put", "/queues/files", {"concurrency": 0}) == (422, {"detail": _LIMIT})
    assert call("put", "/queues/files", {"quiet_from": "22:00"})[0] == 422
    assert call("put", "/queues/files", {"zone": "Mars/Olympus"})[0] == 422
    assert QueueSetting.objects.get(queue="files").concurrency == 3
    assert call("post", "/queues/files/pause", {"reason": "moving"})[0] == 204
    hold = hold_of("files")
    assert hold and (hold.by, hold.reason) == ("pause", "moving")
    assert call("post", "/queues/files/pause", {"until": "2020-01-01T00:00:00Z"})[0] == 422
    assert call("post", "/queues/files/resume")[0] == 204
    assert call("put", "/queues/files", {})[0] == 204 and hold_of("files") is None


_LIMIT = "The limit is a number from 1 to 1,000. To stop a queue, pause it."


def test_who_acted_is_noted_by_id_whether_by_page_or_by_api_and_shown_by_name(
    call: Call, staff: Client, make: Make
) -> None:
    ensure_schedules()
    ada, dead = Account.objects.get(username="ada").actor, make("dead")
    make("ready", queue="labels")
    staff.post("/jobs/queues/set/", {"queue": "files", "act": "pause"})
    call("post", "/queues/labels/pause", {})
    staff.post("/jobs/settings/set/", {"act": "keep", "days": "7"})
    call("patch", "/settings", {"keep_days": 8})
    staff.post("/jobs/schedules/set/", {"name": "purge", "act": "pause"})
    call("post", "/schedules/rescan/pause")
    for cancel in (staff.post, lambda address: call("post", address.removeprefix("/jobs").removesuffix("/"))):
        one = call("post", "/operations", {"act": "retry", "state": "dead"})[1]["id"]
        cancel(f"/jobs/operations/{one}/cancel/")
    call("post", f"/{dead}/retry")
    assert set(JobAction.objects.values_list("actor", flat=True)) == {ada}
    assert {row.paused_by for row in QueueSetting.objects.all()} == {ada}
    shown = {
        "/jobs/audit/": 10,
        "/jobs/audit/?who=ada": 10,
        "/jobs/queues/": 2,
        "/jobs/schedules/": 2,
        "/jobs/operations/": 4,
        f"/jobs/operations/{one}/": 2,
        f"/jobs/{dead}/": 1,
        "/jobs/list/?state=ready": 2,
        "/jobs/": 1,
    }
    for address, times in shown.items():
        told = text_of(seen(staff, address).partition("<main")[2])
        assert "account:" not in told and len(re.findall(r"\bada\b", told)) >= times, (address, told)
    JobAction.objects.update(actor="system")
    assert "Filmroll" in text_of(seen(staff, "/jobs/audit/?who=Filmroll").partition("<tbody")[2])


def test_schedules_settings_and_operations_by_the_api(call: Call, make: Make) -> None:
    ensure_schedules()
    assert {one["name"] for one in call("get", "/schedules")[1]} == {"purge", "previews", "rescan", "sessions"}
    assert call("post", "/schedules/purge/pause")[1]["next_at"] is None
    assert call("post", "/schedules/purge/resume")[1]["next_at"]
    assert call("post", "/schedules/purge/explode")[0] == call("post", "/schedules/none/run")[0] == 404
    assert call("patch", "/settings", {"keep_days": 9})[1] == {"keep_days": 9, "uploads_first": True}
    assert call("patch", "/settings", {"uploads_first": False})[1] == {"keep_days": 9, "uploads_first": False}
    assert call("patch", "/settings", {"keep_days": -1})[0] == 422
    job = make("dead")
    status, one = call("post", "/operations", {"act": "retry", "state": "dead", "rate": 50, "canary": 1})
    assert (status, one["state"], one["rate"], one["canary"]) == (202, "collecting", 50, 1)
    assert call("get", "/operations")[1][0]["id"] == call("get", f"/operations/{one['id']}")[1]["id"]
    assert call("get", f"/operations/{one['id']}/jobs")[1] == []
    assert call("post", f"/operations/{one['id']}/cancel")[1]["state"] == "cancelled"
    assert call("post", "/operations", {"act": "explode", "state": "dead"})[0] == 422
    assert call("get", "/operations/999999")[0] == 404
    assert call("post", f"/{job}/edit", {"args": {"path": 7}})[0] == 422
    good = {"library": "l", "path": "p", "file": "f"}
    status, made = call("post", f"/{job}/edit", {"args": good})
    assert status == 201 and made["job_id"] > job


def test_who_is_no_administrator_is_told_no_by_each_of_them(client: Client, db: None) -> None:
    member = Account.objects.create_user("member", password="x")
    client.force_login(member)
    for method, path in (
        ("get", "queues"), ("put", "queues/files"), ("post", "queues/files/pause"),
        ("post", "queues/files/resume"),
        ("get", "settings"), ("patch", "settings"), ("get", "schedules"), ("post", "schedules/purge/run"),
        ("get", "operations"), ("post", "operations"), ("post", "operations/1/cancel"), ("post", "1/edit"),
    ):  # fmt: skip
        body = {"act": "retry", "args": {}}
        told = {} if method == "get" else {"data": json.dumps(body), "content_type": "application/json"}
        assert getattr(client, method)(f"/api/v1/jobs/{path}", **told).status_code == 403, path
    for path in ("schedules/", "bulk/", "audit/", "operations/", "operations/1/"):
        assert client.get(f"/jobs/{path}").status_code == 403, path
    for path in ("schedules/set/", "settings/set/", "bulk/start/", "reschedule/", "1/edit/"):
        assert client.post(f"/jobs/{path}").status_code == 403, path
    assert not JobAction.objects.exists() and not ApiKey.objects.exists()

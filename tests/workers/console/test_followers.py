"""A subscription that lags is named on the health pages, and an administrator can let it go on."""

import json

import psycopg
import pytest
from django.test import Client

from core.accounts import Account
from core.commands.accounts import create_api_key
from events import connecting, lag
from events.event import NewEvent
from events.models import Checkpoint, ParkedStream, State
from events.store import ANY, append
from tests.workers.console.test_console import seen, text_of

HALTED = "photo.rated.v1, position 7: ValueError: Oma am See"


@pytest.fixture
def halted(db: None) -> None:
    append("test-1", ANY, [NewEvent("test.done", {})])
    Checkpoint.objects.create(name="colours", state=State.HALTED, error=HALTED)


@pytest.fixture
def parked(db: None) -> None:
    Checkpoint.objects.create(name="exports", position=2**62)
    ParkedStream.objects.create(name="exports", stream_id="photo-1", version=3, error="odd")


def test_all_is_well_while_nobody_lags(staff: Client) -> None:
    Checkpoint.objects.create(name="exports", position=2**62)
    assert staff.get("/healthz").json() == {"status": "ok", "database": "answers", "events": "are followed"}
    assert "lags behind" not in text_of(seen(staff, "/jobs/"))


def test_health_names_who_lags_and_nothing_of_anybodys_photos(client: Client, halted: None, parked: None) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200, "a restart would help nobody"
    said = answer.json()["events"]
    assert said.startswith("colours halted, 1 events or ")
    assert "exports running, 0 events or 0 s behind, 1 streams set aside" in said
    assert "Oma" not in said and "photo-1" not in said


@pytest.mark.django_db(transaction=True)
def test_who_holds_readers_back_for_long_is_named(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "PATIENCE", -60.0)
    with psycopg.connect(**connecting.parameters("somebody")) as writer:
        writer.execute("LOCK TABLE event IN ROW EXCLUSIVE MODE")
        pid = writer.info.backend_pid
        assert "holds readers back" in staff.get("/healthz").json()["events"]
        page = text_of(seen(staff, "/jobs/"))
        assert f"(server process {pid})" in page and f"pg_terminate_backend({pid})" in page
        told = staff.get("/jobs/followers").json()["held_back_by"]
        assert told["pid"] == pid and told["application"].endswith("somebody") and told["since"]
        writer.rollback()
    assert staff.get("/jobs/followers").json()["held_back_by"] is None


def test_machines_are_told_all_with_an_administrators_key(client: Client, halted: None, parked: None) -> None:
    assert client.get("/jobs/followers").status_code == 401
    client.force_login(Account.objects.create_user("member", password="x"))
    assert client.get("/jobs/followers").status_code == 403
    client.logout()
    Account.objects.create_user("grafana", password="x", is_staff=True)
    key = create_api_key("prometheus", "grafana")
    told = client.get("/jobs/followers", headers={"Authorization": f"Bearer {key}"}).json()
    colours, exports = told["subscriptions"]
    assert (colours["name"], colours["state"], colours["error"], colours["events_behind"]) == (
        "colours",
        "halted",
        HALTED,
        1,
    )
    assert (exports["parked_streams"], exports["runner_pid"]) == (["photo-1"], None)
    json.dumps(told)


def test_an_administrator_resumes_a_halted_subscription(staff: Client, halted: None) -> None:
    page = text_of(seen(staff, "/jobs/"))
    assert "colours has halted before an event that it cannot handle, 1 event behind" in page and HALTED in page
    answer = staff.post("/jobs/followers/resume/", {"name": "colours", "back": "/jobs/"}, follow=True)
    assert "colours goes on." in text_of(answer.content.decode())
    checkpoint = Checkpoint.objects.get()
    assert (checkpoint.state, checkpoint.error) == (State.RUNNING, "")
    again = staff.post("/jobs/followers/resume/", {"name": "colours"}, follow=True)
    assert "had not halted" in text_of(again.content.decode())


def test_an_administrator_resumes_a_parked_stream(staff: Client, parked: None) -> None:
    assert "exports has set photo-1 aside" in text_of(seen(staff, "/jobs/"))
    staff.post("/jobs/followers/resume-stream/", {"name": "exports", "stream": "photo-1"})
    assert ParkedStream.objects.get().resuming
    answer = staff.post("/jobs/followers/resume-stream/", {"name": "exports", "stream": "photo-2"}, follow=True)
    assert "photo-2 is not parked" in text_of(answer.content.decode())


@pytest.mark.parametrize("address", ["/jobs/followers/resume/", "/jobs/followers/resume-stream/"])
def test_nobody_else_does(client: Client, halted: None, parked: None, address: str) -> None:
    form = {"name": "colours", "stream": "photo-1"}
    assert client.post(address, form).headers["Location"].startswith("/signin/")
    client.force_login(Account.objects.create_user("member", password="x"))
    assert client.post(address, form).status_code == 403
    assert client.get(address).status_code == 405
    assert Checkpoint.objects.get(name="colours").state == State.HALTED
    assert not ParkedStream.objects.get().resuming


def test_each_resume_is_written_into_the_log(staff: Client, halted: None) -> None:
    from structlog.testing import capture_logs

    with capture_logs() as lines:
        staff.post("/jobs/followers/resume/", {"name": "colours"})
    [line] = [line for line in lines if "resumed" in line["event"]]
    assert (line["subscription"], line["actor"]) == ("colours", "ada")

"""The console in a real browser: by keyboard, on a phone, live, and kept still."""

from typing import Any

import pytest
from django.test import Client

from core.accounts import Account
from tests.web.browsing import CHROMIUM, PHONE, RULES, WIDE, wait_until
from tests.workers.console.conftest import PHOTO, Make, sql
from tests.workers.jobs.operating import begun
from workers.console.states import State
from workers.operations import run_slice
from workers.schedules import ensure_schedules

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here"),
]


@pytest.fixture
def operator(visit: Any, site: str) -> Any:
    """Opens a window with the session of somebody who may operate the console."""
    sql("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_events CASCADE")
    sql("TRUNCATE job_attempt, worker_info, job_action, job_flow")
    client = Client()
    client.force_login(Account.objects.create_user("ada", password="x", is_staff=True))
    session = client.cookies["sessionid"].value

    def open_window(**options: Any) -> Any:
        window = visit(**options)
        window.context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
        return window

    return open_window


def _change() -> None:
    """What a worker says after its work."""
    sql("NOTIFY filmroll_jobs")


def test_somebody_with_a_phone_finds_a_dead_letter_and_retries_it(operator: Any, make: Make) -> None:
    job = make("dead")
    window = operator(viewport=PHONE, has_touch=True)
    window.goto("/jobs/")
    window.get_by_role("link", name="Look, then retry or discard").tap()
    window.get_by_text("This file is empty.").first.wait_for()
    for address in (window.url, f"/jobs/{job}/", "/jobs/list/?state=dead", "/jobs/tasks/", "/jobs/workers/"):
        window.goto(address)
        assert window.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    window.goto("/jobs/dead/")
    assert window.get_by_role("button", name="Retry all 1").is_visible()
    window.get_by_role("button", name=f"Retry job {job}").tap()
    window.get_by_text("1 job queued again.").wait_for()
    assert sql("SELECT status::text FROM procrastinate_jobs WHERE id = %s", job) == [("todo",)]


def test_by_keyboard_alone_a_job_is_searched_opened_and_retried(operator: Any, make: Make) -> None:
    job = make("dead")
    make("ready", queue="labels")
    window = operator()
    window.goto("/jobs/list/?state=dead")
    _tab_to(window, "id=q")
    window.keyboard.type("error:empty")
    window.keyboard.press("Enter")
    window.wait_for_url("**q=error*")
    _tab_to(window, f"/jobs/{job}/")
    window.keyboard.press("Enter")
    window.wait_for_url(f"**/jobs/{job}/")
    _tab_to(window, "Retry")
    window.keyboard.press("Enter")
    window.get_by_text("1 job queued again.").wait_for()


def _tab_to(window: Any, mark: str) -> None:
    """Press Tab until what has the focus, and shows it, carries the mark in its words, id or address."""
    told = (
        "(() => { const at = document.activeElement;"
        " return [at.textContent.trim(), `id=${at.id}`, at.getAttribute('href') ?? ''] })()"
    )
    for _ in range(80):
        window.keyboard.press("Tab")
        if mark in window.evaluate(told):
            assert window.evaluate("document.activeElement.matches(':focus-visible')")
            return
    raise AssertionError(f"no way by Tab to {mark}")


def test_a_list_is_live_holds_still_while_lines_are_ticked_and_can_be_paused(operator: Any, make: Make) -> None:
    first = make("dead")
    window = operator()
    window.goto("/jobs/dead/")
    row = "//td/a[@href='/jobs/{}/']"
    window.locator(row.format(first)).wait_for()
    second = make("dead")
    _change()
    window.locator(row.format(second)).wait_for()
    box = window.get_by_label(f"Choose job {first}")
    box.check()
    third = make("dead")
    _change()
    window.get_by_text("Updates wait while lines are ticked; something has changed").wait_for()
    assert window.locator(row.format(third)).count() == 0 and box.is_checked()
    box.uncheck()
    window.evaluate("document.activeElement.blur()")
    window.locator(row.format(third)).wait_for()
    pause = window.get_by_role("button", name="Pause updates")
    pause.click()
    fourth = make("dead")
    _change()
    window.get_by_text("Updates are paused; something has changed").wait_for()
    assert window.locator(row.format(fourth)).count() == 0
    pause.click()
    window.locator(row.format(fourth)).wait_for()


def test_what_is_written_into_a_form_is_not_taken_away_by_an_update_and_a_set_box_holds_up_none(
    operator: Any, make: Make
) -> None:
    make("dead")
    window = operator(viewport=PHONE)
    window.goto("/jobs/schedules/")  # with a box that is ticked from the start
    sql("INSERT INTO job_schedule (name, paused_at, paused_by) VALUES ('purge', now(), 'bob')")
    _change()
    window.get_by_text("paused by bob").wait_for()
    window.goto("/jobs/bulk/?state=dead")
    window.get_by_label("Reason").fill("the disk is back")
    window.evaluate("document.activeElement.blur()")
    make("dead")
    _change()
    window.get_by_text("Updates wait while you are here; something has changed").wait_for()
    assert window.get_by_label("Reason").input_value() == "the disk is back"
    window.get_by_label("Retry, with a full budget of runs").check()
    window.get_by_role("button", name="Begin with all 1").click()
    window.get_by_text("the disk is back").wait_for()
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_answer_that_comes_after_a_line_was_ticked_leaves_the_tick(operator: Any, make: Make) -> None:
    job = make("dead")
    window = operator()
    window.goto("/jobs/dead/")
    box = window.get_by_label(f"Choose job {job}")
    box.wait_for()
    # Ticked after the page's own look at what holds it up, before the answer can come. What the page fetched
    # by itself when its stream opened may show the second job already: the tick alone tells.
    window.evaluate(
        "job => document.addEventListener('htmx:beforeRequest', function tick(event) {"
        " if (!event.target.matches('[data-still]')) return;"
        " document.removeEventListener('htmx:beforeRequest', tick);"
        " document.querySelector(`input[name=job][value='${job}']`).click() })",
        job,
    )
    make("dead")
    _change()
    window.get_by_text("Updates wait while lines are ticked; something has changed").wait_for()
    assert box.is_checked()


@pytest.mark.slow
def test_a_lost_message_heals_by_the_version(operator: Any, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.web.live.HEARTBEAT_SECONDS", 0.5)
    monkeypatch.setattr("workers.console.stream.HEARTBEAT_SECONDS", 0.5)
    window = operator()
    window.goto("/jobs/dead/")
    window.get_by_text("All good").wait_for()
    # A version has to be known first; then a job dies and nobody tells.
    with window.expect_event("console", lambda said: said.text == "version"):
        window.evaluate(
            "new EventSource('/jobs/stream').addEventListener('version', () => console.log('version'))"
        )
    window.wait_for_timeout(1200)
    job = make("dead")
    window.locator(f"//td/a[@href='/jobs/{job}/']").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide-light", "phone-dark"])
def test_no_page_of_the_console_keeps_anybody_out(
    operator: Any, make: Make, size: dict[str, int], scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    worker = sql("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")[0][0]
    jobs = {state: make(state.value, worker=worker, photo=PHOTO) for state in State}
    operation = begun("retry", [jobs[State.DEAD], jobs[State.RUNNING]], reason="the disk is back")
    run_slice(operation)
    jobs[State.DEAD] = make("dead", photo=PHOTO)
    ensure_schedules()
    window = operator(viewport=size, color_scheme=scheme)
    lists = ("/jobs/list/?state=", "/jobs/list/?state=&q=queue:none", "/jobs/dead/", f"/jobs/photo/{PHOTO}/")
    tables = ("/jobs/", "/jobs/tasks/", "/jobs/workers/", "/jobs/queues/", "/jobs/schedules/")
    acts = ("/jobs/operations/", f"/jobs/operations/{operation}/", "/jobs/audit/", "/jobs/bulk/?state=dead")
    acts += ("/jobs/bulk/?task=import_file&kind=f1", "/jobs/bulk/?state=running")
    for address in (*lists, *tables, *acts, *(f"/jobs/{jobs[state]}/" for state in (State.DEAD, State.RETRYING))):
        window.goto(address)
        wait_until(lambda: window.evaluate("document.readyState") == "complete")
        found = Axe().run(window, options={"runOnly": RULES})
        assert found.response["violations"] == [], (address, found.generate_report())
        assert window.evaluate("document.documentElement.scrollWidth <= innerWidth"), address

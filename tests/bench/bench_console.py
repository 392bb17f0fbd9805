"""How soon the job console answers when it holds millions of jobs, and how soon an open browser sees a change."""

import asyncio
import json
import os
import re
import socket
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from statistics import median, quantiles

from tests.bench.bar import Bar
from tests.bench.consolefill import DEAD, FINISHED, LIVE, fill, freshen, is_filled
from tests.bench.installation import Installation, installed

_TIMES = int(os.environ.get("FILMROLL_BENCH_TIMES", "40"))
_VIEWERS, _CHANGES, _DEEP = 50, 20, 100_000
# Filling ten million takes long: a folder in which the filled installation stays for the next run.
_FOLDER = os.environ.get("FILMROLL_BENCH_FOLDER", "")
_SIGN_IN = """
import django; django.setup()
from django.test import Client
from core.accounts import Account
boss = Account.objects.filter(username="boss").first()
client = Client(); client.force_login(boss or Account.objects.create_user("boss", password="x", is_staff=True))
print(client.cookies["sessionid"].value)
"""


@dataclass(frozen=True, slots=True)
class Site:
    """The web server's port, and the cookie of an administrator."""

    port: int
    cookie: str


def run() -> list[Bar]:
    """The bars of the console."""
    with installed(_FOLDER) as made:
        started = time.monotonic()
        if not is_filled(made):
            fill(made)
        freshen(made)
        filled = f"{FINISHED:,} finished, {LIVE:,} live, {DEAD:,} dead"
        print(f"  {filled} jobs in {time.monotonic() - started:.0f} s", flush=True)
        cookie = made.python(_SIGN_IN).split()[-1]
        port = _free_port()
        os.environ["FILMROLL_PORT"] = str(port)
        with made.started("worker", "--lanes", "scan"), made.started("web"):
            site = Site(port, cookie)
            return [*_pages(made, site), *_photo(made), _seen(made, site)]


def _pages(made: Installation, site: Site) -> list[Bar]:
    newest_dead, group = FINISHED + DEAD, _largest_group(made)
    deep = f"after={FINISHED - _DEEP}"
    turn = f"after=0~{FINISHED + DEAD + LIVE - 100}"
    photo = made.value("SELECT args ->> 'photo' FROM procrastinate_jobs WHERE id = %s", FINISHED // 2)
    pages = {
        "overview": "/jobs/",
        "running": "/jobs/list/",
        "ready": "/jobs/list/?state=ready",
        "ready-deep": f"/jobs/list/?state=ready&{turn}",
        "retrying": "/jobs/list/?state=retrying",
        "succeeded": "/jobs/list/?state=succeeded",
        "succeeded-deep": f"/jobs/list/?state=succeeded&{deep}",
        "any": "/jobs/list/?state=",
        "search-queue": "/jobs/list/?state=&q=queue:none",
        "search-error": "/jobs/list/?state=dead&q=error:nowhere",
        "search-word": "/jobs/list/?state=&q=nowhere",
        "search-photo": f"/jobs/list/?q=photo:{photo}",
        "dead": "/jobs/dead/",
        "dead-group": f"/jobs/dead/?{group}",
        "job": f"/jobs/{newest_dead}/",
        "photo": f"/jobs/photo/{photo}/",
        "tasks": "/jobs/tasks/",
        "workers": "/jobs/workers/",
    }
    _wait_for(site.port)
    bars, times = [], {}
    for name, address in pages.items():
        _get(site, address)
        before = made.cpu_seconds()
        times[name] = [_get(site, address) for _ in range(_TIMES)]
        busy = (made.cpu_seconds() - before) / _TIMES * 1000
        p95 = quantiles(times[name], n=20)[18] * 1000
        told = f"median {median(times[name]) * 1000:.0f} ms, p95 {p95:.0f} ms, processor {busy:.0f} ms"
        print(f"  {name}: {told}", flush=True)
        bars.append(Bar(f"console-{name}-p95", round(p95, 1), "<=", 200, "ms"))
    for list_ in ("succeeded", "ready"):
        ratio = median(times[f"{list_}-deep"]) / median(times[list_])
        bars.append(Bar(f"console-{list_}-deep-to-first", round(ratio, 3), "<=", 1.2))
    return bars


def _largest_group(made: Installation) -> str:
    task, kind = made.rows(
        """SELECT task, fingerprint FROM job_attempt WHERE outcome = 'dead' AND NOT resolved
            GROUP BY task, fingerprint ORDER BY count(*) DESC LIMIT 1"""
    )[0]
    return urllib.parse.urlencode({"task": task, "error": kind})


def _photo(made: Installation) -> list[Bar]:
    """One photo's jobs in SQL, by the server's own clock."""
    query = "SELECT id FROM procrastinate_jobs WHERE args ->> 'photo' = md5('photo ' || %s)::uuid::text"
    times = []
    for n in range(100):
        plan = made.value(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {query} ORDER BY id DESC LIMIT 50", n * (FINISHED // 400)
        )
        told = plan if isinstance(plan, list) else json.loads(plan)
        times.append(told[0]["Execution Time"])
    return [Bar("console-photo-sql-p95", round(quantiles(times, n=20)[18], 3), "<=", 5, "ms")]


def _seen(made: Installation, site: Site) -> Bar:
    """A job dies; every viewer has heard, fetched its list, and seen it there."""
    waits = asyncio.run(_watch(made, site))
    p95 = quantiles(waits, n=20)[18]
    print(f"  seen by {_VIEWERS} viewers after {median(waits):.2f} s at the median, {p95:.2f} s at p95")
    return Bar("console-seen-p95", round(p95, 3), "<=", 1, "s")


async def _watch(made: Installation, site: Site) -> list[float]:
    waits: list[float] = []
    changes: dict[int, float] = {}
    viewers = [asyncio.create_task(_viewer(site, changes, waits)) for _ in range(_VIEWERS)]
    await asyncio.sleep(3)
    for number in range(_CHANGES):
        at = time.monotonic()
        job = await asyncio.to_thread(
            made.value,
            "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('scan', 'no_task') RETURNING id",
        )
        changes[job] = at
        deadline = at + 30
        while len(waits) < (number + 1) * _VIEWERS and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
    for viewer in viewers:
        viewer.cancel()
    if len(waits) < _CHANGES * _VIEWERS:
        raise RuntimeError(f"only {len(waits)} of {_CHANGES * _VIEWERS} sightings within 30 s each")
    return waits


async def _viewer(site: Site, changes: dict[int, float], waits: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(_request(site, "/jobs/stream", "keep-alive"))
    known: set[int] = set()
    async for line in reader:
        if line.startswith(b"event: jobs"):
            html = await _fetch(site, "/jobs/list/?state=dead")
            shown = {int(found) for found in re.findall(rb'href="/jobs/(\d+)/"', html)}
            for job in (shown & changes.keys()) - known:
                known.add(job)
                waits.append(time.monotonic() - changes[job])


async def _fetch(site: Site, address: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(_request(site, address, "close"))
    html = await reader.read()
    writer.close()
    return html


def _request(site: Site, address: str, connection: str) -> bytes:
    lines = [f"GET {address} HTTP/1.1", "Host: localhost", "HX-Request: true"]
    return "\r\n".join([*lines, f"Cookie: sessionid={site.cookie}", f"Connection: {connection}", "", ""]).encode()


def _get(site: Site, address: str) -> float:
    request = urllib.request.Request(
        f"http://127.0.0.1:{site.port}{address}", headers={"Cookie": f"sessionid={site.cookie}"}
    )
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=120) as answer:
        answer.read()
    return time.perf_counter() - started


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/signin/", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the web server did not start within a minute")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])

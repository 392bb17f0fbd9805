"""What is lost when writers and servers die, and after a restored dump: the tests of these faults, as figures.

The crowd of dying writers takes minutes for a million events; BENCH_LONG=1 has them all, else it is a small crowd.
"""

import os
import re
import subprocess
import sys

from tests.bench.bar import Bar

_CROWD = "test_million.py::test_a_crowd_of_dying_writers_on_a_dying_server_is_read_with_nothing_missed_or_doubled"
_SERVER = "test_faults.py::test_a_server_that_dies_and_comes_back_costs_no_event_and_none_is_doubled"
_DUMP = "test_dump.py::test_what_is_restored_elsewhere_goes_on_with_nothing_lost_or_doubled"


def run() -> list[Bar]:
    """The bars of faults."""
    events = "1000000-5" if os.environ.get("BENCH_LONG") else "2000-1"
    told = _told(f"{_CROWD}[{events}]")
    print("  " + told.replace("\n", "\n  "))
    fenced = re.search(r"by the fence: Verdict\(missed=(\d+), doubled=(\d+), misordered=(\d+)\)", told)
    assert fenced is not None, told
    missed, doubled, misordered = (int(number) for number in fenced.groups())
    back = [float(seconds) for seconds in re.findall(r"[\d.]+", _told(f"{_SERVER}[10]").split("[")[-1])]
    print(f"  next event after the server was back: {min(back):.2f} to {max(back):.2f} s, {len(back)} times")
    return [
        Bar("events-crowd-missed", missed, "==", 0),
        Bar("events-crowd-doubled", doubled, "==", 0),
        Bar("events-crowd-out-of-order", misordered, "==", 0),
        Bar("events-server-restarted", round(max(back), 2), "<=", 5, "s"),
        # The test compares every event and every handled one: it fails when one is lost or doubled.
        Bar("events-restored-flaws", _test(f"{_DUMP}[custom]").returncode, "==", 0),
    ]


def _told(test: str) -> str:
    """What a test prints; its failure ends the benchmark."""
    done = _test(test)
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-1000:])
    return "\n".join(line for line in done.stdout.splitlines() if ":" in line or "events of" in line)


def _test(name: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-n", "0", "-p", "no:randomly", f"tests/events/{name}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)

"""A program that appends, says so, and waits to be killed.

python dying_writer.py CONNINFO written      in the middle of its transaction
python dying_writer.py CONNINFO committed    after its commit, before anybody was told
"""

import sys
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.events.counting_runner import configure


def wait(word: str) -> None:
    print(word, flush=True)
    sys.stdin.read()


def main(conninfo: str, moment: str) -> None:
    configure(conninfo)
    from django.db import transaction

    from events import pulse
    from events.event import NewEvent
    from events.store import ANY, append

    with patch.object(pulse._Sender, "want", lambda *_: wait("committed")), transaction.atomic():
        append("test-dying", ANY, [NewEvent("test.done", {}) for _ in range(3)])
        if moment == "written":
            wait("written")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

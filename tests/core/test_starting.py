"""What every program has to load before it can do anything."""

import subprocess
import sys

# Each costs every worker, page server and command a tenth of its start, and few need it.
HEAVY = {
    "numpy",
    "PIL",
    "rich",
    "psutil",
    "imagecodecs",
    "rawpy",
    "av",
    "pyvips",
    "tensorflow",
    "tzfpy",
    "defusedxml",
}


def test_a_program_starts_without_what_few_programs_need() -> None:
    code = f"import sys, django; django.setup(); print(sorted({HEAVY} & sys.modules.keys()))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"

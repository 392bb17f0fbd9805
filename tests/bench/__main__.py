"""Runs the benchmarks: `python -m tests.bench [NAME]`; each bar prints one line."""

import importlib
import os
import pkgutil
import sys
from pathlib import Path

import tests.bench


def main() -> int:
    """Run every `bench_*` module whose name contains the given word; 1 when a bar is short."""
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    names = sorted(module.name for module in pkgutil.iter_modules(tests.bench.__path__))
    bars = []
    for name in names:
        if name.startswith("bench_") and only in name:
            print(f"# {name.removeprefix('bench_')}", flush=True)
            bars += importlib.import_module(f"tests.bench.{name}").run()
    print("\n".join(bar.line() for bar in bars))
    return 0 if all(bar.ok for bar in bars) else 1


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[2])
    sys.exit(main())

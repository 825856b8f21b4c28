"""Measures `psad data build` on made-up Ad logs: speed, memory, where time goes.

Run it on a machine with nothing else to do:

    python tools/measure_raw_logs.py --rows 1000000 5000000 10000000 --workers 2
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

RESULTS = Path("docs/results/raw_logs.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--protocol", default="paper")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parsed = parser.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in parsed.rows:
            raw = Path(folder, f"raw-{rows}")
            psad("data", "generate", "--dataset=ad", f"--rows={rows}", f"--out={raw}")
            runs.append(measure(raw, Path(folder, f"out-{rows}"), rows, parsed))
            print(json.dumps(runs[-1], indent=1))
    parsed.out.parent.mkdir(parents=True, exist_ok=True)
    found = {"machine": machine(), "runs": runs}
    parsed.out.write_text(json.dumps(found, indent=1) + "\n")


def psad(*words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "psad_tf.cli", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True)


def measure(raw: Path, out: Path, rows: int, parsed: argparse.Namespace) -> dict:
    """Builds once; the peak memory of each process of the build, by rank."""
    words = ["data", "build", "--dataset=ad", f"--raw={raw}", f"--out={out}"]
    words += [f"--workers={parsed.workers}", f"--protocol={parsed.protocol}"]
    begin, used = time.perf_counter(), processor_seconds()
    peaks = Peaks()
    with peaks:
        psad(*words)
    seconds = time.perf_counter() - begin
    summary = json.loads((out / "summary.json").read_text())
    return {
        "rows": rows,
        "protocol": parsed.protocol,
        "workers": parsed.workers,
        "seconds": round(seconds, 1),
        "rows_a_second": round(rows / seconds),
        "processor_seconds": round(processor_seconds() - used, 1),
        "peak_mib_of_processes": peaks.largest(parsed.workers + 1),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "processor_seconds_of_tasks": json.loads((out / "profile.json").read_text()),
        "lists": summary["lists"],
        "output_mib": round(
            sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) / 2**20, 1
        ),
    }


def processor_seconds() -> float:
    """Of all processes that this one has begun and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Peaks:
    """The highest resident memory of every process that this one has begun."""

    def __init__(self):
        self._mib: dict[int, int] = {}
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self):
        self._watcher.start()

    def __exit__(self, *_):
        self._done.set()
        self._watcher.join()

    def largest(self, count: int) -> list[int]:
        return sorted(self._mib.values(), reverse=True)[:count]

    def _watch(self) -> None:
        while not self._done.wait(0.5):
            for number in descendants(os.getpid()):
                try:
                    status = Path(f"/proc/{number}/status").read_text()
                except OSError:  # ended
                    continue
                for line in status.splitlines():
                    if line.startswith("VmHWM"):
                        self._mib[number] = int(line.split()[1]) // 1024


def descendants(root: int) -> list[int]:
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
    found, last = {root}, set()
    while found != last:
        last = set(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return sorted(found - {root})


def machine() -> dict:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()

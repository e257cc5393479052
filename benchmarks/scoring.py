"""Scoring PHQ-9 forms from memory, and a file of them by the command, each beside plain Python over the same forms.

Goals: 50,000 forms a second from memory and 20,000 rows a second by the command, on one core.
"""

import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import instruments
from benchmarks.figures import Figure

N_FORMS, N_ROWS, REPEATS = 50_000, 20_000, 3
CODES = [f"phq9_{number}" for number in range(1, 11)]


def measure() -> list[Figure]:
    """Milliseconds of one core for 50,000 forms and for 20,000 rows: the goal is 1,000 each."""
    forms = list(_forms(N_FORMS))
    return [_from_memory(forms), *_by_command(forms[:N_ROWS])]


def _cpu_ms(work: Callable[[], object]) -> float:
    """Median time of one core in milliseconds, child processes included: other work on the machine does not count."""
    times = []
    for _ in range(REPEATS):
        start = sum(os.times()[:4])
        work()
        times.append((sum(os.times()[:4]) - start) * 1000)
    return statistics.median(times)


def _forms(n: int) -> Iterator[dict[str, int]]:
    """Forms with one answer in thirty left out."""
    rng = random.Random(20260709)
    for _ in range(n):
        yield {code: rng.randint(0, 3) for code in CODES if rng.random() > 1 / 30}


def _from_memory(forms: list[dict[str, int]]) -> Figure:
    phq9 = instruments.get("phq9")
    scored = _cpu_ms(lambda: [instruments.score(phq9, form) for form in forms])
    added = _cpu_ms(lambda: [sum(form.get(code, 0) for code in CODES[:9]) for form in forms])
    return Figure(f"score {N_FORMS:,} PHQ-9 forms", scored, "plain addition", added, "ms")


def _by_command(forms: list[dict[str, int]]) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="hedgerow-bench-") as folder:
        lines, table = Path(folder) / "forms.jsonl", Path(folder) / "forms.csv"
        lines.write_text("".join(json.dumps(form) + "\n" for form in forms))
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, CODES)
            writer.writeheader()
            writer.writerows(forms)
        copied = _cpu_ms(lambda: [json.dumps(json.loads(line)) for line in lines.open()])
        for path in (lines, table):
            taken = _cpu_ms(lambda path=path: _run(path))  # type: ignore[misc]
            yield Figure(f"score {N_ROWS:,} rows of {path.suffix}", taken, "read and write JSON", copied, "ms")


def _run(path: Path) -> None:
    command = [sys.executable, "-m", "instruments", "score", "phq9", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

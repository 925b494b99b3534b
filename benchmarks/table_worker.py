"""A process that fits one program after the other: a task in JSON on each line of its input, a result on each of its
output. It is started by benchmarks/tables.py, in the environment of the programs, with one thread.

The seconds of a result are those of fitting, choosing and predicting the test rows; the CPU seconds are user and
system time of this process and of those that it started, all threads together. Starting Python and importing
libraries does not count: the first task of each program is done once before, on a few made-up rows.
"""

import json
import os
import resource
import sys
import time
from importlib import import_module
from typing import Any


def main() -> int:
    """Answers line by line."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    warmed: set[str] = set()
    for line in sys.stdin:
        task = json.loads(line)
        module = import_module(task["module"])
        if task["warm_up"] is not None and task["program"] not in warmed:
            module.prepare(task | task["warm_up"])()
            warmed.add(task["program"])
        answers.write(json.dumps(done(module, task)) + "\n")
        answers.flush()
    return 0


def done(module: Any, task: dict[str, Any]) -> dict[str, Any]:
    """The figures of a task."""
    work = module.prepare(task)
    cpu, wall = cpu_seconds(), time.perf_counter()
    figures = work()
    return {
        "figures": figures,
        "cpu_seconds": round(cpu_seconds() - cpu, 3),
        "wall_seconds": round(time.perf_counter() - wall, 3),
        "versions": module.versions(task["program"]),
    }


def cpu_seconds() -> float:
    """User and system time of this process and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    sys.exit(main())

"""How many training layouts a second are enumerated, held against memory and timed: ``make bench``.

In a process of its own, whose peak of resident memory is printed with the rate.
"""

import json
import subprocess
import sys

import pytest

pytest.importorskip("pytest_benchmark")

SEARCH = """
import json, resource, sys, time
import numpy as np
from planner.catalogue.profiles import Profiles, user_folders
from planner.search import estimate, layout_space, layouts
from planner.search.machines import USUAL_STACKS, Setting, machine

found = Profiles(user_folders(None))
device, system = found.device("nvidia-h100-sxm"), found.system("nvidia-h100-sxm-x8")
setting = [Setting(device, system, p, USUAL_STACKS["train"], quantised_cache=False) for p in ("bf16", "fp8")]
machines, _ = machine(setting, found.calibration)
codes = np.array([estimate.PRECISIONS.index(s.precision) for s in setting])
job = layout_space.Job(found.workload("llama-3.1-70b").architecture, 8192.0, 1024.0, every=True)
np.seterr(all="ignore")
start, tally, timed = time.perf_counter(), layouts.Tally(), 0
nodes = layout_space.Nodes(np.array([8.0, 8.0]), 2.0 ** np.arange(10), 4096.0)
grid = layout_space.usable(job, nodes, machines)
grid = grid.with_(precision=codes[grid.setting])
for rows in layout_space.chunks(job, grid, layout_space.choices(job), machines):
    timed += len(layouts.timed(job, rows, machines, tally))
    if tally.seen >= 1_000_000:
        break
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"layouts": tally.seen, "timed": timed, "seconds": seconds, "peak_bytes": peak}))
"""


def test_a_million_layouts(benchmark):
    def run():
        return json.loads(subprocess.run([sys.executable, "-c", SEARCH], capture_output=True, text=True, check=True).stdout)

    found = benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    rate = found["layouts"] / found["seconds"]
    benchmark.extra_info |= found | {"layouts_per_s": round(rate)}
    peak = found["peak_bytes"] / 1e6
    print(f"\n{found['layouts']:,} layouts, {found['timed']:,} of them timed: {rate:,.0f} a second, peak {peak:.0f} MB")
    assert found["layouts"] >= 1_000_000

"""How many serving configurations a second are searched, and how long all devices take: ``make bench``."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("pytest_benchmark")

SEARCH = """
import json, sys, time
from planner.catalogue.profiles import Profiles, user_folders
from planner.catalogue.subject import subject
from planner.schema.goals import Serve
from planner.search.deployments import best
from planner.search.serve import Asked

found = Profiles(user_folders(None))
about = subject(sys.argv[1], sys.argv[2], found)
goal = Serve(1000.0, 300.0, requests_per_second=20.0, ttft=1.0, tpot=0.04, max_batch=4096)
asked = Asked(about.workload.architecture, goal, 0.7)
best(asked, about, (), 1024, found.calibration)
start = time.perf_counter()
answer = best(asked, about, (), 1024, found.calibration)
print(json.dumps({"seen": answer.seen, "seconds": time.perf_counter() - start}))
"""
EVERYWHERE = """
import json, time
from pathlib import Path
from planner.catalogue.plan import gather, read_plan
from planner.catalogue.profiles import Profiles, user_folders
from planner.search.find import candidates

text = '''
title: t
workload: {model: llama-3.1-70b}
serve: {requests_per_second: 20, input_tokens: 1000, output_tokens: 300, ttft: 1 s, tpot: 50 ms}
'''
start = time.perf_counter()
plan, _ = read_plan(Path("plan.yaml"), text)
found = candidates(gather(plan, text, Path("plan.yaml"), Profiles(user_folders(None))))
print(json.dumps({"seen": len({c.device for c in found}), "seconds": time.perf_counter() - start}))
"""


def run(*command: str) -> dict[str, float]:
    found: dict[str, float] = json.loads(subprocess.run([sys.executable, "-c", *command], capture_output=True, check=True).stdout)
    return found


@pytest.mark.parametrize(("model", "system"), [("llama-3.3-70b", "nvidia-h100-sxm-x8"), ("deepseek-v3", "nvidia-b200-sxm-x8")])
def test_one_kind_of_device(benchmark, model: str, system: str) -> None:
    found = benchmark.pedantic(lambda: run(SEARCH, model, system), rounds=5, warmup_rounds=1)
    rate = found["seen"] / found["seconds"]
    benchmark.extra_info |= found | {"configurations_per_s": round(rate)}
    print(f"\n{model} on {system}: {found['seen']:,} configurations in {found['seconds']:.2f} s, {rate:,.0f} a second")
    assert found["seen"] > 10_000


def test_all_devices(benchmark) -> None:
    found = benchmark.pedantic(lambda: run(EVERYWHERE), rounds=5, warmup_rounds=1)
    print(f"\nllama-3.1-70b on {found['seen']} kinds of device, everything read: {found['seconds']:.2f} s")
    assert found["seen"] > 30

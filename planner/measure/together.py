"""Timing collectives: every rank runs the same number of times. Started by torchrun, or on one node by this module itself.

``torchrun --nnodes N --nproc-per-node M -m planner.measure.together FILE`` measures over many nodes; rank 0 writes FILE.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import distributed

from planner.measure.case import Case, suites
from planner.measure.environment import cores
from planner.measure.run import Event, target
from planner.measure.timing import Clock
from planner.schema.measurement import Cell, Operation, Tier

SAMPLES = 9
BYTES = 1 << 22  # moved a sample at least, so that a short message is timed many times over


def events(clock: Clock, tier: Tier) -> Iterator[Event]:
    """Cells of the collectives among this node's devices (two processes on a CPU), each in a process of torchrun's."""
    device = clock.device
    ranks = torch.cuda.device_count() if device.type == "cuda" else min(2, cores())
    if ranks < 2 or not distributed.is_available():
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "cells"
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}", "-m", __name__,
                   str(out), device.type, tier]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
        if done.returncode or not out.exists():
            yield "collective", (done.stderr.strip().splitlines() or ["torchrun ended without a word"])[-1][:200]
            return
        for line in out.read_text().splitlines():
            raw = json.loads(line)
            yield Cell(**{**raw, "operation": Operation(**raw["operation"])})


def timed(case: Case, device: torch.device) -> list[float]:
    """Seconds a run by sample, the slowest rank's."""
    run = case.make(device)
    inner = max(1, min(64, int(BYTES / case.operation.shape["message"])))
    samples = []
    for _ in range(SAMPLES + 2):
        distributed.barrier()
        _wait(device)
        start = time.perf_counter()
        for _ in range(inner):
            run()
        _wait(device)
        spent = torch.tensor([(time.perf_counter() - start) / inner], device=device)
        distributed.all_reduce(spent, op=distributed.ReduceOp.MAX)
        samples.append(float(spent))
    return samples[2:]


def main(path: str, kind: str = "", tier: Tier = "standard") -> None:
    """A rank's part."""
    kind = kind or ("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(kind, int(os.environ.get("LOCAL_RANK", "0"))) if kind == "cuda" else torch.device(kind)
    if kind == "cuda":
        torch.cuda.set_device(device)
    else:
        torch.set_num_threads(1)
    distributed.init_process_group("nccl" if kind == "cuda" else "gloo")
    cells = []
    for case in suites()["collective"].cases(tier, target(device, "")):
        samples = timed(case, device)
        low, middle, high = (float(q) for q in torch.tensor(samples).quantile(torch.tensor([0.25, 0.5, 0.75])))
        cells.append(Cell(case.operation, "hot", middle, low, high, min(samples), len(samples), 1))
    if distributed.get_rank() == 0:
        Path(path).write_text("".join(json.dumps(asdict(cell)) + "\n" for cell in cells))
    distributed.destroy_process_group()


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]

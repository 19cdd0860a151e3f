"""Whether the suites reach what the machine can: their triad beside a compiled one, their products beside plain torch's best."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from planner.errors import InputError
from planner.measure.case import LONG, suites
from planner.measure.run import Work, clock, target
from planner.measure.run import measure as run_cells
from planner.schema.measurement import Cell

ROUNDS = 3
MANY = 16  # cells of the suite among which its best is
ARRAY = 1 << 25  # floats of an array of the triad: 400 MB in all
SHAPES = (512, 768, 1024, 1536, 2048)


@dataclass(frozen=True)
class Peak:
    """What a suite reached and what it is held against, in ``unit``."""

    what: str
    suite: float
    other: float
    unit: str

    @property
    def share(self) -> float:
        """Of what there is to reach."""
        return self.suite / self.other


def peaks(device: torch.device, threads: int) -> list[Peak]:
    """The triad (CPU only) and the product of each dtype; the two sides take turns, so that a neighbour disturbs both."""
    torch.set_num_threads(threads)
    found = [_triad(threads)] if device.type == "cpu" else []
    return found + [_product(device, threads, dtype) for dtype in target(device, "").floats]


def _triad(threads: int) -> Peak:
    program = _compiled()
    case = next(c for c in suites()["memory"].cases("standard", target(torch.device("cpu"), ""))
                if c.operation.variant == "triad" and c.operation.shape["bytes"] > 3e8)  # fmt: skip
    run = case.make(torch.device("cpu"))
    moved = case.operation.read + case.operation.written
    env = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    ours, theirs = [], []
    for _ in range(ROUNDS):
        out = subprocess.run([str(program), str(ARRAY), "8"], capture_output=True, text=True, check=True, env=env).stdout
        theirs.append(12.0 * ARRAY / median(map(float, out.split()[1:])))
        ours.append(moved / median(_times(run, 8)))
    return Peak("DRAM triad, beside gcc -O3 -march=native -fopenmp", median(ours), median(theirs), "byte/s")


def _product(device: torch.device, threads: int, dtype: str) -> Peak:
    """The best cells of the matmul suite, beside the best square product that plain torch reaches over a scan of shapes."""
    cases = [c for c in suites()["matmul"].cases("standard", target(device, "")) if c.operation.dtype == dtype]
    largest = sorted(cases, key=lambda c: -min(c.operation.shape[x] for x in "mnk"))[:MANY]
    watch, scale = clock(device, threads, "standard"), 1 if device.type == "cpu" else 4
    ours, theirs = [], []
    for _ in range(ROUNDS):
        cells = [e for e in run_cells([Work(c, "hot") for c in largest], watch) if isinstance(e, Cell)]
        ours.append(max(c.operation.flop / c.median for c in cells))
        theirs.append(max(_square(n * scale, dtype, device) for n in SHAPES))
    return Peak(f"matmul {dtype}, beside the best a @ b", median(ours), median(theirs), "flop/s")


def _square(n: int, dtype: str, device: torch.device) -> float:
    """FLOP/s of a product of two square matrices."""
    a, b = (torch.randn(n, n, device=device).to(getattr(torch, LONG[dtype])) for _ in range(2))
    return 2.0 * n**3 / median(_times(lambda: a @ b, 7, device))


def _times(run: Callable[[], Any], count: int, device: torch.device | None = None) -> list[float]:
    times = []
    for _ in range(count + 1):
        if device is not None and device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        run()
        if device is not None and device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return times[1:]


def _compiled() -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise InputError("there is no C compiler to hold the triad against", hint="Install gcc.")
    out = Path(tempfile.mkdtemp()) / "triad"
    source = Path(__file__).with_name("triad.c")
    subprocess.run([compiler, "-O3", "-march=native", "-fopenmp", str(source), "-o", str(out)], check=True, capture_output=True)
    return out

"""A made-up Result with candidates of every kind; no name or figure in it is of a real product."""

import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from planner.decide.sensitivity import with_sensitivity
from planner.decide.uncertainty import with_odds
from planner.search.candidate import LOADS, Candidate, Cited, Drivers, Estimate, Operation, Point
from planner.search.life import LifeTable, Lived, Plain
from planner.search.result import SCHEMA_VERSION, Basis, Ownership, Result, Verdict, Way

# kind, device, memory in GB, throughput of one device, price of one device a month, evidence
DEVICES = [
    ("gpu", "Alder G2 96 GB", 96, 2900.0, 1450.0, "measured"),
    ("gpu", "Birch G3 192 GB", 192, 6400.0, 3900.0, "calibrated"),
    ("tpu", "Cedar T5 32 GB", 32, 1500.0, 980.0, "calibrated"),
    ("gpu", "Alder G1 48 GB", 48, 980.0, 690.0, "measured"),
    ("asic", "Elm A2 128 GB", 128, 3600.0, 2100.0, "datasheet"),
    ("cpu", "Fir C9 96-core", 768, 120.0, 410.0, "family"),
    ("fpga", "Gorse F7 16 GB", 16, 210.0, 520.0, "datasheet"),
]
TERMS = ("on_demand", "reserved_1y", "spot")
HOSTILE = [
    "<script>window.__xss=1</script>",
    '"><img src=x onerror=window.__xss=2>',
    "</script><script>window.__xss=3</script>",
    "{{7*7}} ${7*7} {%raw%}",
    "' onmouseover='window.__xss=4",
    "\u202egnp.evil\u202c \u2066x\u2069 \x00\x1b[31m\ud800 \u2028",
    '=HYPERLINK("http://example.test")',
    "<!--<script>",
    "|@everyone|`[x](javascript:alert(1))",
    "W" * 10_000,
]


def spread(value: float, evidence: str) -> Estimate:
    """An estimate as wide as its evidence is weak."""
    width = {"measured": 0.04, "calibrated": 0.12, "family": 0.25, "datasheet": 0.45}[evidence]
    return Estimate(value, value * (1 - width), value * (1 + width), evidence)


def candidate(index: int, demand: float = 6000.0) -> Candidate:
    """The ``index``-th candidate: enough devices for the demand, and rejected where memory or latency do not do."""
    kind, device, memory, speed, price, evidence = DEVICES[index % len(DEVICES)]
    term = TERMS[(index // len(DEVICES)) % len(TERMS)]
    discount = {"on_demand": 1.0, "reserved_1y": 0.63, "spot": 0.41}[term]
    step = index // (len(DEVICES) * len(TERMS))
    devices = 2 ** min(5, math.ceil(math.log2(demand / speed))) * (1 + step)
    throughput = spread(speed * devices * 0.97**step * (1.2 if index % 3 else 1.05), evidence)
    rent = price * devices * discount
    parts = {
        "rent": rent,
        "host": rent * 0.12,
        "storage": 60.0 + 4 * devices,
        "egress": 85.0,
        "support": rent * 0.05,
    }
    use = {"weights": 35.3e9, "kv_cache": 0.22e9 * memory, "activations": 2.1e9, "workspace": 1.4e9}
    tpot = devices / throughput.value * 62
    cost = sum(parts.values())
    return Candidate(
        **_names(device, devices, term, index),
        kind=kind,
        instances=max(1, devices // 4),
        devices=devices,
        precision="fp8" if kind == "gpu" else "bf16",
        layout={"tp": min(4, devices), "pp": 1, "dp": max(1, devices // 4), "batch": 64},
        throughput=throughput,
        latency={"ttft": spread(0.31 + tpot, evidence), "tpot": spread(tpot, evidence)},
        cost=spread(cost, "measured"),
        cost_parts=parts,
        unit_cost=spread(cost / (demand * 2.628), evidence),
        memory=use,
        memory_capacity=memory * 1e9,
        time={
            "matmul": tpot * (0.4 + 0.04 * (index % 5)),
            "attention": tpot * 0.2,
            "elementwise": tpot * 0.06,
            "communication": tpot * 0.05 * (index % 4),
            "overhead": tpot * 0.08,
        },
        bottleneck=["memory bandwidth", "compute", "communication"][index % 3],
        power=620.0 * devices,
        energy_per_unit=1.9e6 / (1 + index % 3),
        energy=620.0 * devices * 2.628e6,
        year=620.0 * devices * 31_536_000,
        carbon=None if index % 2 else 104.0 * devices,
        embodied=None if index % 3 else 6.1 * devices,
        mfu=0.34 if kind == "gpu" else 0.21,
        mbu=0.61,
        rejected=_rejected(use, memory, tpot, throughput.value, demand),
        cited=(
            Cited(f"{device}: memory bandwidth", "3.1 TB/s", f"https://example.test/{kind}.pdf", "2026-03-01", "dense"),
            Cited(f"{device}: price, {term}", f"{price * discount / 730:.2f} USD/h", "Example price list", "2026-11-02"),
        ),
        drivers=Drivers(
            100.0 * devices,
            520.0 * devices,
            regions={"north-1": price * discount, "south-2": price * discount * 1.1},
            price=price * discount,
            waits=tuple(0.31 + tpot + load / 10 for load in LOADS),
            longer={"rate": (1.4, 1.0, 0.6), "ttft": (0.6, 1.0, 1.9)},
        ),
        operations=(
            Operation("ffn up", "matmul", 4e12, 5e9, tpot * 0.4),
            Operation("attention", "attention", 2e11, 3e10, tpot * 0.2),
            Operation("norms", "elementwise", 0.0, 1e9, tpot * 0.06),
        ),
        peaks=(1e15, 3e12),
        curve=tuple(Point(b, throughput.value * b / (b + 16), tpot * (b + 16) / 80, b < 128) for b in (1, 4, 16, 64, 256)),
    )


def _names(device: str, devices: int, term: str, index: int) -> dict[str, Any]:
    stem = device.split(maxsplit=1)[0].lower()
    return {
        "label": f"{max(1, devices // 4)} × {stem}-{min(4, devices)}x, {term.replace('_', ' ')} ({index})",
        "provider": "Example Cloud" if index % 2 else "Sample Metal",
        "region": "north-1",
        "offer": f"{stem}-{min(4, devices)}x",
        "term": term,
        "system": f"{stem}-node",
        "system_name": f"{stem.capitalize()} node",
        "device": device.lower().replace(" ", "-"),
        "device_name": device,
    }


def _rejected(use: dict[str, float], memory: float, tpot: float, throughput: float, demand: float) -> str:
    reasons = []
    if sum(use.values()) > memory * 1e9:
        reasons.append(f"needs {sum(use.values()) / 1e9:.1f} GB on a device that has {memory} GB")
    if tpot > 0.05:
        reasons.append(f"TPOT {1000 * tpot:.0f} ms is over the 50 ms asked for")
    if throughput < demand:
        reasons.append(f"gives {throughput:,.0f} of the {demand:,.0f} output tokens/s needed")
    return "; ".join(reasons)


def sample(n: int = 12, feasible: bool = True, demand: float = 6000.0) -> Result:
    """A serving decision among ``n`` candidates; with ``feasible`` False none can be chosen."""
    found = [candidate(index, demand) for index in range(n)]
    if not feasible:
        found = [replace(c, rejected=c.rejected or "costs more than the 900 USD a month allowed") for c in found]
    found.sort(key=lambda c: (not c.feasible, c.cost.value))
    fitting = [c for c in found if c.feasible]
    front = [c.label for c in fitting if not any(_beats(other, c) for other in fitting)]
    made = Result(
        schema_version=SCHEMA_VERSION,
        title="Which hardware should serve willow-70b at 20 requests a second?",
        scenario="serving",
        goal="20 requests/s of 1,000 tokens in and 300 out, TTFT under 1 s, TPOT under 50 ms",
        workload="willow-70b",
        currency="USD",
        cost_period="month",
        throughput_unit="output tokens/s",
        work_unit="million output tokens",
        demand=demand,
        candidates=tuple(found),
        front=tuple(front),
        verdict=_verdict(fitting),
        assumptions=("Requests arrive evenly; queueing adds nothing.", "Half of each prompt's prefix is cached."),
        exclusions=("Staff, network lines and taxes.", "Time to deliver owned hardware."),
        accuracy=("Decode throughput: 9 % mean error over 214 published rows, 88 % inside the interval.",),
        oldest_price="2026-11-02",
        versions={"planner": "0.1.0", "catalogue": "2026-11-20"},
        hashes={"inputs": "3f1c9a0b77d2e4c85a1f", "catalogue": "99ab01cd22ef"},
        plan_text=PLAN,
        owner="Platform team",
        date="2026-11-24",
        status="draft",
        basis=BASIS,
        ownership=_ownership(fitting),
    )
    return with_sensitivity(with_odds(made, 500))


BASIS = Basis(
    moves=True, utilisation=0.9, electricity=0.12, horizon=9e7, context=1000.0, limits={"tpot": 0.05, "devices": 256.0},
    uncertainty={"traffic": 0.2, "utilisation": 0.1, "electricity": 0.2, "on_demand": 0.1, "reserved_1y": 0.05, "spot": 0.3},
    shared={"workload": 0.4, "device": 0.2},
)  # fmt: skip


def _ownership(fitting: list[Candidate]) -> Ownership | None:
    """The first three that fit, as if the second were bought."""
    if len(fitting) < 3:
        return None
    ways = []
    for index, c in enumerate(fitting[:3]):
        owned, month = index == 1, c.cost.value
        once, each = (20 * month, 0.2 * month) if owned else (0.0, month)
        ways.append(
            Way(
                c.label, "owned" if owned else c.term, c.provider, c.device_name, once, each, 0.0, once + 36 * each, 1.2,
                tuple(once + each * m for m in range(37)), tuple(month * (1 if owned else u / 20) for u in range(21)),
                {"hardware": once} if owned else {}, {"staff": each} if owned else {"rent": each},
                None if owned else 25 + index, None if owned else 0.4,
            )
        )  # fmt: skip
    return Ownership(tuple(ways), ways[1].label, 36, 0.08, 1.0, ("Over 3 years the first costs least.",))


PLAN = """\
title: Which hardware should serve willow-70b at 20 requests a second?
workload:
  model: willow-70b
  isl: 1000
  osl: 300
goal:
  requests: 20 requests/s
  ttft: 1 s
  tpot: 50 ms
allow:
  terms: [on_demand, reserved_1y, spot]
"""


def _beats(a: Candidate, b: Candidate) -> bool:
    better = a.cost.value <= b.cost.value and a.throughput.value >= b.throughput.value
    return better and (a.cost.value, a.throughput.value) != (b.cost.value, b.throughput.value)


def _verdict(fitting: list[Candidate]) -> Verdict:
    if not fitting:
        why = "Every option breaks at least one limit of the goal."
        return Verdict("", "", "Nothing fits: the nearest option costs four times the budget", why, "", (), ())
    first, second = fitting[0], fitting[1] if len(fitting) > 1 else None
    return Verdict(
        choice=first.label,
        runner_up=second.label if second else "",
        headline=f"Choose {first.label} at ${first.cost.value:,.0f} a month",
        why="It is the cheapest option that meets both latency limits, and it has a third of its capacity to spare.",
        gap=f"${second.cost.value - first.cost.value:,.0f} a month dearer, with more memory to spare" if second else "",
        flips=("Demand grows beyond 7,600 output tokens/s.", "The spot price rises by more than 28 %."),
        cautions=("Spot capacity can be withdrawn at two minutes' notice.",),
    )


def lived(n: int = 6) -> Result:
    """A lifetime among ``n`` models: the first the base, each next one dearer to make and cheaper to serve."""
    result = sample(n)
    queries = [10.0 ** (3 + i / 10) for i in range(41)]
    slopes = {c.label: (1e5 * (1 + i), 1.0 / (1 + i)) for i, c in enumerate(result.candidates)}
    rows = tuple(
        Lived(
            label, ("base", "size", "quantised", "pruned", "distilled")[min(i, 4)], 8e9 / (1 + i), 1e12 * (1 + i), "bf16",
            {"training": made, "conversion": 0.3} if i == 2 else {"training": made}, "4 × alder-4x", "2 × birch-4x", 1e6 * slope,
            made + 24e6 * slope, "from" if i else "", 2e5 * i if i else math.nan, 1.0 if i < 4 else math.nan, ("Same loss",),
            "keeps 93 % of a published score" if i == n - 1 else "",
        )
        for i, (label, (made, slope)) in enumerate(slopes.items())
    )  # fmt: skip
    curves = {label: tuple(made + slope * q if q < 5e6 else math.inf for q in queries) for label, (made, slope) in slopes.items()}
    ladder = tuple((1e3 * 10**i, label) for i, label in enumerate(list(slopes)[:3]))
    base = rows[0].label if rows else ""
    table = LifeTable(base, 24.0, 1e6, 2.07, "Somebody", rows, tuple(queries), curves, ladder, Plain(7e9, 1e12, 2e10, 4e11, 0.4))
    return replace(result, scenario="lifetime", cost_period="lifetime", work_unit="million queries", life=table)


def hostile(result: Result, text: str) -> Result:
    """``result`` with ``text`` in front of every text it holds, but the names records are joined by stay joined."""
    done: Result = _poison(result, text)
    return replace(done, currency=result.currency)


def _poison(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return text + value
    if isinstance(value, tuple):
        return tuple(_poison(item, text) for item in value)
    if isinstance(value, dict):
        return {text + key: _poison(item, text) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _poison(getattr(value, f.name), text) for f in fields(value)}
        if isinstance(value, Candidate) and value.feasible:
            changed["rejected"] = ""
        if isinstance(value, Estimate):
            changed["evidence"] = value.evidence
        return replace(value, **changed)
    return value


@pytest.fixture
def make() -> Callable[..., Result]:
    """The function ``sample``."""
    return sample


@pytest.fixture(params=HOSTILE, ids=lambda text: repr(text[:16]))
def poison(request: pytest.FixtureRequest) -> str:
    """A text that would do harm if it were not escaped."""
    return str(request.param)


@pytest.fixture
def poisoned(poison: str) -> Result:
    """A Result with the harmful text everywhere."""
    return hostile(sample(7), poison)

"""Made-up devices, systems, offers, workloads and plans: no figure in them is of a real product."""

from dataclasses import replace
from datetime import date
from typing import Any

from planner import units
from planner.schema.coefficients import Calibration, Intervals
from planner.schema.goals import Capacity, Infer, Serve, Train
from planner.schema.hardware import Device, Host, Link, Memory, Offer, Prices, Provider, System, Tier
from planner.schema.inputs import Inputs, Subject
from planner.schema.money import Grid, ServiceList
from planner.schema.plan import Economics, Hardware, Model, Plan
from planner.schema.quantity import Figure, Price
from planner.schema.workload import Architecture, Network, Workload

SOURCES = {"made": "made up"}
LANGUAGE = Workload(
    "tiny-lm", "Tiny LM, 1.3 billion", SOURCES, Architecture(
        hidden_size=2048, num_layers=24, num_heads=16, num_kv_heads=16, head_dim=128, ffn_size=5632, vocab_size=32000,
        max_context=8192,
    ),
)  # fmt: skip
VISION = Workload(
    "tiny-cnn", "Tiny CNN", SOURCES, network=Network(Figure(25e6, "made"), Figure(4e9, "made"), Figure(11e6, "made"))
)
SERVE = Serve(requests_per_second=20.0, input_tokens=500.0, output_tokens=100.0)
TRAIN = Train(tokens=1e9, sequence_length=2048.0, global_batch=64.0)
INFER = Infer(samples_per_second=5000.0)


def figure(value: float) -> Figure:
    return Figure(value, "made")


def device(
    id: str = "alder", speed: float = 1.0, *, dtypes: tuple[str, ...] = ("bf16", "fp16", "fp8", "int8"), **more: Any
) -> Device:
    """100 TFLOP/s (twice that in eight bits), 1 TB/s, 48 GB, 100 to 300 W, all but the power times ``speed``."""
    peak = {d: figure(speed * (200e12 if d in ("fp8", "int8") else 100e12)) for d in dtypes}
    given = {
        "id": id, "name": id.title(), "vendor": "made", "kind": "gpu", "family": "made-up", "sources": SOURCES, "peak": peak,
        "memory": (Memory("main", "HBM", figure(48e9 * speed), figure(1e12 * speed)),),
        "tdp": figure(300.0), "idle_power": figure(100.0), "links": (Link("made", figure(1e11)),),
    }  # fmt: skip
    return Device(**{**given, **more})


def system(of: str = "alder", devices: int = 8, *, speed: float = 1.0, joined: bool = True, **more: Any) -> System:
    """A node whose devices are joined at 100 GB/s, and nodes at 10 GB/s a device."""
    up = Tier("scale_up", "made", "switch", devices, figure(1e11 * speed))
    out = Tier("scale_out", "made", "ethernet", 4096, figure(1e10 * speed))
    given = {"id": f"{of}-x{devices}", "name": f"{devices} {of}", "device": of, "devices": devices, "sources": SOURCES}
    return System(**{**given, "tiers": (up, out) if joined else (), "host": Host(), **more})


def price(amount: float, currency: str = "USD") -> Price:
    return Price((amount, currency), date(2026, 1, 2), "made")


def offer(
    id: str, of: str, *, region: str = "here", devices: int | None = None, needs_host: bool = False, **prices: float
) -> Offer:
    return Offer(id, of, Prices(**{term: price(amount) for term, amount in prices.items()}), region, devices, needs_host)


def provider(*offers: Offer, id: str = "shop") -> Provider:
    return Provider(id, id.title(), SOURCES, offers)


def fleet(speed: float = 1.0) -> tuple[list[Device], list[System], Provider]:
    """Three devices: alder at 2, birch (twice as fast) at 3, and cedar (a quarter) at 0.7 an hour a device."""
    devices = [device("alder", speed), device("birch", 2 * speed), device("cedar", speed / 4)]
    systems = [system(d.id) for d in devices]
    offers = [
        offer("alder.1", "alder-x8", devices=1, on_demand=2.0, spot=1.0), offer("alder.8", "alder-x8", on_demand=16.0),
        offer("birch.1", "birch-x8", devices=1, on_demand=3.0), offer("birch.8", "birch-x8", on_demand=24.0, owned=300_000.0),
        offer("cedar.1", "cedar-x8", devices=1, on_demand=0.7), offer("cedar.8", "cedar-x8", on_demand=5.6, owned=40_000.0),
    ]  # fmt: skip
    return devices, systems, provider(*offers)


def inputs(
    goal: Serve | Train | Infer | Capacity = SERVE, *, devices: list[Device] | None = None, systems: list[System] | None = None,
    providers: tuple[Provider, ...] | None = None, workload: Workload | None = None, precision: tuple[str, ...] = (),
    hardware: dict[str, Any] | None = None, economics: dict[str, Any] | None = None,
    calibrations: dict[str, Calibration] | None = None, services: dict[str, ServiceList] | None = None,
    grids: dict[str, Grid] | None = None, **blocks: Any,
) -> Inputs:  # fmt: skip
    """A whole question: ``goal`` asked of the fleet unless other records are given; blocks are rent, own and fleet."""
    scenario = type(goal).__name__.lower()
    workload = workload or (VISION if scenario == "infer" else LANGUAGE)
    plan = Plan(
        "test", Model(workload.id, precision), hardware=Hardware(**(hardware or {})), economics=Economics(**(economics or {})),  # type: ignore[arg-type]
    )  # fmt: skip
    plan = replace(plan, **{scenario: goal}, **blocks)
    made = fleet()
    return Inputs(
        plan, workload, {s.id: s for s in systems or made[1]}, {d.id: d for d in devices or made[0]}, providers or (made[2],),
        calibrations or {}, Intervals("made up", {"inference": {"datasheet": 0.5}, "training": {"datasheet": 0.3}}),
        services=services or {}, grids=grids or {},
    )  # fmt: skip


GOALS: dict[str, Serve | Train | Infer] = {"serve": SERVE, "train": TRAIN, "infer": INFER}
HOURS = units.MONTH / units.HOUR


def subject(scenario: str) -> Subject:
    """The records of one device, alder."""
    _, _, shop = fleet()
    return Subject(
        VISION if scenario == "infer" else LANGUAGE, device(), system(), (shop,), Intervals("made up", {}), alike={"alder-x8": 8}
    )

"""What each technique saves on each device, alone and together."""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.schema.technique import Variant
from planner.search.candidate import Candidate
from planner.search.find import candidates
from planner.search.options import Tick


@dataclass(frozen=True)
class Cell:
    """The cheapest way on one device: its cost, NaN with ``why`` where there is none, and the share saved of the base's."""

    cost: float
    saves: float
    label: str
    devices: int
    why: str


@dataclass(frozen=True)
class Row:
    """A technique with a cell a device, in the order of ``Comparison.devices``."""

    id: str
    name: str
    caution: str
    source: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Comparison:
    """Devices by what they cost at best, cheapest first, and the base and every technique on each."""

    currency: str
    period: str
    devices: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[Row, ...]


def compare(variants: Sequence[Variant], tick: Tick) -> Comparison:
    """Search once a variant. The first is the base; devices that no variant can use are left out."""
    found = []
    for done, variant in enumerate(variants):
        found.append(_best(candidates(variant.inputs)))
        tick(done + 1, len(variants))
    least: dict[str, float] = {}
    for best in found:
        for id, c in best.items():
            if c.feasible:
                least[id] = min(least.get(id, c.cost.value), c.cost.value)
    devices = sorted(least, key=lambda id: (least[id], id))
    base = found[0]
    names = {id: c.device_name for best in found for id, c in best.items()}
    rows = [
        Row(v.id, v.name, v.caution, v.source, tuple(_cell(best.get(id), base.get(id), v.reverse) for id in devices))
        for v, best in zip(variants, found, strict=True)
    ]
    plan = variants[0].inputs.plan
    period = "run" if plan.ends else "month"
    return Comparison(plan.economics.currency, period, tuple(devices), tuple(names[id] for id in devices), tuple(rows))


def _best(found: Sequence[Candidate]) -> dict[str, Candidate]:
    """The first candidate of each device: they are ranked."""
    best: dict[str, Candidate] = {}
    for c in found:
        best.setdefault(c.device, c)
    return best


def _cell(c: Candidate | None, base: Candidate | None, reverse: bool) -> Cell:
    nan = float("nan")
    if c is None or not c.feasible:
        return Cell(nan, nan, "", 0, c.rejected if c else "no offer")
    if base is None or not base.feasible:
        return Cell(c.cost.value, nan, c.label, c.devices, "")
    ratio = base.cost.value / c.cost.value if reverse else c.cost.value / base.cost.value
    return Cell(c.cost.value, 1 - ratio, c.label, c.devices, "")

"""What the money takes for granted and leaves out, in words: only what the plan gave is in the sums."""

from collections.abc import Iterator, Sequence

from planner import units
from planner.schema.inputs import Inputs
from planner.schema.plan import ASSUMED_ELECTRICITY, Plan
from planner.search.candidate import Candidate

WORK = {
    "serve": "Redundancy beyond the headroom.",
    "infer": "Reading, decoding and resizing of inputs.",
    "train": "Failed experiments.",
    "capacity": "What the devices do: their speed plays no part in this comparison.",
}


def money_assumptions(inputs: Inputs) -> Iterator[str]:
    """One sentence for each thing that the sums of rent, ownership and energy rest on."""
    plan, e = inputs.plan, inputs.plan.economics
    worth = f"{100 * plan.own.residual:g} % of their price" if plan.own.residual else "nothing"
    yield (
        f"Owned machines are written off to {worth} over {units.duration(e.horizon)} in equal parts; "
        f"electricity costs {e.electricity[0]:g} {e.electricity[1]}/kWh at a PUE of {e.pue:g}{_grid(inputs)}."
    )
    if e.cost_of_capital:
        yield f"Money costs {100 * e.cost_of_capital:g} % a year; later money is discounted by the same."
    if e.busy < 1 and (plan.ends or plan.capacity):
        yield f"Owned and committed machines have work {100 * e.busy:.0f} % of the time and are paid for all of it."
    yield "Prices stay as they are over the horizon, and commitments are renewed at the same price."
    drawn = "board power" if e.derate is None else f"{100 * e.derate:g} % of board power"
    drawn = drawn if e.device_power is None else f"{units.show(e.device_power, 'watt')}, measured"
    yield f"Power is between idle and {drawn} in proportion to load, and {drawn} where idle power is not published."
    yield from _rented(plan)
    for code, rate in e.rates.items():
        yield f"1 {code} is {rate.amount:g} {rate.currency} ({rate.date.isoformat()}, {rate.source})."


def _grid(inputs: Inputs) -> str:
    e, grid = inputs.plan.economics, inputs.grids.get("")
    if e.electricity is ASSUMED_ELECTRICITY:
        return " (assumed: economics.electricity or economics.region would give yours)"
    if grid and grid.electricity and e.region:
        return f" ({grid.name}: {grid.electricity.source}, {grid.electricity.note or grid.electricity.date.isoformat()})"
    return ""


def _rented(plan: Plan) -> Iterator[str]:
    rent = plan.rent
    if rent.spot and "spot" in plan.hardware.terms:
        lost = rent.spot.checkpoint_interval if not plan.train else None
        again = f", and half of {units.duration(lost)} of work is done again" if lost else ""
        often, pause = units.duration(rent.spot.mtbf), units.duration(rent.spot.restart)
        yield f"A spot instance is taken away every {often}; {pause} pass until it works again{again}."
    if rent.autoscale:
        yield "Instances on demand and on spot follow the traffic of the day hour by hour; all others run day and night."
    if rent.discounts:
        off = ", ".join(f"{100 * share:g} % {term.replace('_', ' ')}" for term, share in rent.discounts.items())
        yield f"Off the list prices: {off}."


def exclusions(inputs: Inputs, found: Sequence[Candidate]) -> tuple[str, ...]:
    """What the sums are without: what the plan gives no figure for, and services that nobody published a price of."""
    plan, rent, own = inputs.plan, inputs.plan.rent, inputs.plan.own
    rented = {
        "storage": rent.object or rent.block, "data transfer": rent.egress or rent.between_zones or rent.between_regions,
        "support": rent.support, "tax": rent.tax,
    }  # fmt: skip
    owned = {
        "staff": own.staff, "space": own.space or own.colocation, "network": own.network, "spares": own.spares,
        "maintenance": own.maintenance,
    }  # fmt: skip
    said = []
    for what, parts in (("Of renting", rented), ("Of owning", owned if "owned" in plan.hardware.terms else {})):
        absent = [name for name, given in parts.items() if not given]
        if absent:
            said.append(f"{what}, for the plan gives no figures: {', '.join(absent)}.")
    without: dict[tuple[str, ...], set[str]] = {}
    for c in found:
        if c.unpriced:
            without.setdefault(c.unpriced, set()).add(c.provider)
    said += [f"{', '.join(names)} at {', '.join(sorted(who))}: no price is known." for names, who in without.items()]
    if "owned" in plan.hardware.terms and plan.economics.host_price is None:
        said.append("The hosts of cards that are sold alone, and so those cards.")
    if plan.train and plan.train.samples and not plan.train.loading:
        said.append("Waiting for samples: train.sample_size and train.loading would count it.")
    return (*said, WORK[plan.scenario])

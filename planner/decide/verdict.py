"""The answer in words: which one, why, what comes second, and what would change it."""

from planner import units
from planner.schema.hardware import IN_MODE, own_id
from planner.schema.inputs import Inputs
from planner.schema.plan import Plan
from planner.search.candidate import Candidate
from planner.search.find import demand
from planner.search.result import Verdict

NETWORK = ("samples/s", "million samples")
UNITS = {
    "serve": ("output tokens/s", "million output tokens"),
    "train": ("tokens/s", "million tokens"),
    "infer": NETWORK,
    "capacity": ("devices", "device hour of use"),
}


def units_of(plan: Plan) -> tuple[str, str]:
    """What a plan's throughput is counted in, and the amount of work that its unit cost is for."""
    return NETWORK if plan.train and plan.train.samples else UNITS[plan.scenario]


def verdict(inputs: Inputs, found: list[Candidate]) -> Verdict:
    """From candidates ranked by cost; where none is feasible, what comes nearest and what stands in its way."""
    able = [c for c in found if c.feasible]
    if not able:
        return _nothing(found)
    choice = able[0]
    second = next((c for c in able if c.device != choice.device), None) or next(iter(able[1:]), None)
    period = "for the run" if inputs.plan.ends else "a month"
    price = units.money(choice.cost.value, inputs.plan.economics.currency)
    headline = f"Choose {choice.label} ({choice.devices} × {choice.device_name}) at {price} {period}"
    return Verdict(
        choice.label, second.label if second else "", headline, _why(inputs, choice, able), _gap(inputs, choice, second),
        _flips(inputs, choice, second), (*_cautions(inputs, choice), *_frugal(inputs, able)),
    )  # fmt: skip


def _nothing(found: list[Candidate]) -> Verdict:
    nearest = found[0] if found else None
    why = (
        f"Nearest is {nearest.label} on {nearest.device_name}: {nearest.rejected}."
        if nearest
        else "There is no candidate at all."
    )
    flips = ("Relax the limit named above, allow more devices, or a lower precision.",)
    return Verdict("", "", "Nothing fits: no offer can do this as the plan asks", why, "", flips, ())


def _why(inputs: Inputs, choice: Candidate, able: list[Candidate]) -> str:
    _, unit = units_of(inputs.plan)
    each = units.money(choice.unit_cost.value, inputs.plan.economics.currency)
    kept = [
        f"{name.upper() if name in ('ttft', 'tpot') else name} {units.duration(e.value)}" for name, e in choice.latency.items()
    ]
    if inputs.plan.capacity:
        return f"It is the cheapest of {len(able)} offers: {each} a {unit}."
    return (
        f"It is the cheapest of {len(able)} offers that can do it: {each} a {unit}, {' and '.join(kept)}. "
        f"Its steps are bound by {choice.bottleneck}, in {choice.precision}."
    )


def _gap(inputs: Inputs, choice: Candidate, second: Candidate | None) -> str:
    if second is None:
        return "No other offer can do it."
    more = second.cost.value - choice.cost.value
    if not choice.cost.value:
        return f"{units.money(more, inputs.plan.economics.currency)} more"
    share = more / choice.cost.value
    return f"{units.money(more, inputs.plan.economics.currency)} more ({100 * share:.0f} %)"


def _flips(inputs: Inputs, choice: Candidate, second: Candidate | None) -> tuple[str, ...]:
    """Conditions that turn the order, from the two costs and from how full the choice's instances are."""
    said = []
    if second is not None:
        cheaper = 1 - choice.cost.value / second.cost.value
        slower = choice.cost.value / second.cost.value
        said.append(f"{second.label} wins if its price falls by more than {100 * cheaper:.0f} %.")
        if inputs.plan.ends:
            said.append(
                f"It wins too if {choice.device_name} reaches less than {100 * slower:.0f} % of its estimated throughput."
            )
    if not inputs.plan.ends and not inputs.plan.capacity:
        needed = demand(inputs) / inputs.plan.economics.utilisation
        kept = inputs.plan.serve.spare if inputs.plan.serve else 0
        spare = 1 - needed / (choice.throughput.value * (1 - kept / choice.instances))
        more = choice.cost.value * (choice.instances + 1) / choice.instances
        beaten = f", and {second.label} becomes cheaper" if second is not None and more > second.cost.value else ""
        said.append(
            f"If throughput falls short of the estimate by more than {100 * spare:.0f} %, one more instance is needed{beaten}."
        )
    return tuple(said)


def _frugal(inputs: Inputs, able: list[Candidate]) -> tuple[str, ...]:
    """For each device in more than one power mode: which mode costs least, and which takes the least energy."""
    modes: dict[str, list[Candidate]] = {}
    for c in able:
        if IN_MODE in c.device:
            modes.setdefault(own_id(c.device), []).append(c)
    return tuple(_best_mode(inputs, of) for of in modes.values() if len({c.device for c in of}) > 1)


def _best_mode(inputs: Inputs, of: list[Candidate]) -> str:
    cheapest, frugal = of[0], min(of, key=lambda c: c.energy_per_unit)
    (_, unit), currency = units_of(inputs.plan), inputs.plan.economics.currency
    most, least = (units.show(c.energy_per_unit, "joule") for c in (cheapest, frugal))
    said = f"{cheapest.device_name} costs least of its power modes ({units.money(cheapest.cost.value, currency)})"
    if frugal.device == cheapest.device:
        return f"{said} and takes the least energy: {least} a {unit}."
    price = units.money(frugal.cost.value, currency)
    return f"{said}; {frugal.device_name} takes the least energy: {least} a {unit} against {most}, at {price}."


def _cautions(inputs: Inputs, choice: Candidate) -> tuple[str, ...]:
    said = []
    if choice.throughput.evidence == "datasheet":
        said.append(
            f"{choice.device_name} was never measured: its figures rest on the datasheet "
            "and on its kind's usual efficiency alone."
        )
    elif choice.throughput.evidence == "family":
        said.append(f"{choice.device_name} was not measured itself: its figures are scaled from measured devices of its family.")
    if choice.term == "owned" and inputs.plan.ends:
        said.append(
            "An owned machine is charged for the hours of this run alone: it must have other work for the rest of its life."
        )
    if choice.term in ("reserved_1y", "reserved_3y") and inputs.plan.ends:
        said.append(
            "A committed machine is charged for the hours of this run alone: it must have other work for the rest of its term."
        )
    if choice.term == "spot":
        priced = "their time is priced in" if inputs.plan.rent.spot else "interruptions are not priced in (rent.spot would)"
        said.append(f"Spot capacity can be taken back at any time; {priced}.")
    if choice.unpriced:
        said.append(f"No price is known at {choice.provider} of {', '.join(choice.unpriced)}: the cost is without.")
    if choice.precision in ("fp8", "fp4", "int8", "w4a16"):
        said.append(f"It computes in {choice.precision}: check the model's quality in that precision.")
    return tuple(said)

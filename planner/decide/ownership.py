"""Renting against owning over the horizon: present value, cost of an hour of use, and when owning has paid."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planner import units
from planner.model import cost
from planner.model.columns import Array
from planner.schema.inputs import Inputs
from planner.schema.plan import Plan
from planner.search.candidate import Candidate
from planner.search.money import USES
from planner.search.result import Ownership, Way

SHOWN = 8
TERMS = {
    "on_demand": "on demand", "spot": "on spot", "reserved_1y": "with a 1-year commitment",
    "reserved_3y": "with a 3-year commitment", "owned": "owned",
}  # fmt: skip


def ownership(inputs: Inputs, found: Sequence[Candidate]) -> Ownership | None:
    """The best candidate of every term and provider over the horizon; None where there is only one way."""
    plan = inputs.plan
    able = [c for c in found if c.feasible and c.by_use and np.isfinite(c.cost.value)]
    best: dict[tuple[str, str], Candidate] = {}
    for c in able:  # they come ranked, so the first is the cheapest
        best.setdefault((c.term, c.provider), c)
    if len({c.term for c in best.values()}) < 2:
        return None
    chosen = _few(list(best.values()))
    ways = _ways(plan, chosen)
    owned = next((w for w in ways if w.term == "owned"), None)
    if owned:
        ways = [w if w.term == "owned" else _against(w, owned) for w in ways]
    e = plan.economics
    busy = e.busy if plan.capacity or plan.ends else 1.0
    months = int(e.horizon / units.MONTH + 1e-9)
    return Ownership(tuple(ways), owned.label if owned else "", months, e.cost_of_capital, busy, _said(plan, ways, owned))


def _few(best: list[Candidate]) -> list[Candidate]:
    """The cheapest of each term first, then the next cheapest of all, as many as are shown."""
    firsts = list({c.term: c for c in reversed(best)}.values())
    rest = [c for c in best if c not in firsts]
    return [*firsts, *rest[: max(0, SHOWN - len(firsts))]]


def _ways(plan: Plan, chosen: Sequence[Candidate]) -> list[Way]:
    """Every way with its figures, the cheapest over the horizon first."""
    e = plan.economics
    rate, life = cost.monthly_rate(e.cost_of_capital), e.horizon / units.MONTH
    lead = plan.own.lead_time / units.MONTH
    owned = np.array([c.term == "owned" for c in chosen])
    upfront, monthly = (
        np.array([sum(d.values()) for d in ds]) for ds in zip(*((c.upfront, c.monthly) for c in chosen), strict=True)
    )
    resale = np.array([c.resale for c in chosen])
    bridge = np.where(owned, _bridge(chosen, monthly), monthly)
    wait = np.where(owned, lead, 0.0)
    ends = np.append(np.arange(int(life + 1e-9) + 1), [life])
    spent = _spent(upfront, bridge, monthly, wait, rate, ends)
    npv = spent[:, -1] - resale * (1 + rate) ** -life
    busy = e.busy if plan.capacity or plan.ends else 1.0
    hours = np.array([c.devices for c in chosen]) * cost.MONTH_HOURS * busy * cost.present(rate, life)
    ways = [
        Way(
            c.label, c.term, c.provider, c.device_name, float(upfront[i]), float(monthly[i]), c.resale, float(npv[i]),
            float(npv[i] / hours[i]), tuple(spent[i, :-1].tolist()), c.by_use, c.upfront, c.monthly,
        )
        for i, c in enumerate(chosen)
    ]  # fmt: skip
    return sorted(ways, key=lambda w: (w.npv, w.label))


def _bridge(chosen: Sequence[Candidate], monthly: Array) -> float:
    """Money a month of the cheapest way that needs no commitment: on demand, or else on spot; nothing where there is none."""
    rents = {c.term: m for m, c in sorted(zip(monthly.tolist(), chosen, strict=True), key=lambda x: -x[0])}
    return float(rents.get("on_demand", rents.get("spot", 0.0)))


def _spent(upfront: Array, bridge: Array, monthly: Array, wait: Array, rate: float, ends: Array) -> Array:
    """Discounted money that each way has taken by the end of each month (W, M): ``bridge`` until the machines are there."""
    first = cost.present(rate, np.minimum(wait[:, None], ends))
    later = cost.present(rate, np.broadcast_to(ends, first.shape)) - first
    return np.asarray(upfront[:, None] + bridge[:, None] * first + monthly[:, None] * later)


def _against(way: Way, owned: Way) -> Way:
    """A rented way with when, and from how much use on, the owned one costs less."""
    paid = np.flatnonzero(np.array(way.cumulative) >= np.array(owned.cumulative))
    month = int(paid[0]) if paid.size else None
    use = crossing(USES, np.array(way.by_use) - np.array(owned.by_use))
    return replace(way, break_even_month=month, break_even_use=use)


def crossing(x: Array, gap: Array) -> float | None:
    """The least x from which on ``gap`` stays at least zero, by straight lines between points; None where it ends below."""
    if gap[-1] < 0:
        return None
    below = np.flatnonzero(gap < 0)
    if not below.size:
        return float(x[0])
    i = int(below[-1])
    return float(x[i] + (x[i + 1] - x[i]) * -gap[i] / (gap[i + 1] - gap[i]))


def _said(plan: Plan, ways: Sequence[Way], owned: Way | None) -> tuple[str, ...]:
    e = plan.economics
    best = ways[0]
    said = [f"Over {units.duration(e.horizon)} {best.label} costs least: {units.money(best.npv, e.currency)} in today's money."]
    if owned is None:
        return (*said, "Nothing that can be bought does it, so there is no break-even.")
    if owned is not best:
        more, all_of_it = units.money(owned.npv - best.npv, e.currency), units.money(owned.npv, e.currency)
        said.append(f"Owning costs {more} more: {all_of_it}.")
    cheapest = {w.term: w for w in reversed(ways) if w.term != "owned"}
    for way in sorted(cheapest.values(), key=lambda w: list(TERMS).index(w.term)):
        said.append(f"Against renting {TERMS[way.term]} ({way.label}, {units.money(way.npv, e.currency)}): {_when(way)}.")
    if plan.ends:
        said.insert(0, f"As if such runs followed one another, {100 * e.busy:.0f} % of the time.")
    if plan.own.lead_time:
        wait = f"{units.plainly(plan.own.lead_time / units.MONTH)} months"
        said.append(f"For the {wait} until owned machines arrive, the cheapest way that needs no commitment is rented.")
    return tuple(said)


def _when(way: Way) -> str:
    month, use = way.break_even_month, way.break_even_use
    when = "owning never catches up" if month is None else f"owning has cost less from month {month} on"
    if use is None:
        return f"{when}, and costs more a month at any use"
    if use == 0:
        return f"{when}, and costs less a month however little is used"
    return f"{when}, and costs less a month where there is work for over {100 * use:.0f} % of the time"

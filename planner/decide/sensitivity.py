"""What moves the answer: one input at a time, each over the range that nine of ten of its values should lie in.

Swings are for a tornado, breaks are cost curves of the best candidates with the values at which the cheapest changes, regrets
are what a few choices lose where one input is at its end. Layouts stay as they were chosen.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from planner import units
from planner.decide.inputs import FULLEST, INPUTS, Input, named
from planner.decide.levers import Levers, Settings, evaluate, levers
from planner.model.columns import Array
from planner.search.result import Break, Regret, Result, Swing

CURVES, CHOICES, STATES = 5, 4, 6
"""Candidates whose cost is drawn over an input; choices and states of the table of regrets."""
GRID, COARSE, FINE = 97, 2, 12
"""Values of an input that break-evens are looked for at; a curve keeps one in COARSE of them."""
LENGTHS = (0.5, 2.0)
FLIPS = 2


@dataclass(frozen=True)
class _Ends:
    """Costs and limits where an input is at its low and its high end, each (N, 2)."""

    swing: Swing
    cost: Array
    keeps: Array


def with_sensitivity(result: Result) -> Result:
    """``result`` with swings, breaks, regrets, and the likeliest flips first in its verdict; unchanged where nothing fits."""
    lv = levers(result, 100)
    if result.verdict.choice not in lv.labels:
        return result
    able = [one for one in INPUTS if one.applies(result, lv)]
    ends = [end for end in (*(_ends(result, lv, one) for one in able), _lengths(result, lv)) if end and _moves(result, end.swing)]
    ends.sort(key=lambda end: -_size(result, end.swing))
    breaks = [(one, _break(result, lv, one)) for one in able]
    kept = tuple(b for _, b in breaks if b)
    found = flips(result, [(one, b) for one, b in breaks if b])[:FLIPS]
    verdict = replace(result.verdict, flips=tuple(dict.fromkeys((*found, *result.verdict.flips))))
    return replace(
        result, swings=tuple(end.swing for end in ends), breaks=kept, regrets=_regrets(result, lv, ends), verdict=verdict
    )  # fmt: skip


def _ends(result: Result, lv: Levers, one: Input) -> _Ends | None:
    width = one.width(result)
    if width <= 0:
        return None
    factors = np.exp([-width, width])
    cost, keeps = evaluate(lv, one.at(result, lv, factors))
    low, high = (one.spoken(result, float(f)) for f in factors)
    return _swung(result, lv, (one.name, one.label, low, high), cost, keeps)


def _lengths(result: Result, lv: Levers) -> _Ends | None:
    """The length of context: not a column of settings, as layouts were timed at a few lengths only."""
    if result.basis.context <= 0 or not np.isfinite(lv.longer["rate"]).any():
        return None
    both = [evaluate(lv, Settings(context=factor)) for factor in LENGTHS]
    cost, keeps = (np.concatenate([np.broadcast_to(end[k], (len(lv), 1)) for end in both], axis=1) for k in (0, 1))
    low, high = (f"{units.plainly(result.basis.context * factor)} tokens" for factor in LENGTHS)
    return _swung(result, lv, ("context", "length of context", low, high), cost, keeps)


def _swung(result: Result, lv: Levers, words: tuple[str, str, str, str], cost: Array, keeps: Array) -> _Ends:
    cost, keeps = (np.broadcast_to(x, (len(lv), 2)) for x in (cost, keeps))
    i = lv.labels.index(result.verdict.choice)
    able = np.where(keeps, cost, np.inf)
    best = [lv.labels[k] if np.isfinite(able[k, d]) else "" for d, k in enumerate(able.argmin(axis=0))]
    low, high = np.where(keeps[i], cost[i], np.nan)
    return _Ends(Swing(*words, (float(low), float(high)), (best[0], best[1])), cost, keeps)


def _size(result: Result, s: Swing) -> float:
    """How much it moves; what makes the choice fail moves most."""
    base = named(result, result.verdict.choice).cost.value
    return math.inf if any(map(math.isnan, s.costs)) else max(abs(c - base) for c in s.costs)


def _moves(result: Result, s: Swing) -> bool:
    base = named(result, result.verdict.choice).cost.value
    return any(w != result.verdict.choice for w in s.winners) or _size(result, s) > 1e-4 * abs(base)


def _break(result: Result, lv: Levers, one: Input) -> Break | None:
    """Cost curves over an input, and every value at which another candidate becomes the cheapest; None where nothing moves."""
    factors = np.array(sorted({*np.geomspace(*one.reach, GRID), 1.0}))
    if one.name == "utilisation":
        factors = factors[result.basis.utilisation * factors <= FULLEST]
    able, winner = _cheapest(result, lv, one, factors)
    scale, edges = one.scale(result), np.flatnonzero(winner[1:] != winner[:-1])
    # each crossing is looked for again among FINE values between the two that it lies between
    fine = np.concatenate([np.geomspace(factors[k], factors[k + 1], FINE) for k in edges]) if len(edges) else factors[:1]
    _, again = _cheapest(result, lv, one, fine)
    who = [lv.labels[w] if w >= 0 else "" for w in again]
    turns = np.flatnonzero(again[1:] != again[:-1])
    crossings = tuple((float(scale * math.sqrt(fine[k] * fine[k + 1])), who[k], who[k + 1]) for k in turns)
    first = [x for x in (result.verdict.choice, result.verdict.runner_up) if x in lv.labels]
    won = [lv.labels[w] for w in winner if w >= 0]
    often = sorted(set(won), key=lambda label: (-won.count(label), label))
    drawn = list(dict.fromkeys([*first, *often]))[:CURVES]
    rows = able[[lv.labels.index(label) for label in drawn]]
    if not crossings and np.ptp(np.where(np.isfinite(rows), rows, 0.0), axis=1).max() == 0:
        return None
    kept = sorted({*range(0, len(factors), COARSE), int(np.argmin(np.abs(factors - 1.0))), len(factors) - 1})
    curves = {x: tuple(np.where(np.isfinite(row), row, np.nan)[kept].tolist()) for x, row in zip(drawn, rows, strict=True)}
    return Break(one.name, one.label, one.unit(result), tuple((scale * factors[kept]).tolist()), scale, curves, crossings)


def _cheapest(result: Result, lv: Levers, one: Input, factors: Array) -> tuple[Array, Array]:
    """Costs of what keeps the limits (N, D), infinite for the rest, and who is the cheapest (D,); -1 where nobody keeps them."""
    cost, keeps = evaluate(lv, one.at(result, lv, factors))
    able = np.broadcast_to(np.where(keeps, cost, np.inf), (len(lv), len(factors)))
    return able, np.where(np.isfinite(able.min(axis=0)), able.argmin(axis=0), -1)


def flips(result: Result, breaks: list[tuple[Input, Break]]) -> list[str]:
    """Single changes that make another candidate the cheapest, in words, the likeliest first."""
    found: list[tuple[float, str]] = []
    for one, b in breaks:
        spread = one.width(result) or math.log(2)
        sides = (("above", min((x for x in b.crossings if x[0] > b.base), default=None), 2),
                 ("below", max((x for x in b.crossings if x[0] < b.base), default=None), 1))  # fmt: skip
        for side, crossing, there in sides:
            if crossing is None:
                continue
            winner = str(crossing[there])
            what = f"{winner} is the cheapest" if winner else "nothing keeps the limits"
            said = f"{what} where {b.label} is {side} {units.plainly(crossing[0])} {b.unit}."
            found.append((abs(math.log(crossing[0] / b.base)) / spread, said[:1].upper() + said[1:]))
    return [said for _, said in sorted(found)]


def _regrets(result: Result, lv: Levers, ends: list[_Ends]) -> tuple[Regret, ...]:
    """What a few choices cost beyond the best, as planned and at the ends of the inputs that move the answer most."""
    winners = [w for end in ends for w in end.swing.winners if w]
    first = [x for x in (result.verdict.choice, result.verdict.runner_up) if x in lv.labels]
    labels = list(dict.fromkeys([*first, *sorted(dict.fromkeys(winners), key=lambda w: -winners.count(w))]))[:CHOICES]
    rows = [lv.labels.index(label) for label in labels]
    base, kept = (np.broadcast_to(x, (len(lv), 1))[:, 0] for x in evaluate(lv, Settings()))
    states = [("as planned", base, kept)]
    for end in ends:
        for d, words in enumerate((end.swing.low, end.swing.high)):
            if end.swing.winners[d] != result.verdict.choice:
                states.append((f"{end.swing.label} {words}", end.cost[:, d], end.keeps[:, d]))
    return tuple(_regret(lv, labels, rows, *state) for state in states[: STATES + 1])


def _regret(lv: Levers, labels: list[str], rows: list[int], state: str, cost: Array, keeps: Array) -> Regret:
    able = np.where(keeps, cost, np.inf)
    best = int(able.argmin())
    least = able[best] if np.isfinite(able[best]) else 0.0
    return Regret(
        state, lv.labels[best] if np.isfinite(able[best]) else "",
        {label: float(cost[i] - least) if keeps[i] else math.nan for label, i in zip(labels, rows, strict=True)},
    )  # fmt: skip

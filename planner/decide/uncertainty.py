"""How likely each candidate is the cheapest, and what choosing it would be regretted by: seeded draws of all that is uncertain.

Errors of estimates are lognormal with the quantile of their interval. Part of each error is the workload's and thus every
candidate's, part is the device's, the rest the configuration's own: the same machine under two terms is equally fast in every
draw. The shares are those among errors on published measurements (``Intervals.shared``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.decide.information import worth
from planner.decide.levers import Levers, Settings, evaluate, levers
from planner.model.columns import Array
from planner.schema.hardware import own_id
from planner.search.candidate import Candidate, Odds
from planner.search.result import Basis, Result

DRAWS = 10_000
SEED = 20_261_126
MOST = 50
"""Candidates that take part: the best in the ranking."""
NINE_OF_TEN = 1.6448536269514722  # standard deviations that nine of ten draws of a normal distribution lie within
UTILISATION = (0.05, 0.97)


@dataclass(frozen=True)
class Outcomes:
    """What every candidate costs in every draw, and what choosing it loses against the best of the draw: (N, D)."""

    levers: Levers
    cost: Array
    keeps: Array
    loss: Array
    """Beyond the best of the draw; what breaks a limit pays for the best too."""
    speed: Array
    """Throughput, in times of the estimate."""


def with_odds(result: Result, draws: int = DRAWS) -> Result:
    """``result`` whose best candidates carry their odds; unchanged where nothing has a cost."""
    found = outcomes(result, draws)
    if found is None:
        return result
    names = {c.label: c.device_name for c in result.candidates}
    known = worth([names[label] for label in found.levers.labels], found.loss, found.speed)
    odds = dict(zip(found.levers.labels, _odds(found), strict=True))
    candidates = tuple(replace(c, odds=odds.get(c.label)) for c in result.candidates)
    return replace(result, candidates=candidates, draws=draws, worth=known)


def outcomes(result: Result, draws: int = DRAWS, seed: int = SEED) -> Outcomes | None:
    """Costs and losses of the best candidates in ``draws`` states of the world; None where no candidate has a cost."""
    lv = levers(result, MOST)
    if not len(lv):
        return None
    states = drawn(result, lv, draws, np.random.default_rng(seed))
    cost, keeps = evaluate(lv, states)
    best = np.where(keeps, cost, np.inf).min(axis=0)
    some = np.isfinite(best)
    best = np.where(some, best, 0.0)
    loss = np.where(some, cost - np.where(keeps, best, 0.0), 0.0)
    return Outcomes(lv, cost, keeps, loss, np.broadcast_to(states.efficiency, loss.shape))


def drawn(result: Result, lv: Levers, draws: int, rng: np.random.Generator) -> Settings:
    """States of the world (D,), and errors of the estimates (N, D)."""
    by_label = {c.label: c for c in result.candidates}
    seen = [by_label[label] for label in lv.labels]
    error = _errors(seen, result.basis.shared, draws, rng)
    speed = np.array([_deviation(c.throughput.value, c.throughput.high) for c in seen])
    first = np.array([_deviation(c.latency["ttft"].value, c.latency["ttft"].high) if "ttft" in c.latency else 0.0 for c in seen])
    margin = {name: spread / NINE_OF_TEN for name, spread in result.basis.uncertainty.items()}

    def factor(name: str) -> Array:
        return np.asarray(np.exp(margin.get(name, 0.0) * rng.standard_normal(draws)))

    return Settings(
        traffic=factor("traffic"), utilisation=_loads(result.basis, factor("utilisation")), electricity=factor("electricity"),
        efficiency=np.exp(speed[:, None] * error), waiting=np.exp(-first[:, None] * error),
        prices={term: factor(term) for term in dict.fromkeys(lv.terms)},
    )  # fmt: skip


def _loads(basis: Basis, factor: Array) -> Array | None:
    return None if basis.ends else np.clip(basis.utilisation * factor, *UTILISATION)


def _errors(seen: Sequence[Candidate], shared: "dict[str, float]", draws: int, rng: np.random.Generator) -> Array:
    """Standard normal errors (N, D), correlated as the candidates' devices and configurations are."""
    common = min(1.0, shared.get("workload", 0.0))
    device = min(1.0 - common, shared.get("device", 0.0))
    devices, on = np.unique([own_id(c.device) for c in seen], return_inverse=True)
    layouts = [repr((c.device, c.system, c.precision, sorted(c.layout.items()))) for c in seen]
    configurations, of = np.unique(layouts, return_inverse=True)
    total = math.sqrt(common) * rng.standard_normal(draws)
    total = total + (math.sqrt(device) * rng.standard_normal((len(devices), draws)))[on]
    own = math.sqrt(max(0.0, 1.0 - common - device))
    return np.asarray(total + (own * rng.standard_normal((len(configurations), draws)))[of])


def _deviation(value: float, high: float) -> float:
    return math.log(high / value) / NINE_OF_TEN if value > 0 and math.isfinite(high) and high > value else 0.0


def _odds(found: Outcomes) -> list[Odds]:
    able = np.where(found.keeps, found.cost, np.inf)
    winner = np.where(found.keeps.any(axis=0), able.argmin(axis=0), -1)
    wins = np.bincount(winner[winner >= 0], minlength=len(found.levers)) / len(winner)
    rising = np.sort(found.cost, axis=1)
    low, high = (_quantile(rising, share) for share in (0.05, 0.95))
    columns = (wins, found.keeps.mean(axis=1), found.loss.mean(axis=1), low, high)
    return [Odds(*map(float, row)) for row in zip(*columns, strict=True)]


def _quantile(rising: Array, share: float) -> Array:
    """The quantile of each sorted row (N,), straight between draws: sorting is faster than what ``np.quantile`` does."""
    at = share * (rising.shape[1] - 1)
    below, above = rising[:, math.floor(at)], rising[:, math.ceil(at)]
    return np.asarray(below + (at - math.floor(at)) * (above - below))

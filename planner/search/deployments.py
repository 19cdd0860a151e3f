"""Every way to serve one model on one kind of system: the front of speed against cost, and the smallest for a load."""

from dataclasses import dataclass

import numpy as np

from planner import units
from planner.errors import InputError
from planner.model.columns import Array, Columns
from planner.model.operation import Machine
from planner.schema.coefficients import Evidence
from planner.schema.hardware import Device
from planner.schema.inputs import Subject
from planner.schema.precision import RECIPES
from planner.search import estimate
from planner.search.assumed import joined
from planner.search.candidate import Estimate
from planner.search.intervals import around
from planner.search.listings import Place
from planner.search.machines import USUAL_STACKS, Find, Setting, arithmetic, in_fp8_blocks, machine, weakest
from planner.search.offers import cheapest
from planner.search.reasons import LABELS, bottleneck
from planner.search.serve import Asked, Served, holding, rated, replicas, served, side_by_side
from planner.search.serving_space import space

BATCHES = tuple(sorted({int(x * 2**k) for k in range(13) for x in (1, 1.5)}))
BUDGETS = (512.0, 2048.0, 8192.0, 16384.0)
PRECISIONS = (("bf16", "fp16"), ("fp8", "int8"), ("fp4", "w4a16"))
"""Of 16, 8 and 4 bits, what a device is served in: the first that its arithmetic knows."""
FRONT = 12
"""Points of the front that are listed: the ends and the most different between them."""


@dataclass(frozen=True)
class Deployment:
    """One configuration: what it is, what a request sees, and what it makes of a device and of a dollar."""

    precision: str
    layout: dict[str, int | str]
    ttft: Estimate
    tpot: Estimate
    user: float
    """Output tokens/s that one request receives."""
    device: float
    """Output tokens/s a device at the planned load."""
    million: float
    """Money for a million output tokens, NaN without a price."""
    instances: int
    devices: int
    """For the load."""
    hourly: float
    """Money an hour for the load; NaN where nothing is priced."""


@dataclass(frozen=True)
class Answer:
    """seen, fitting: configurations of replicas that hold the model, and those that fit with their requests.

    front: the fastest for each cost, the fastest first.
    smallest: the cheapest that carries the load and keeps every limit; or, where none does, ``nearest`` and why it does not."""

    seen: int
    fitting: int
    front: tuple[Deployment, ...]
    smallest: Deployment | None
    nearest: Deployment | None
    why: str
    offer: str


def best(
    asked: Asked, subject: Subject, precisions: tuple[str, ...], most: int, find: Find, other: Subject | None = None
) -> Answer:  # fmt: skip
    """Search. ``other`` is the system that decodes, where it is another than the one that takes prompts in.

    InputError where no precision is one that the devices compute in, or no shape divides the model.
    """
    subjects = [subject, other] if other else [subject]
    places, table, machines, evidence = _settings(asked, subjects, precisions, find)
    for name, what in (("bandwidth", "memory bandwidth"), ("capacity", "memory")):
        if np.isnan(machines.device[name]).any():
            lacking = subjects[int(table.place[np.isnan(machines.device[name])][0])].device.name
            raise InputError(f"the {what} of {lacking} is not published, so nothing can be estimated on it")
    with np.errstate(all="ignore"):
        of = replicas(asked, most, places, table, machines)
        able = holding(asked, of, machines)
        of = of.take(able) if able.any() else of  # where none holds the model, the nearest is told
        keys = side_by_side(of) if other is None else _across(of)
        sp = space(of, asked.serve, mixed=other is None, apart=keys, batches=BATCHES, budgets=BUDGETS)
        if not len(sp):
            raise InputError("no shape of a replica divides the model over these devices")
        s = served(asked, sp, machines)
        filling = of.place[sp.prefillers.worker[sp.prefiller]].astype(int)
        return _Found(asked, subjects, s, filling, float(most), machines, evidence).answer()


def _settings(
    asked: Asked, subjects: list[Subject], precisions: tuple[str, ...], find: Find
) -> tuple[list[Place], Columns, Machine, list[Evidence]]:
    places, settings, place, code = [], [], [], []
    for index, s in enumerate(subjects):
        system = s.system or joined(s.device, None)
        assert system is not None
        places.append(Place(system, s.device, system.devices))
        able = _able(s.device, precisions)
        if not able:
            raise InputError(f"{s.device.name} has no published peak for {' or '.join(precisions) or 'any precision'}")
        kept = asked.serve.kv_cache
        software, blocks = USUAL_STACKS["serve"], in_fp8_blocks(asked.architecture)
        settings += [Setting(s.device, system, p, software, cache=kept, sparse=asked.sparse, blocks=blocks) for p in able]
        place += [index] * len(able)
        code += [estimate.PRECISIONS.index(p) for p in able]
    machines, laws = machine(settings, find)
    return places, Columns(place=np.array(place), precision=np.array(code)), machines, [weakest(f, "matmul") for f in laws]


def _able(device: Device, precisions: tuple[str, ...]) -> list[str]:
    if precisions:
        return [p for p in precisions if arithmetic(device, p)]
    own = [next((p for p in names if RECIPES[p].arithmetic[0] in device.peak), "") for names in PRECISIONS]
    return [p for p in own if p]


def _across(of: Columns) -> tuple[Array, Array]:
    """Workers of the second place decode for those of the first that keep the same cache."""
    _, kept = np.unique(of.kv, return_inverse=True)
    return np.where(of.place == 1, kept, -1), np.where(of.place == 0, kept, -2)


class _Found:
    """Evaluated configurations (N,), and what is to be said of single ones. Devices and money are a token a second's."""

    def __init__(
        self, asked: Asked, subjects: list[Subject], s: Served, filling: Array, most: float, machines: Machine,
        evidence: list[Evidence],
    ) -> None:  # fmt: skip
        self.asked, self.subjects, self.s, self.machines, self.evidence = asked, subjects, s, machines, evidence
        rows, self.apart = s.rows, s.rows.apart > 0
        price, self.offer = _prices(subjects)
        self.prices = price[rows.place.astype(int)], price[filling]
        decoding = rows.size / (s.rate * rows.load)
        prefilling = np.where(self.apart, rows.prefill_size / (s.prompts * rows.load * asked.serve.output_tokens), 0.0)
        self.devices = decoding + prefilling
        self.money = (decoding * self.prices[0] + prefilling * self.prices[1]) / units.HOUR
        self.options = rated(asked.serve, s, most)
        self.most = most

    def answer(self) -> Answer:
        excess, loaded = self.options.excess, self.asked.serve.requests_per_second is not None
        fits = excess["memory"] <= 1
        good = fits & (excess["ttft"] <= 1) & (excess["tpot"] <= 1)
        able = np.flatnonzero(good & ((excess["devices"] <= 1) | (not loaded)))
        dear = np.where(np.isfinite(self.money), self.money, self.devices)
        front = [self.deployment(i) for i in _front(1 / self.s.tpot, dear, np.flatnonzero(good))]
        smallest = nearest = None
        if able.size and loaded:
            order = np.lexsort((-self.s.rate[able], dear[able], self.options.rows.devices[able]))
            smallest = self.deployment(int(able[order[0]]))
        if not able.size:
            nearest = int(self.options.best()[0])
        return Answer(
            len(self.s.rows), int(fits.sum()), tuple(front), smallest, None if nearest is None else self.deployment(nearest),
            "" if nearest is None else self.why(nearest), self.offer,
        )  # fmt: skip

    def deployment(self, i: int) -> Deployment:
        rows, o, s = self.s.rows, self.options.rows, self.s
        known, intervals = self.evidence[int(rows.setting[i])], self.subjects[0].intervals
        names = ["tp", "pp", "adp", "ep", "batch", "budget", *(["prefill_tp", "prefill_pp"] if self.apart[i] else [])]
        kinds: dict[str, int | str] = {"prompts": "apart" if self.apart[i] else "mixed"}
        prefilling = o.prefill_instances[i]
        hourly = ((o.instances[i] - prefilling) * self.prices[0][i] + prefilling * self.prices[1][i]) * o.node[i]
        return Deployment(
            estimate.PRECISIONS[int(rows.precision[i])], kinds | {n: int(rows[n][i]) for n in names},
            around(float(s.ttft[i]), intervals, "first token", known), around(float(s.tpot[i]), intervals, "serving", known),
            user=1 / float(s.tpot[i]), device=1 / float(self.devices[i]), million=float(self.money[i] * 1e6),
            instances=int(o.instances[i]), devices=int(o.devices[i]), hourly=float(hourly),
        )  # fmt: skip

    def why(self, i: int) -> str:
        """The first limit that a configuration breaks, and what it is bound by."""
        excess, s = self.options.excess, self.s
        name = next(n for n, over in excess.items() if not over[i] <= 1)
        times = f"{excess[name][i]:.3g} times"
        if name == "memory":
            return f"memory: the fullest device needs {times} what it has"
        if name == "devices":
            return f"the load takes {int(self.options.rows.devices[i]):,} devices, and {int(self.most):,} are allowed"
        one = s.service.prefill if name == "ttft" else s.service.decode
        device = self.machines.device.take(s.rows.setting[[i]].astype(int))
        bound = "the queue" if name == "ttft" and s.ttft[i] > 2 * s.alone[i] else bottleneck(one.take(np.array([i])), 0, device)
        return f"{LABELS[name]} is {times} the limit at best, bound by {bound}"


def _prices(subjects: list[Subject]) -> tuple[Array, str]:
    """Money a device-hour of each, and the offers that it is of."""
    found = [(cheapest(s, s.system.devices if s.system else 1), s.system.devices if s.system else 1) for s in subjects]
    return np.array([hourly / n for (hourly, _), n in found]), ", ".join(dict.fromkeys(o for (_, o), _ in found if o))


def _front(user: Array, cost: Array, index: Array) -> list[int]:
    """Of ``index``, those that none beats both in tokens/s a user and in cost, thinned evenly to FRONT, fastest first."""
    order = index[np.lexsort((cost[index], -user[index]))]
    least = np.minimum.accumulate(cost[order])
    best = order[np.concatenate([[True], least[1:] < least[:-1]])] if order.size else order
    if len(best) > FRONT:
        best = best[np.unique(np.linspace(0, len(best) - 1, FRONT).round().astype(int))]
    return [int(i) for i in best]

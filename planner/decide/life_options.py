"""The models that a plan's life could be lived with: of other sizes, coarser, pruned, distilled; what making each costs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from planner import units
from planner.decide.lifetime import Cost, Fleet, life, monthly
from planner.errors import InputError
from planner.model import scaling
from planner.model.families.transformer_shape import like
from planner.schema.compression import Method
from planner.schema.inputs import Inputs
from planner.schema.plan import Distil, Lifetime
from planner.schema.workload import Architecture, Workload
from planner.search import phases
from planner.search.estimate import architecture_table
from planner.search.machines import arithmetic
from planner.search.options import Tick
from planner.search.result import Candidate

SIZES = 12
DEAREST = 12.0
"""Sizes are tried down to where reaching the loss takes so many times the least training FLOP."""
FORWARD = 1 / 3
"""A forward pass is a third of a training step's FLOP: 2 N of 6 N a token (arXiv:2401.00448, section 2)."""
UNKNOWN = "nobody has published how good such a model is: measure it before it is chosen"


@dataclass(frozen=True)
class Option:
    """One model, how it is made, and who can serve it."""

    label: str
    kind: str
    """base, size, quantised, pruned or distilled."""
    parameters: float
    tokens: float
    """That it, or what it is made of, was trained on; 0 where it is there already."""
    precision: str
    making: dict[str, float]
    """Money by part: training, teacher, retraining, conversion. Infinite where no offer can do it."""
    run: Candidate | None
    """The training run, or the retraining where the original is there already."""
    served: tuple[Candidate, ...]
    """Offers that can serve it, a row of ``fleet`` each."""
    nearest: Candidate
    """The cheapest of them, or what comes nearest to it where there is none."""
    fleet: Fleet
    kept: float
    """Share of its score that published examples keep; 1 for the loss of the law, NaN where nothing is published."""
    rejected: str = ""
    method: Method | None = None
    factor: tuple[float, ...] = ()
    """By how much each of ``served`` is faster than estimated, as published."""

    def cost(self, of: Lifetime, most: float) -> Cost:
        """Money over the life by queries a day."""
        return life(sum(self.making.values()), of.months, self.fleet, most)


@dataclass(frozen=True)
class Setup:
    """What every option is made with."""

    inputs: Inputs
    life: Lifetime
    law: scaling.Law
    base: Architecture
    target: float
    """Loss [nats a token]."""
    tokens: float
    """Of the base."""
    precisions: tuple[str, ...]
    """What models are served in, the base's own first."""
    trained: Callable[[Architecture, float], list[Candidate]]
    served: Callable[[Architecture, str], list[Candidate]]

    @property
    def methods(self) -> dict[str, Method]:
        """Ways to compress, by id."""
        assert self.inputs.life is not None
        return self.inputs.life.compression.methods

    def in_precision(self, precision: str) -> Method | None:
        """The method that gives a precision; None where training leaves it."""
        return next((m for m in self.methods.values() if m.precision == precision), None)

    def good(self, precision: str) -> bool:
        """Whether a precision keeps the quality that the plan asks."""
        method = self.in_precision(precision)
        return method is None or method.scores[0].kept >= self.life.quality


def setup(inputs: Inputs, tick: Tick) -> Setup:
    """The target and the searches; InputError where the plan asks what its model or the law cannot do."""
    wanted, a = inputs.plan.lifetime, inputs.workload.architecture
    assert wanted is not None and inputs.life is not None
    inputs = replace(phases.thinned(inputs), life=replace(inputs.life, training=phases.thinned(inputs.life.training)))
    if a is None:
        raise InputError(f"'{inputs.workload.id}' is not a language model, so it has no life of training and answering")
    if a.moe is not None or not a.causal:
        what = "a mixture of experts" if a.moe else "an encoder"
        raise InputError(f"'{inputs.workload.id}' is {what}: the laws of loss are of dense language models")
    law = scaling.LAWS[wanted.law]
    own = size(a)
    target, tokens = _target(wanted, law, inputs.workload, own)
    done = [0]

    def count() -> None:
        done[0] += 1
        tick(done[0], max(done[0], SIZES * 4))

    @cache
    def trained(shape: Architecture, on: float) -> list[Candidate]:
        count()
        return phases.training(inputs, shape, on)

    @cache
    def served(shape: Architecture, precision: str) -> list[Candidate]:
        count()
        return phases.serving(inputs, shape, precision)

    return Setup(inputs, wanted, law, a, target, tokens, _precisions(inputs), trained, served)


def _target(life: Lifetime, law: scaling.Law, workload: Workload, own: float) -> tuple[float, float]:
    """The loss to reach and the tokens on which the base does."""
    if life.loss is None:
        budget = scaling.trained(law, own, life.tokens) if life.tokens else scaling.of_model(law, own)
        return budget.loss, budget.tokens
    tokens = float(scaling.tokens_to_reach(law, np.array([own]), life.loss)[0])
    if life.loss <= law.e:
        raise InputError(f"no model reaches a loss of {life.loss:g}: the law's floor is {law.e:g}", hint=f"By {law.source}.")
    if not np.isfinite(tokens):
        least = scaling.bound(law, own)
        hint = f"Give a loss above {least:.4g}, or a larger model. By {law.source}."
        raise InputError(f"'{workload.id}' reaches no loss of {life.loss:g} on any data: its bound is {least:.4g}", hint=hint)
    return life.loss, tokens


def _precisions(inputs: Inputs) -> tuple[str, ...]:
    """What the plan names, else 16 bits and every coarser one that a device computes in."""
    assert inputs.life is not None
    methods = inputs.life.compression.methods.values()
    every = ("bf16", *(m.precision for m in methods if m.precision))
    able = tuple(p for p in every if any(arithmetic(d, p) for d in inputs.devices.values()))
    return inputs.plan.workload.precision or able or ("bf16",)


def size(a: Architecture) -> float:
    """Parameters of a shape."""
    return float(architecture_table([a])[1].total[0])


def short(parameters: float) -> str:
    """``8.03B``."""
    return units.show(parameters, "count").replace(" ", "").replace("G", "B")


def sizes(law: scaling.Law, target: float, own: float) -> np.ndarray:
    """Numbers of parameters worth trying (SIZES,): from where training takes DEAREST times its least, to the size for it."""
    best = scaling.of_loss(law, target)
    fine = np.geomspace(best.parameters / 1000, best.parameters, 4000)
    flop = 6 * fine * scaling.tokens_to_reach(law, fine, target)
    return np.geomspace(fine[flop <= DEAREST * best.flop][0], max(best.parameters, own), SIZES)


def all_options(k: Setup) -> tuple[list[Option], list[Option]]:
    """What there is to choose from, the base first; and every size in every precision that is good enough."""
    first, *coarser = k.precisions
    models = list(dict.fromkeys(a for n in sizes(k.law, k.target, size(k.base)) if (a := like(k.base, n)) != k.base))
    found = [base(k, p) for p in k.precisions]
    every = [resized(k, a, first) for a in models]
    found += every
    for precision in filter(k.good, coarser):
        others = [resized(k, a, precision) for a in models]
        every += others
        found += others and [min(others, key=lambda o: spent(k, o))]
    found += [pruned(k, m) for m in k.methods.values() if m.kind == "prune"]
    return found + [distilled(k, d) for d in k.life.distil], [*every, *found[: len(k.precisions)]]


def spent(k: Setup, option: Option) -> float:
    """Money over the life at the plan's traffic."""
    return float(option.cost(k.life, limit(k))(np.array([k.life.queries_per_day]))[0])


def limit(k: Setup) -> float:
    """Devices that may serve."""
    return float(k.inputs.plan.hardware.max_devices)


def base(k: Setup, precision: str) -> Option:
    """The plan's own model, in one precision."""
    runs = [] if k.life.trained else k.trained(k.base, k.tokens)
    first = precision == k.precisions[0]
    label, kind = f"{k.inputs.workload.name}, {precision}", "base" if first else "quantised"
    return _made(k, kind, label, k.base, 0.0 if k.life.trained else k.tokens, precision, {"training": runs})


def resized(k: Setup, a: Architecture, precision: str) -> Option:
    """A model of another size that reaches the same loss."""
    own = size(a)
    tokens = float(scaling.tokens_to_reach(k.law, np.array([own]), k.target)[0])
    label = f"{short(own)} on {units.words(tokens)} tokens, {precision}"
    return _made(k, "size", label, a, tokens, precision, {"training": k.trained(a, tokens)})


def pruned(k: Setup, method: Method) -> Option:
    """The base with weights taken out, and trained again."""
    a = like(k.base, method.share * size(k.base)) if method.share < 1 else k.base
    runs = {} if k.life.trained else {"training": k.trained(k.base, k.tokens)}
    again = method.retraining
    if again:
        tokens = again.tokens / again.parameters * size(a)
        runs["retraining"] = k.trained(a, tokens)
        if again.teacher:
            runs["teacher"] = k.trained(k.base, tokens)
    label = f"{k.inputs.workload.name}, {method.name}, {k.precisions[0]}"
    return _made(k, "pruned", label, a, 0.0 if k.life.trained else k.tokens, k.precisions[0], runs, method)


def distilled(k: Setup, asked: Distil) -> Option:
    """A student trained on a teacher's answers, the teacher trained too unless it is there."""
    assert k.inputs.life is not None
    models = k.inputs.life.models
    student, teacher = models[asked.student], models.get(asked.teacher, k.inputs.workload)
    for role, model in (("student", student), ("teacher", teacher)):
        if model.architecture is None or not model.architecture.causal:
            raise InputError(f"the {role} '{model.id}' is not a language model that writes")
    assert student.architecture is not None and teacher.architecture is not None
    own = teacher is k.inputs.workload
    there = asked.teacher_trained or (own and k.life.trained)
    runs = {"retraining": k.trained(student.architecture, asked.tokens), "teacher": k.trained(teacher.architecture, asked.tokens)}
    if not there:
        on = k.tokens if own else scaling.of_model(k.law, size(teacher.architecture)).tokens
        runs = {"training": k.trained(teacher.architecture, on), **runs}
    label = f"{student.name} distilled from {teacher.name}, {k.precisions[0]}"
    return _made(k, "distilled", label, student.architecture, asked.tokens, k.precisions[0], runs)


def _made(
    k: Setup, kind: str, label: str, a: Architecture, tokens: float, precision: str, runs: dict[str, list[Candidate]],
    method: Method | None = None,
) -> Option:  # fmt: skip
    """An option from its runs: each costs what its cheapest offer does, a teacher's a third of its training."""
    coarse = k.in_precision(precision)
    offers = [c for c in k.served(a, precision) if c.feasible]
    factor = tuple(_faster(k, method, c) for c in offers)
    fleet = _fleet(k, offers, factor)
    making = {part: _cheapest(found) * (FORWARD if part == "teacher" else 1) for part, found in runs.items() if found}
    if coarse and coarse.conversion:
        making["conversion"] = coarse.conversion.device_hours / coarse.conversion.parameters * size(a) * _hour(offers)
    kept = (coarse.scores[0].kept if coarse else 1.0) * (method.scores[0].kept if method else 1.0)
    ran = next((found[0] for part, found in runs.items() if part != "teacher" and found), None)
    kept = float("nan") if kind == "distilled" else kept
    return Option(
        label, kind, size(a), tokens, precision, making, ran, tuple(offers), k.served(a, precision)[0], fleet, kept,
        _why_not(k, runs, a, precision, fleet) or _unfit(k, kind, kept), method or coarse, factor,
    )  # fmt: skip


def _cheapest(found: list[Candidate]) -> float:
    """Candidates come with the cheapest that can do it first."""
    return found[0].cost.value if found[0].feasible else float("inf")


def _hour(offers: list[Candidate]) -> float:
    """Money for a device-hour with the cheapest way to serve."""
    if not offers:
        return float("inf")
    return offers[0].cost.value / offers[0].devices / (units.MONTH / units.HOUR)


def _faster(k: Setup, method: Method | None, c: Candidate) -> float:
    speed = method.speed if method else None
    return speed.factor if speed and k.inputs.devices[c.device].family in speed.families else 1.0


def _fleet(k: Setup, offers: list[Candidate], factor: tuple[float, ...]) -> Fleet:
    """Per instance; machines are loaded to no more than the plan's utilisation."""
    count = np.array([c.instances for c in offers], float)
    rate = np.array([c.throughput.value for c in offers], float) * np.array(factor, float)
    loaded = rate * k.inputs.plan.economics.utilisation * units.DAY / k.life.output_tokens
    cost, devices = np.array([c.cost.value for c in offers]), np.array([c.devices for c in offers], float)
    return Fleet(cost / count, loaded / count, devices / count)


def _why_not(k: Setup, runs: dict[str, list[Candidate]], a: Architecture, precision: str, fleet: Fleet) -> str:
    """The phase that no offer can do, and what stands in the way of the nearest."""
    for found in runs.values():
        if found and not found[0].feasible:
            return f"training: {found[0].label} {found[0].rejected}"
    if not len(fleet.price):
        nearest = k.served(a, precision)[0]
        return f"serving: {nearest.label} {nearest.rejected}"
    if not np.isfinite(monthly(fleet, np.array([k.life.queries_per_day]), limit(k))[0][0]):
        return f"serving it takes more than the {limit(k):,.0f} devices that the plan allows"
    return ""


def _unfit(k: Setup, kind: str, kept: float) -> str:
    if kind == "distilled":
        return UNKNOWN
    short = kept < k.life.quality
    return f"keeps {100 * kept:.1f} % of a published score; the plan asks {100 * k.life.quality:.4g} %" if short else ""

"""The models that a plan's life could be lived with: of other sizes, coarser, pruned, distilled; what making each costs."""

import math
from dataclasses import dataclass, replace

import numpy as np

from planner import units
from planner.decide.life_setup import Setup, short, size, sizes
from planner.decide.lifetime import Cost, Fleet, life, monthly
from planner.errors import InputError
from planner.model import scaling
from planner.model.families.transformer_shape import like
from planner.schema.compression import Method
from planner.schema.plan import Distil, Lifetime
from planner.schema.workload import Architecture
from planner.search.candidate import Candidate

FORWARD = 1 / 3
"""A forward pass is a third of a training step's FLOP: 2 N of 6 N a token (arXiv:2401.00448, section 2)."""
UNKNOWN = "how good a student becomes is not known before it is trained: measure it before it is chosen"


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
    published: str = ""
    """Scores of a student and its teacher, in words."""

    def cost(self, of: Lifetime, most: float) -> Cost:
        """Money over the life by queries a day."""
        return life(sum(self.making.values()), of.months, self.fleet, most)


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
    made = _made(k, "distilled", label, student.architecture, asked.tokens, k.precisions[0], runs)
    return replace(made, published=k.inputs.life.published.get((teacher.id, student.id), ""))


def _made(
    k: Setup, kind: str, label: str, a: Architecture, tokens: float, precision: str, runs: dict[str, list[Candidate]],
    method: Method | None = None,
) -> Option:  # fmt: skip
    """An option from its runs: each costs what its cheapest offer does, a teacher's a third of its training."""
    coarse = k.in_precision(precision)
    every = k.served(a, precision, method.sparsity if method else "")
    offers = [c for c in every if c.feasible]
    fleet = _fleet(k, offers)
    making = {part: _cheapest(found) * (FORWARD if part == "teacher" else 1) for part, found in runs.items() if found}
    if coarse and coarse.conversion:
        making["conversion"] = coarse.conversion.device_hours / coarse.conversion.parameters * size(a) * _hour(offers)
    kept = (coarse.scores[0].kept if coarse else 1.0) * (method.scores[0].kept if method else 1.0)
    ran = next((found[0] for part, found in runs.items() if part != "teacher" and found), None)
    kept = float("nan") if kind == "distilled" else kept
    return Option(
        label, kind, size(a), tokens, precision, making, ran, tuple(offers), every[0], fleet, kept,
        _why_not(k, runs, every[0], fleet) or _unfit(k, kind, kept), method or coarse,
    )  # fmt: skip


def _cheapest(found: list[Candidate]) -> float:
    """Candidates come with the cheapest that can do it first."""
    return found[0].cost.value if found[0].feasible else float("inf")


def _hour(offers: list[Candidate]) -> float:
    """Money for a device-hour with the cheapest way to serve."""
    if not offers:
        return float("inf")
    return offers[0].cost.value / offers[0].devices / (units.MONTH / units.HOUR)


def together(c: Candidate) -> int:
    """Instances that one replica takes: bought together, several only where one is too small."""
    degrees = [int(c.layout.get(name, 1)) for name in ("tp", "pp", "adp")]
    return max(1, -(-math.prod(degrees) * c.instances // c.devices))


def _fleet(k: Setup, offers: list[Candidate]) -> Fleet:
    """Per unit that is bought together; machines are loaded to no more than the plan's utilisation."""
    count = np.array([c.instances / together(c) for c in offers], float)
    rate = np.array([c.throughput.value for c in offers], float)
    loaded = rate * k.inputs.plan.economics.utilisation * units.DAY / k.life.output_tokens
    cost, devices = np.array([c.cost.value for c in offers]), np.array([c.devices for c in offers], float)
    return Fleet(cost / count, loaded / count, devices / count)


def _why_not(k: Setup, runs: dict[str, list[Candidate]], nearest: Candidate, fleet: Fleet) -> str:
    """The phase that no offer can do, and what stands in the way of the nearest."""
    for found in runs.values():
        if found and not found[0].feasible:
            return f"training: {found[0].label} {found[0].rejected}"
    if not len(fleet.price):
        return f"serving: {nearest.label} {nearest.rejected}"
    if not np.isfinite(monthly(fleet, np.array([k.life.queries_per_day]), limit(k))[0][0]):
        return f"serving it takes more than the {limit(k):,.0f} devices that the plan allows"
    return ""


def _unfit(k: Setup, kind: str, kept: float) -> str:
    if kind == "distilled":
        return UNKNOWN
    short = kept < k.life.quality
    return f"keeps {100 * kept:.1f} % of a published score; the plan asks {100 * k.life.quality:.4g} %" if short else ""

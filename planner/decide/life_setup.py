"""What a lifetime asks, checked: the loss to reach, sizes and precisions worth trying, and the searches of both phases."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from planner import units
from planner.errors import InputError
from planner.model import scaling
from planner.model.columns import Array
from planner.schema.compression import Method
from planner.schema.inputs import Inputs
from planner.schema.plan import Lifetime
from planner.schema.workload import Architecture, Workload
from planner.search import phases
from planner.search.candidate import Candidate
from planner.search.estimate import architecture_table
from planner.search.machines import arithmetic
from planner.search.options import Tick

SIZES = 12
DEAREST = 12.0
"""Sizes are tried down to where reaching the loss takes so many times the least training FLOP."""


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
    served: Callable[[Architecture, str, str], list[Candidate]]
    """By shape, precision and sparsity."""

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
    def served(shape: Architecture, precision: str, sparsity: str) -> list[Candidate]:
        count()
        return phases.serving(inputs, shape, precision, sparsity)  # type: ignore[arg-type]

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


def sizes(law: scaling.Law, target: float, own: float) -> Array:
    """Numbers of parameters worth trying (SIZES,): from where training takes DEAREST times its least, to the size for it."""
    best = scaling.of_loss(law, target)
    fine = np.geomspace(best.parameters / 1000, best.parameters, 4000)
    flop = 6 * fine * scaling.tokens_to_reach(law, fine, target)
    return np.geomspace(fine[flop <= DEAREST * best.flop][0], max(best.parameters, own), SIZES)

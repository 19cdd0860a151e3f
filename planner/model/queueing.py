"""Queues at a serving replica: mean and tail of what requests see, where they come at random.

One law, for plans (through ``serving.arrivals``) and beside the simulation that it is checked against. All (N,) columns.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from planner.model.columns import Array

FULL = 0.99  # of the time in prefill, beyond which a queue has no end: kept finite, for what ranks by it


@dataclass(frozen=True)
class Traffic:
    """Requests a second (N,) and how they differ: squared coefficient of variation of the gaps between them (1 is Poisson,
    more is bursty), and coefficient of variation of their prompts' lengths."""

    rate: Array
    burstiness: Array | float = 1.0
    prompt_cv: Array | float = 0.0


@dataclass(frozen=True)
class Waits:
    """ttft, tpot: means (N,) [s]. least: steps that even a request with no prompt waits for; prompt: prefill of a mean
    prompt; both without others. prompt_cv: how prompts differ. tpot_cv: how requests' times per token do."""

    ttft: Array
    tpot: Array
    least: Array
    prompt: Array
    prompt_cv: Array
    tpot_cv: Array

    def ttft_at(self, quantile: float) -> Array:
        """TTFT (N,) [s] that a share ``quantile`` of requests keeps: lengths are taken as lognormal, and what others add to a
        request's own prefill as exponential; their quantiles are summed, which errs upward."""
        sigma = np.sqrt(np.log1p(self.prompt_cv**2))
        own = self.prompt * np.exp(NormalDist().inv_cdf(quantile) * sigma - sigma**2 / 2)
        others = np.maximum(0.0, self.ttft - self.least - self.prompt)
        return np.asarray(self.least + own - others * np.log1p(-quantile))

    def tpot_at(self, quantile: float) -> Array:
        """Mean time per token (N,) [s] that a share ``quantile`` of requests keeps: a gamma distribution (Wilson-Hilferty)."""
        k = 1 / np.maximum(self.tpot_cv, 1e-6) ** 2
        z = NormalDist().inv_cdf(quantile)
        return np.asarray(self.tpot * np.maximum(0.0, 1 - 1 / (9 * k) + z / (3 * np.sqrt(k))) ** 3)


def waits(each: Array, decode: Array, pieces: Array, further: Array, traffic: Traffic, crowd: Array | float = 0.0) -> Waits:
    """Requests at one replica that decodes while it takes prompts in.

    each: a prompt's prefill [s], in ``pieces`` of what a step takes; decode: a step's decoding D [s]; further: steps after the
    first token. A step takes D and ``each`` for every prompt that arrived in the one before: L = D / (1 - rho) on average,
    with rho = rate each, and variance rate each^2 V L / (1 - rho^2), where V is 1 for equal requests at random, and the
    squared variation of gaps and prompts together else. A request waits for the rest of a step that is seen longer than
    average, E[L^2] / 2 E[L], and then sits in ``own``: the prompts that came beside it, its own, and a D for every piece.
    Prompts that came during ``own`` make the steps after it longer than average, those that come during its last step do not
    count any more: rho (own - L) / (1 - rho) over its further steps. A queue of single prompts, each with its pieces' D,
    waits at least as M/D/1 does, times V (Kingman 1961).

    Of ``further`` steps a request's time varies as the busy period that they start, rho each V / (D further (1 - rho)) of its
    square, and with the number of requests in flight, by ``crowd`` (relative).
    """
    rate, varied = traffic.rate, np.asarray(traffic.burstiness + np.square(traffic.prompt_cv), float)
    rho = np.minimum(rate * each, FULL)
    whole = np.maximum(1.0, np.ceil(pieces))
    step = decode / (1 - rho)
    seen = step + rho * each * varied / (1 - rho**2)
    beside = rate * seen + np.maximum(0.0, traffic.burstiness - 1.0) / 2
    own = each * (1 + beside) + whole * decode
    single = each + pieces * decode
    busy = np.minimum(rate * single, FULL)
    queued = busy * single * varied / 2 / (1 - busy) + each + whole * decode
    late = np.maximum(0.0, np.maximum(own, queued) - step)
    steps = np.maximum(further, 1.0)
    busy_period = rho * each * varied / (np.maximum(decode, 1e-12) * steps * (1 - rho))
    ttft = np.maximum(seen / 2 + own, queued)
    tpot = step + rho / (1 - rho) * late / steps
    each = np.asarray(each, float)
    return Waits(
        ttft, tpot, whole * decode, each, np.broadcast_to(traffic.prompt_cv, each.shape),
        np.sqrt(busy_period + np.square(crowd) * varied),
    )  # fmt: skip

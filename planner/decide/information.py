"""What it is worth to measure first: by how much knowing a device's speed lowers the regret of the best choice.

The expected value of partial perfect information (Strong and Oakley, Medical Decision Making 2013): draws are sorted by the speed
of a device and cut into bins; in each bin the choice that loses least there is taken. Choices are made on half the draws and
judged on the other half, so that chance is not taken for information.
"""

import math
from collections.abc import Sequence

import numpy as np

from planner.model.columns import Array
from planner.search.candidate import Worth

BINS = 20
LEAST = 0.02
"""Share of the regret below which a measurement is not worth naming."""
SURE = 4.0
"""Standard errors that a saving must exceed: eight devices are looked at."""
NAMED = 3
DEVICES = 8
"""Devices that are looked at: those of the best candidates."""


def worth(devices: Sequence[str], loss: Array, speed: Array) -> tuple[Worth, ...]:
    """The devices whose measurement would save most, and how much of the mean regret; empty where none saves anything.

    devices: of each candidate, the best first; loss [money], speed [in times of the estimate]: of each in every draw (N, D).
    """
    first = {name: devices.index(name) for name in dict.fromkeys(devices)}
    now = _judged(loss, np.zeros(loss.shape[1]))
    found = []
    for name, i in list(first.items())[:DEVICES]:
        saved = now - _judged(loss, speed[i])
        chance = SURE * saved.std() / math.sqrt(len(saved))
        if saved.mean() > max(LEAST * now.mean(), chance):
            found.append(Worth(name, float(saved.mean())))
    return tuple(sorted(found, key=lambda w: -w.saves)[:NAMED])


def _judged(loss: Array, known: Array) -> Array:
    """Loss (D',) in every draw of choosing by what is known of it, a number (D,); all alike where that says nothing.

    loss (N, D); D' is D less what fills no bin.
    """
    bins = BINS if np.ptp(known) > 0 else 1
    half = loss.shape[1] // (2 * BINS) * BINS
    order = np.argsort(known[: 2 * half], kind="stable")
    parts = [order[part::2] for part in (0, 1)]
    best = [loss.take(draws, axis=1).reshape(len(loss), bins, -1).mean(axis=2).argmin(axis=0) for draws in parts]
    judged = np.empty(2 * half)
    for choice, draws in zip(best, parts[::-1], strict=True):
        judged[draws] = loss[np.repeat(choice, half // bins), draws]
    return judged

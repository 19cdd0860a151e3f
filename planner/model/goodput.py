"""Time that a long run loses to failures, checkpoints and pauses, and the interval between checkpoints that loses least."""

import numpy as np

from planner.model.columns import Array


def interval(write: Array, mtbf: Array) -> Array:
    """Seconds of work between checkpoints that lose least, for a checkpoint of ``write`` [s] and a mean time between failures.

    Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation Computer Systems 22
    (2006), equation 37; its first term is Young's, Communications of the ACM 17 (1974).
    """
    ratio = np.sqrt(write / (2 * mtbf))
    daly = np.sqrt(2 * write * mtbf) * (1 + ratio / 3 + ratio**2 / 9) - write
    return np.asarray(np.where(write < 2 * mtbf, daly, mtbf))


def share(work: Array, write: Array, mtbf: Array, restart: Array) -> Array:
    """Share of the time that is work kept, with a checkpoint after every ``work`` seconds (N,) (Daly 2006, equation 20).

    Failures strike at any time, restarts and checkpoints included: M exp(R / M) (exp((work + write) / M) - 1) seconds pass for
    each ``work``.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        passed = mtbf * np.exp(restart / mtbf) * np.expm1((work + write) / mtbf)
    return np.asarray(np.where(np.isfinite(mtbf), work / passed, work / (work + write)))


def fleet(device_mtbf: float, devices: Array, instance_mtbf: float, instances: Array) -> Array:
    """Mean time between failures of a job that any device's failure, or any instance's interruption, stops (N,) [s]."""
    return np.asarray(1 / (devices / device_mtbf + instances / instance_mtbf))

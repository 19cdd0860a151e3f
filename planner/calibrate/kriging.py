"""Between measured points: a law's residuals interpolated as a Gaussian process, with what that leaves unsure.

Matérn covariance with exponent 3/2 in the logarithms of sizes; length and noise by leave-one-out error (Rasmussen and
Williams, Gaussian Processes for Machine Learning, sections 4.2.1 and 5.4.2). Far from every point the law alone decides.
"""

from dataclasses import dataclass

import numpy as np

from planner.model.columns import Array

LENGTHS = (2.0, 4.0, 8.0, 16.0)  # octaves
NOISES = (0.02, 0.05, 0.1, 0.2)
ROOT3 = float(np.sqrt(3))


@dataclass(frozen=True)
class Kriging:
    """Residuals at ``points`` (N, axes), ready to interpolate. error: leave-one-out, root mean square."""

    points: Array
    weights: Array
    inverse: Array
    length: float
    scale: float
    middle: float
    error: float

    def at(self, where: Array) -> tuple[Array, Array]:
        """Residual and its standard deviation (M,) at (M, axes)."""
        k = _covariance(where, self.points, self.length)
        mean = self.middle + k @ self.weights
        variance = np.maximum(1 - np.einsum("ij,jk,ik->i", k, self.inverse, k), 0.0)
        return mean, self.scale * np.sqrt(variance) + 0 * mean


def krige(points: Array, residuals: Array, noise: Array) -> Kriging:
    """Fit to residuals (N,) at points (N, axes); noise (N,): standard deviation of each measurement, relative."""
    middle = float(np.median(residuals))
    off = residuals - middle
    scale = max(float(np.std(off)), 0.02)
    best: Kriging | None = None
    for length in LENGTHS:
        plain = _covariance(points, points, length)
        for floor in NOISES:
            total = plain + np.diag((floor**2 + noise**2) / max(scale, 0.05) ** 2)
            inverse = np.linalg.inv(total)
            weights = inverse @ off
            error = float(np.sqrt(np.mean((weights / np.diag(inverse)) ** 2)))
            if best is None or error < best.error:
                best = Kriging(points, weights, inverse, length, scale, middle, error)
    assert best is not None
    return best


def _covariance(a: Array, b: Array, length: float) -> Array:
    distance = np.sqrt(np.maximum(((a[:, None, :] - b[None, :, :]) ** 2).sum(-1), 0.0)) * ROOT3 / length
    return np.asarray((1 + distance) * np.exp(-distance))

"""The surface that a law's residuals leave: least squares over the knots, as smooth as unseen groups like it best.

Each knot is pulled a little towards no correction, so that where nothing was measured the formula stays as it is, and its
second difference along every axis is kept small. A few rounds of Huber's weights keep wild points from bending it.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from scipy import sparse

from planner.model.columns import Array
from planner.model.surface import UNIT, Axes, corners, knots
from planner.schema.coefficients import STEP

SMOOTH = (0.3, 3.0, 30.0, 300.0)
"""Weights of the second differences that are tried, in measurements: a knot counts as much as so many points."""
PULL = 0.3
"""Weight of the pull towards no correction, in measurements."""
ROUNDS, WILD = 3, 0.15
FOLDS = 3
SEED = 20241124


def bend(axes: Axes, sizes: Mapping[str, Array], residual: Array, groups: Array) -> tuple[int, ...]:
    """The table over ``axes`` that explains ``residual`` [ln(measured / formula)] (N,) best, in thousandths, to STEP of them.

    How smooth it is, is chosen on a third of ``groups`` (N,) at a time that the other two thirds have not seen.
    """
    design = _design(axes, sizes)
    kinds = np.random.default_rng(SEED).permutation(np.unique(groups))
    loss = np.zeros(len(SMOOTH))
    for fold in range(FOLDS) if len(kinds) >= FOLDS else ():
        unseen = np.isin(groups, kinds[fold::FOLDS])
        for i, found in enumerate(_solutions(axes, design[~unseen], residual[~unseen], SMOOTH)):
            loss[i] += np.abs(np.expm1(design[unseen] @ found - residual[unseen])).sum()
    (best,) = _solutions(axes, design, residual, (SMOOTH[int(np.argmin(loss))],))
    return tuple((STEP * np.rint(UNIT / STEP * best)).astype(int).tolist())


def _design(axes: Axes, sizes: Mapping[str, Array]) -> sparse.csr_matrix:
    """Weights of the knots in each point (N, knots)."""
    cells, weights = zip(*corners(axes, sizes), strict=True)
    rows = np.tile(np.arange(len(cells[0])), len(cells))
    shape = (len(cells[0]), knots(axes))
    return sparse.csr_matrix((np.concatenate(weights), (rows, np.concatenate(cells))), shape=shape)


def _solutions(axes: Axes, design: sparse.csr_matrix, residual: Array, smooth: tuple[float, ...]) -> Iterator[Array]:
    rough = _roughness(axes)
    for weight in smooth:
        found = np.zeros(design.shape[1])
        w = np.ones(len(residual))
        for _ in range(ROUNDS):
            normal = (design.T @ design.multiply(w[:, None])).toarray() + weight * rough + PULL * np.eye(len(found))
            found = np.linalg.solve(normal, design.T @ (w * residual))
            off = np.abs(design @ found - residual)
            w = np.minimum(1.0, WILD / np.maximum(off, 1e-9))
        yield found


def _roughness(axes: Axes) -> Array:
    """The quadratic form that sums squared second differences along every axis (knots, knots)."""
    sizes = [len(at) for at in axes.values()]
    total = np.zeros((knots(axes), knots(axes)))
    for axis, n in enumerate(sizes):
        second = np.diff(np.eye(n), 2, axis=0)
        before, after = int(np.prod(sizes[:axis])), int(np.prod(sizes[axis + 1 :]))
        total += np.kron(np.kron(np.eye(before), second.T @ second), np.eye(after))
    return total

"""Loss by parameters and tokens, and the model and tokens that a budget of computation buys best.

L = E + A / N^alpha + B / D^beta with C = 6 N D FLOP: Hoffmann et al., arXiv:2203.15556, section 3.3. A model that will be
served costs 2 N FLOP a token more: Sardana et al., arXiv:2401.00448, section 2.
"""

from dataclasses import dataclass

import numpy as np

from planner.model.columns import Array


@dataclass(frozen=True)
class Law:
    """Coefficients of the loss [nats a token], and who published them."""

    e: float
    a: float
    b: float
    alpha: float
    beta: float
    source: str


LAWS = {
    "epoch": Law(1.8172, 482.01, 2085.43, 0.3478, 0.3658, "Besiroglu et al., arXiv:2404.10102 (Chinchilla's runs, fitted again)"),
    "chinchilla": Law(1.69, 406.4, 410.7, 0.34, 0.28, "Hoffmann et al., arXiv:2203.15556, equation 10"),
    "sardana": Law(1.69, 406.4, 410.7, 0.336, 0.283, "Hoffmann et al., exponents as in Sardana et al., arXiv:2401.00448"),
}


@dataclass(frozen=True)
class Budget:
    """A model and its tokens: parameters, tokens, FLOP and the loss that the law expects."""

    parameters: float
    tokens: float
    flop: float
    loss: float


def loss(law: Law, parameters: float, tokens: float) -> float:
    """Expected loss [nats a token]."""
    return law.e + law.a / parameters**law.alpha + law.b / tokens**law.beta


def of_compute(law: Law, flop: float) -> Budget:
    """The parameters and tokens with the least loss for so many FLOP (arXiv:2203.15556, equation 4)."""
    g = (law.alpha * law.a / (law.beta * law.b)) ** (1 / (law.alpha + law.beta))
    parameters = g * (flop / 6) ** (law.beta / (law.alpha + law.beta))
    tokens = flop / 6 / parameters
    return Budget(parameters, tokens, flop, loss(law, parameters, tokens))


def of_loss(law: Law, target: float) -> Budget:
    """The least computation that reaches a loss: raises ValueError for one below the law's floor."""
    if target <= law.e:
        raise ValueError(f"no model reaches a loss of {target:g}: the law's floor is {law.e:g}")
    # along the optimum both terms fall as powers of C: their ratio is beta / alpha
    over = target - law.e
    first, second = over * law.beta / (law.alpha + law.beta), over * law.alpha / (law.alpha + law.beta)
    parameters, tokens = (law.a / first) ** (1 / law.alpha), (law.b / second) ** (1 / law.beta)
    return Budget(parameters, tokens, 6 * parameters * tokens, target)


def of_model(law: Law, parameters: float) -> Budget:
    """The tokens with which a model of given size is the best for its computation."""
    # A alpha / N^alpha = B beta / D^beta on the optimum
    tokens = (law.b * law.beta / (law.a * law.alpha) * parameters**law.alpha) ** (1 / law.beta)
    return Budget(parameters, tokens, 6 * parameters * tokens, loss(law, parameters, tokens))


def trained(law: Law, parameters: float, tokens: float) -> Budget:
    """A model of given size on given tokens."""
    return Budget(parameters, tokens, 6 * parameters * tokens, loss(law, parameters, tokens))


def tokens_to_reach(law: Law, parameters: Array, target: float) -> Array:
    """Tokens on which models of given sizes reach a loss (N,); infinity for a size that no number of tokens brings there."""
    left = target - law.e - law.a / np.asarray(parameters, float) ** law.alpha
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(left > 0, (law.b / left) ** (1 / law.beta), np.inf)


def bound(law: Law, parameters: float) -> float:
    """The loss that a model of given size comes near on ever more tokens [nats a token]."""
    return law.e + law.a / parameters**law.alpha


def of_life(law: Law, target: float, served: float, *, training: float = 6.0, serving: float = 2.0) -> Budget:
    """The model that reaches a loss and then answers ``served`` tokens for the least: arXiv:2401.00448, section 2.

    training, serving: what a parameter costs a token in each phase, in any one unit; by default FLOP. With money in their
    place it is the paper's analysis of costs. ``flop`` of the result is that of training. Raises ValueError as ``of_loss``.
    """
    from scipy.optimize import minimize_scalar

    largest = of_loss(law, target).parameters
    smallest = (law.a / (target - law.e)) ** (1 / law.alpha)

    def spent(log_parameters: float) -> float:
        parameters = np.exp(log_parameters)
        return float(parameters * (training * tokens_to_reach(law, parameters, target) + serving * served))

    found = minimize_scalar(spent, bounds=(np.log(smallest) + 1e-9, np.log(largest)), method="bounded", options={"xatol": 1e-6})
    return trained(law, float(np.exp(found.x)), float(tokens_to_reach(law, np.exp(found.x), target)))

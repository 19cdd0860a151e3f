"""Loss by parameters and tokens, and the model and tokens that a budget of computation buys best.

L = E + A / N^alpha + B / D^beta with C = 6 N D FLOP: Hoffmann et al., arXiv:2203.15556, section 3.3.
"""

from dataclasses import dataclass


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

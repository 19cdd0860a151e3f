"""What all of the published networks are made of."""

from collections.abc import Callable

from torch import nn

Job = tuple[str, Callable[[], nn.Module], tuple[int, ...]]
"""A network's name in the table, how it is made, and the shape of its input."""
Act = Callable[[], nn.Module]


def conv(i: int, o: int, k: int = 3, s: int = 1, act: Act | None = nn.ReLU, g: int = 1, d: int = 1) -> nn.Sequential:
    """A convolution at the same place, and its activation if any."""
    return nn.Sequential(nn.Conv2d(i, o, k, s, d * (k // 2), d, g), *([act()] if act else []))


def bare(network: nn.Module) -> nn.Module:
    """Without its batch normalisation."""
    for name, child in network.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(network, name, nn.Sequential(*(m for m in (getattr(child, "act", None),) if m)))
        else:
            bare(child)
    return network

"""What networks are made of: convolutions, branches of one map and of several, blocks, a backbone. None normalises a batch."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Job = tuple[str, Callable[[], nn.Module], tuple[int, ...]]
"""Name, constructor and the shape of one input."""
Act = Callable[[], nn.Module]
Maps = list[Tensor]
LEAKY: Act = partial(nn.LeakyReLU, 0.1)


def conv(
    i: int, o: int, k: int | tuple[int, int] = 3, s: int = 1, act: Act | None = nn.ReLU, d: int = 1, g: int = 1
) -> nn.Module:
    """A convolution of stride ``s``, dilation ``d`` and ``g`` groups that else keeps the side, and its activation."""
    kernel = k if isinstance(k, tuple) else (k, k)
    high, wide = (d * (n - 1) // 2 for n in kernel)
    return _then(nn.Conv2d(i, o, kernel, s, (high, wide), d, g), act)


plain = partial(conv, act=None)


def chain(*widths: int, **options: Any) -> nn.Sequential:
    """Convolutions from width to width."""
    return nn.Sequential(*(conv(i, o, **options) for i, o in pairwise(widths)))


def up(i: int, o: int, k: int = 2, s: int = 2, act: Act | None = None, g: int = 1) -> nn.Module:
    """A transposed convolution that makes the side ``s`` times as long, and its activation."""
    padding = (k - s + 1) // 2
    return _then(nn.ConvTranspose2d(i, o, k, s, padding, 2 * padding - k + s, g), act)


def _then(layer: nn.Module, act: Act | None) -> nn.Module:
    return nn.Sequential(layer, act()) if act else layer


def larger(x: Tensor, times: float = 2, mode: str = "bilinear") -> Tensor:
    """Resized by a factor."""
    return functional.interpolate(x, scale_factor=times, mode=mode)


def resized(x: Tensor, size: int | tuple[int, ...]) -> Tensor:
    """Resized to a size."""
    return functional.interpolate(x, size=size, mode="bilinear")


class Each(nn.Module):
    """Branches of one input."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Maps:
        """The output of each."""
        return [branch(x) for branch in self.branches]


class Sum(Each):
    """Branches of one input, added, and an activation."""

    def __init__(self, *branches: nn.Module, after: Act = nn.Identity) -> None:
        super().__init__(*branches)
        self.after = after()

    def forward(self, x: Tensor) -> Tensor:
        """One map."""
        first, *others = super().forward(x)
        return self.after(sum(others, first))


class Taps(Each):
    """Stages one after another."""

    def forward(self, x: Tensor) -> Maps:
        """The output of each."""
        return [x := stage(x) for stage in self.branches]


class Levels(Each):
    """A branch for each of several maps, or for each of the last of them."""

    def forward(self, maps: Maps) -> Maps:
        """The output of each."""
        return [branch(x) for branch, x in zip(self.branches, maps[-len(self.branches) :], strict=True)]


class Join(nn.Module):
    """Maps side by side."""

    def forward(self, maps: Maps) -> Tensor:
        """One map."""
        return torch.cat(maps, 1)


def concat(*branches: nn.Module) -> nn.Module:
    """Branches of one input, side by side."""
    return nn.Sequential(Each(*branches), Join())


def pools(*sizes: int) -> nn.Module:
    """A map and its maxima over several neighbourhoods."""
    return concat(nn.Identity(), *(nn.MaxPool2d(k, 1, k // 2) for k in sizes))


def residual(*layers: nn.Module, after: Act = nn.Identity) -> nn.Module:
    """Layers, what goes past them added, and an activation."""
    return Sum(nn.Sequential(*layers), nn.Identity(), after=after)


def basic(i: int, o: int, s: int = 1) -> nn.Module:
    """ResNet's block (arXiv:1512.03385): two 3x3, and a 1x1 past them where the shape changes."""
    past = plain(i, o, 1, s) if s > 1 or i != o else nn.Identity()
    return Sum(nn.Sequential(conv(i, o, s=s), plain(o, o)), past, after=nn.ReLU)


def separable(i: int, o: int, s: int = 1, act: Act | None = nn.ReLU6, last: Act | None = nn.ReLU6, k: int = 3) -> nn.Sequential:
    """Each channel by itself, then across channels."""
    return nn.Sequential(conv(i, i, k, s, act, g=i), conv(i, o, 1, act=last))


def inverted(i: int, o: int, s: int = 1, mid: int = 0, act: Act = nn.ReLU6) -> nn.Module:
    """MobileNetV2's block (arXiv:1801.04381), six times as wide inside if not told."""
    mid = mid or 6 * i
    layers = conv(i, mid, 1, act=act), separable(mid, o, s, act, None)
    return residual(*layers) if s == 1 and i == o else nn.Sequential(*layers)


def extra(i: int, o: int, s: int = 1, pad: int = 0) -> nn.Module:
    """One more level of SSD's (arXiv:1512.02325) beyond its backbone."""
    return nn.Sequential(conv(i, o // 2, 1), nn.Conv2d(o // 2, o, 3, s, pad), nn.ReLU())


def bare(network: nn.Module, bias: bool = False) -> nn.Module:
    """Without its batch normalisation, or with the biases that are left of it in the convolutions."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, nn.Identity())
        elif bias and isinstance(child, nn.Conv2d):
            child.bias = nn.Parameter(torch.empty(child.out_channels))
        else:
            bare(child, bias)
    return network


def stages(network: nn.Module, bias: bool = False) -> list[nn.Module]:
    """The five of torchvision's ResNet, each of which halves the side, made bare."""
    net = bare(network, bias)
    return [nn.Sequential(net.conv1, net.relu), nn.Sequential(net.maxpool, net.layer1), net.layer2, net.layer3, net.layer4]

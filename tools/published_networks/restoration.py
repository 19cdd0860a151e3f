"""Networks that make an image of an image: super-resolution."""

from collections.abc import Iterator

from torch import Tensor, nn

from published_networks.layers import Job, chain, conv, plain, residual


class _SESR(nn.Module):
    """SESR (arXiv:2103.09404), collapsed, of three colours as quic/aimet-model-zoo has it: ``blocks`` of 3x3 between two 5x5."""

    def __init__(self, blocks: int, width: int = 16, scale: int = 2) -> None:
        super().__init__()
        body = residual(chain(*[width] * (blocks + 1), act=nn.PReLU))
        self.layers = nn.Sequential(conv(3, width, 5, act=nn.PReLU), body, plain(width, 3 * scale**2, 5))
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, x: Tensor) -> Tensor:
        return self.shuffle(self.layers(x) + x.repeat(1, self.shuffle.upscale_factor**2, 1, 1))


class _Gate(nn.Module):
    """Channel attention, a sixteenth as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers = conv(width, width // 16, 1), conv(width // 16, width, 1, act=nn.Sigmoid)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), *layers)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


def _rcan(width: int = 64, groups: int = 10, blocks: int = 20, scale: int = 2) -> nn.Module:
    """RCAN (arXiv:1807.02758)."""

    def group() -> nn.Module:
        body = (residual(conv(width, width), plain(width, width), _Gate(width)) for _ in range(blocks))
        return residual(*body, plain(width, width))

    body = residual(*(group() for _ in range(groups)), plain(width, width))
    return nn.Sequential(plain(3, width), body, plain(width, width * scale**2), nn.PixelShuffle(scale), plain(width, 3))


def jobs() -> Iterator[Job]:
    """Name, constructor and shape of one input."""
    yield "paper/sesr_s", lambda: _SESR(5), (1, 3, 360, 640)
    yield "paper/rcan", _rcan, (1, 3, 360, 640)

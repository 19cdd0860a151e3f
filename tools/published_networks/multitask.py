"""Networks that find boxes, areas, lanes and depth at once."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from published_networks.layers import Each, Job, Levels, Taps, chain, conv, extra, larger, plain, stages


def _extras() -> nn.Module:
    """Three more levels beyond the backbone."""
    return Taps(extra(512, 512, 2, 1), extra(512, 256), extra(256, 256))


def _boxes(*values: int) -> nn.Module:
    """3x3 on seven levels, one for each of ``values`` an anchor."""
    widths, anchors = (64, 128, 256, 512, 512, 256, 256), (6, 6, 6, 6, 6, 6, 4)
    return Levels(*(Each(*(plain(w, a * v) for v in values)) for w, a in zip(widths, anchors, strict=True)))


class _MTResNet18(nn.Module):
    """Xilinx/Vitis-AI models/AI-Model-Zoo/VAI-1.3-Model-Zoo-Code/PyTorch/
    pt_MT-resnet18_mixed_320_512_13.65G_1.3/code/test/model_res18.py.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taps, self.extras, self.boxes = Taps(*stages(resnet18(), bias=True)), _extras(), _boxes(6, 4)
        self.tops = nn.ModuleList(plain(i, o, 1) for i, o in ((512, 256), (256, 128), (128, 64), (64, 64)))
        self.score = plain(64, 16, 1)

    def forward(self, x: Tensor) -> list[Any]:
        *sides, top = self.taps(x)
        maps = [top]
        for reduce, side in zip(self.tops, reversed(sides), strict=True):
            maps.insert(0, larger(reduce(maps[0])) + side)
        return [larger(self.score(maps[0])), *self.boxes([*maps[1:], *self.extras(top)])]


def _pair(o: int = 64) -> nn.Module:
    """3x3 and 1x1."""
    return nn.Sequential(conv(64, 64), conv(64, o, 1))


class _Branch(nn.Module):
    """A task's own layers, the context of all tasks added between them."""

    def __init__(self) -> None:
        super().__init__()
        self.own, self.mixed = _pair(), _pair()

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.mixed(self.own(x) + context)


class _MultiTaskV3(nn.Module):
    """The zoo's own code, published again as vision-agh/mt_kria code/test/model_res18v2.py: boxes of 4 classes, two
    segmentations (16 and 3), lanes, depth.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taps, self.extras, self.boxes = Taps(*stages(resnet18(), bias=True)), _extras(), _boxes(4, 4, 1)
        self.tops = nn.ModuleList(conv(i, o, 1) for i, o in ((512, 256), (256, 128)))
        self.mixes = nn.ModuleList(conv(2 * o, o) for o in (256, 128))
        self.low, self.context = conv(128, 64, 1), chain(512, 256, 256, 128, 64, k=1)
        self.branches = nn.ModuleList(_Branch() for _ in range(4))
        self.scores = nn.ModuleList(plain(64, o, 1) for o in (16, 3, 2))
        self.depth_own, self.depth_context = _pair(), conv(64, 64)
        self.depth_mixed, self.depth_wide = conv(64, 64), _pair(32)
        self.depth_score = nn.Sequential(conv(32, 32), plain(32, 1, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> list[Any]:
        *_, second, third, top = self.taps(x)
        maps = [top]
        for reduce, mix, side in zip(self.tops, self.mixes, (third, second), strict=True):
            maps.insert(0, mix(torch.cat((larger(reduce(maps[0])), side), 1)))
        low = self.low(maps[0])
        wide, context = larger(low), larger(self.context(top), 4)
        wider = larger(context)
        boxes, *areas = (branch(wide, wider) for branch in self.branches)
        seg, drivable, lane = (score(larger(area)) for score, area in zip(self.scores, areas, strict=True))
        depth = self.depth_wide(larger(self.depth_mixed(self.depth_own(low) + self.depth_context(context))))
        found = self.boxes([boxes, *maps, *self.extras(top)])
        return [larger(seg), drivable, larger(lane), self.depth_score(larger(depth)) * 80, *found]


def jobs() -> Iterator[Job]:
    """Name, constructor and shape of one input."""
    yield "paper/mt_resnet18", _MTResNet18, (1, 3, 320, 512)
    yield "paper/multitaskv3", _MultiTaskV3, (1, 3, 320, 512)

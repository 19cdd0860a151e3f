"""Depth and space: stereo, and point clouds in pillars."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from published_networks.layers import LEAKY, Each, Job, Join, Levels, Maps, Taps, basic, chain, conv, plain, up
from published_networks.segmentation import semantic_fpn_resnet18


class _Hourglass(nn.Module):
    """DispNet over six residual levels, of which the caller makes the first three; a flow a level."""

    DOWN = (64, 128, 256, 512, 512, 1024)
    UP = (512, 256, 128, 64, 32, 16)

    def __init__(self, joined: int) -> None:
        super().__init__()
        first, top = self.DOWN[2], self.DOWN[-1]
        self.join = basic(joined, first)
        self.downs = Taps(*(nn.Sequential(basic(i, o, 2), basic(o, o)) for i, o in pairwise(self.DOWN[2:])))
        self.ups = nn.ModuleList(up(i, o, 4, act=LEAKY) for i, o in pairwise((top, *self.UP)))
        sides = (*self.DOWN[-2::-1], 3)
        self.mixes = nn.ModuleList(up(o + 1 + side, o, 3, 1) for o, side in zip(self.UP, sides, strict=True))
        self.flows = nn.ModuleList(plain(width, 1) for width in (top, *self.UP))
        self.flow_ups = nn.ModuleList(up(1, 1, 4) for _ in self.UP)

    def forward(self, maps: Maps, joined: Tensor, base: Maps | None = None) -> Maps:
        maps = [*maps, first := self.join(joined), *self.downs(first)]
        x = maps.pop()
        flows = [self._flow(0, x, base)]
        for n, (grow, flow_up, mix) in enumerate(zip(self.ups, self.flow_ups, self.mixes, strict=True), 1):
            x = mix(torch.cat((grow(x), flow_up(flows[-1]), maps.pop()), 1))
            flows.append(self._flow(n, x, base))
        return flows

    def _flow(self, n: int, x: Tensor, base: Maps | None) -> Tensor:
        flow = self.flows[n](x)
        return flow if base is None else functional.relu(flow + base[n])


class _FADNet(nn.Module):
    """FADNet (arXiv:2003.10758; HKBU-HPML/FADNet networks/DispNetC.py) as Vitis AI's samples/dpu_task/fadnet runs it in parts.

    The host correlates 40 shifts between them, and the second hourglass reads both images and the flow, no warped image.
    With its transposed convolutions counted at their outputs, as thop does, it has the zoo's 220.4.
    """

    SHIFTS = 40

    def __init__(self) -> None:
        super().__init__()
        self.images, self.again = self._start(3), self._start(7)
        self.redirect = basic(256, 32)
        self.first, self.second = _Hourglass(32 + self.SHIFTS), _Hourglass(256)

    @staticmethod
    def _start(i: int) -> nn.Module:
        return Taps(conv(i, 64, 7, 2, LEAKY), basic(64, 128, 2), basic(128, 256, 2))

    def forward(self, images: Tensor) -> Tensor:
        left, right = images.chunk(2, 1)
        (*sides, seen), (*_, other) = self.images(left), self.images(right)
        shifted = [(seen[..., s:] * other[..., : seen.shape[-1] - s]).mean(1, keepdim=True) for s in range(self.SHIFTS)]
        volume = torch.cat([functional.pad(v, (s, 0)) for s, v in enumerate(shifted)], 1)
        flows = self.first([left, *sides], torch.cat((self.redirect(seen), functional.leaky_relu(volume, 0.1)), 1))
        *sides, seen = self.again(torch.cat((left, right, flows[-1]), 1))
        return self.second([left, *sides], seen, flows)[-1]


class _Pillars(nn.Module):
    """Points of pillars to a pillar's features: each layer's maximum over the points joins them for the next one."""

    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(conv(2 * i if n else i, o, 1) for n, (i, o) in enumerate(pairwise(widths)))

    def forward(self, points: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(points)
            top = x.amax(3, keepdim=True)
            points = torch.cat((x, top.expand_as(x)), 1) if layer is not self.layers[-1] else top
        return points


def _second(*scales: float) -> nn.Module:
    """SECOND's three blocks of 3x3 over the pseudo image, each brought to one size by a (transposed) convolution."""
    rows = ((64, 64, 3), (64, 128, 5), (128, 256, 5))

    def scaled(i: int, times: float) -> nn.Module:
        return up(i, 128, int(times), int(times), nn.ReLU) if times >= 1 else conv(i, 128, int(1 / times), int(1 / times))

    blocks = (nn.Sequential(conv(i, o, s=2), chain(*[o] * (count + 1))) for i, o, count in rows)
    return nn.Sequential(
        Taps(*blocks), Levels(*(scaled(o, times) for (_, o, _), times in zip(rows, scales, strict=True))), Join()
    )


class _PointPillars(nn.Module):
    """PointPillars (arXiv:1812.05784): the pillars' features, scattered over an empty image of ``grid`` by the host, then SECOND
    and a head.
    """

    def __init__(self, points: tuple[int, ...], grid: tuple[int, int], *layers: nn.Module) -> None:
        super().__init__()
        self.pillars, self.grid, self.layers = _Pillars(*points), grid, nn.Sequential(*layers)

    def forward(self, points: Tensor) -> Maps:
        features = self.pillars(points)
        image = features.new_zeros(1, features.shape[1], self.grid[0] * self.grid[1])
        places = torch.empty(features.shape[2], dtype=torch.long, device=features.device)
        return self.layers(image.index_copy(2, places, features.squeeze(3)).unflatten(2, self.grid))


def _anchor_head(*widths: int) -> nn.Module:
    """Classes, boxes and directions, 1x1 each."""
    return Each(*(plain(384, width, 1) for width in widths))


def _pointpillars_kitti() -> nn.Module:
    """second.pytorch configs/pointpillars xyres_16; 6 anchors of 3 classes: src/vai_library/pointpillars/src/postprocess."""
    return _PointPillars((4, 64), (496, 432), _second(1, 2, 4), _anchor_head(18, 42, 12))


def _pointpillars_nuscenes(points: int = 5) -> nn.Module:
    """mmdetection3d configs/pointpillars/hv_pointpillars_secfpn_sbn-all_4x8_2x_nus-3d: HardVFE of two layers, 14 anchors."""
    return _PointPillars((points, 64, 64), (400, 400), _second(1, 2, 4), _anchor_head(140, 126, 28))


def _centerpoint() -> nn.Module:
    """CenterPoint (arXiv:2006.11275), the pillar configuration (det3d, mmdetection3d centerpoint_02pillar_second_secfpn) with
    one task; 400x400 places of 64: src/vai_library/centerpoint/src/middle_process.cpp.
    """
    task = Each(*(nn.Sequential(conv(64, 64), plain(64, width)) for width in (2, 1, 3, 2, 1)))
    return _PointPillars((4, 64), (400, 400), _second(0.5, 1, 2), conv(384, 64), task)


class _PointPainting(nn.Module):
    """PointPainting (arXiv:1911.10150; src/vai_library/pointpainting/src/pointpainting_imp.cpp): six cameras of 320x576, 11
    classes, points of 16.

    The host paints the points between the two. The zoo's 126 GFLOP counts one camera (14) beside the point network (112).
    """

    CAMERAS, POINTS = 6, (40000, 64)

    def __init__(self) -> None:
        super().__init__()
        self.cameras, self.clouds = semantic_fpn_resnet18(11, bias=True), _pointpillars_nuscenes(16)

    def forward(self, image: Tensor) -> Maps:
        scores = [self.cameras(image) for _ in range(self.CAMERAS)]
        return [*scores, *self.clouds(image.new_empty(1, 16, *self.POINTS))]


def jobs() -> Iterator[Job]:
    """Name, constructor and shape of one input; points come as (1, values a point, pillars, points a pillar)."""
    yield "paper/fadnet", _FADNet, (1, 6, 576, 960)
    yield "paper/pointpillars_kitti", _pointpillars_kitti, (1, 4, 12000, 100)
    yield "paper/pointpillars_nuscenes", _pointpillars_nuscenes, (1, 5, 40000, 64)
    yield "paper/pointpainting", _PointPainting, (1, 3, 320, 576)
    yield "paper/centerpoint", _centerpoint, (1, 4, 2560, 40)

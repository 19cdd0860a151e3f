"""Stereo, point clouds, restoration, features and multi-task networks of the Vitis AI zoo 2.5, as they are published."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from published_networks.layers import Job, conv


def chain(*widths: int, k: int = 3, act: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Convolutions from width to width."""
    return nn.Sequential(*(conv(i, o, k, act=act) for i, o in pairwise(widths)))


def up(x: Tensor, factor: int = 2) -> Tensor:
    """Bilinear."""
    return functional.interpolate(x, scale_factor=factor, mode="bilinear")


def leaky() -> nn.Module:
    """Of DispNet."""
    return nn.LeakyReLU(0.1)


class _Residual(nn.Module):
    """Two 3x3 and a 1x1 beside them where the shape changes."""

    def __init__(self, i: int, o: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(i, o, s=stride), conv(o, o, act=None))
        self.side = conv(i, o, 1, stride, None) if stride > 1 or i != o else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + self.side(x))


class _Hourglass(nn.Module):
    """DispNet over six residual levels, a flow a level; its first three levels are the caller's, or ``first`` makes them."""

    WIDTHS = (64, 128, 256, 512, 512, 1024)
    OUT = (16, 32, 64, 128, 256, 512)

    def __init__(self, inputs: int, *, correlation: int) -> None:
        super().__init__()
        w = self.WIDTHS
        if not correlation:
            self.first = nn.ModuleList([conv(inputs, w[0], 7, 2, leaky), _Residual(w[0], w[1], 2), _Residual(w[1], w[2], 2)])
        self.join = _Residual(correlation or w[2], w[2])
        self.downs = nn.ModuleList(nn.Sequential(_Residual(i, o, 2), _Residual(o, o)) for i, o in pairwise(w[2:]))
        skips = (3, *w[:-1])
        before = (*self.OUT[1:], w[-1])
        self.ups = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(b, o, 4, 2, 1), leaky()) for b, o in zip(before, self.OUT, strict=True)
        )
        self.mixes = nn.ModuleList(nn.ConvTranspose2d(o + 1 + s, o, 3, 1, 1) for o, s in zip(self.OUT, skips, strict=True))
        self.flows = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for width in (*self.OUT, w[-1]))
        self.flow_ups = nn.ModuleList(nn.ConvTranspose2d(1, 1, 4, 2, 1) for _ in self.OUT)

    def forward(self, image: Tensor, levels: list[Tensor], joined: Tensor, base: list[Tensor] | None = None) -> list[Tensor]:
        levels = [image, *levels, self.join(joined)]
        for down in self.downs:
            levels.append(down(levels[-1]))
        x = levels.pop()
        flows = [self._flow(6, x, base)]
        for level in range(5, -1, -1):
            x = self.mixes[level](torch.cat((self.ups[level](x), self.flow_ups[level](flows[-1]), levels.pop()), 1))
            flows.append(self._flow(level, x, base))
        return flows

    def _flow(self, level: int, x: Tensor, base: list[Tensor] | None) -> Tensor:
        flow = self.flows[level](x)
        return flow if base is None else functional.relu(flow + base[6 - level])


class _FADNet(nn.Module):
    """arXiv:2003.10758; github HKBU-HPML/FADNet networks/DispNetC.py, as Vitis AI's samples/dpu_task/fadnet runs it in parts:
    the host correlates 40 shifts between them, and the second hourglass reads both images and the flow, no warped image.
    With its transposed convolutions counted at their outputs, as thop does, it has the zoo's 220.4."""

    SHIFTS = 40

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleList([conv(3, 64, 7, 2, leaky), _Residual(64, 128, 2), _Residual(128, 256, 2)])
        self.redirect = _Residual(256, 32)
        self.first = _Hourglass(3, correlation=32 + self.SHIFTS)
        self.second = _Hourglass(7, correlation=0)

    def forward(self, images: Tensor) -> Tensor:
        left, right = images.chunk(2, 1)
        (one, two, three), (*_, other) = self._levels(self.features, left), self._levels(self.features, right)
        width = three.shape[-1]
        shifted = [(three[..., s:] * other[..., : width - s]).mean(1, keepdim=True) for s in range(self.SHIFTS)]
        volume = torch.cat([functional.pad(v, (s, 0)) for s, v in enumerate(shifted)], 1)
        volume = functional.leaky_relu(volume, 0.1)
        flows = self.first(left, [one, two], torch.cat((self.redirect(three), volume), 1))
        x = torch.cat((left, right, flows[-1]), 1)
        one, two, three = self._levels(self.second.first, x)
        return self.second(left, [one, two], three, flows)[-1]

    @staticmethod
    def _levels(layers: nn.ModuleList, x: Tensor) -> list[Tensor]:
        found = [x]
        for layer in layers:
            found.append(layer(found[-1]))
        return found[1:]


class _Pillars(nn.Module):
    """Points of pillars to a pillar's features: each layer's maximum over the points joins them for the next one."""

    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(conv(i * (1 + (n > 0)), o, 1) for n, (i, o) in enumerate(pairwise(widths)))

    def forward(self, points: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(points)
            top = x.amax(3, keepdim=True)
            points = torch.cat((x, top.expand_as(x)), 1) if layer is not self.layers[-1] else top
        return points


class _Second(nn.Module):
    """SECOND's three blocks of 3x3 over the pseudo image, each brought to one size by a (transposed) convolution."""

    WIDTHS, LAYERS = (64, 64, 128, 256), (3, 5, 5)

    def __init__(self, scales: tuple[float, ...], width: int = 128) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(conv(i, o, s=2), chain(*[o] * (n + 1)))
            for (i, o), n in zip(pairwise(self.WIDTHS), self.LAYERS, strict=True)
        )
        self.scales = nn.ModuleList(self._scale(i, width, s) for i, s in zip(self.WIDTHS[1:], scales, strict=True))

    @staticmethod
    def _scale(i: int, o: int, scale: float) -> nn.Module:
        step = int(max(scale, 1 / scale))
        kind = nn.ConvTranspose2d if scale >= 1 else nn.Conv2d
        return nn.Sequential(kind(i, o, step, step), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for block, scale in zip(self.blocks, self.scales, strict=True):
            x = block(x)
            found.append(scale(x))
        return torch.cat(found, 1)


class _PointPillars(nn.Module):
    """arXiv:1812.05784: the pillars' features, scattered by the host over an empty image of ``grid``, and a head over SECOND."""

    def __init__(self, points: tuple[int, ...], grid: tuple[int, int], backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.pillars, self.grid, self.backbone, self.head = _Pillars(*points), grid, backbone, head

    def forward(self, points: Tensor) -> list[Tensor]:
        features = self.pillars(points)
        image = features.new_zeros(1, features.shape[1], self.grid[0] * self.grid[1])
        places = torch.empty(features.shape[2], dtype=torch.long, device=features.device)
        image = image.index_copy(2, places, features.squeeze(3)).unflatten(2, self.grid)
        return self.head(self.backbone(image))


class _Heads(nn.Module):
    """Branches of one map."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [branch(x) for branch in self.branches]


def anchor_head(*widths: int) -> nn.Module:
    """Classes, boxes and directions, 1x1 each."""
    return _Heads(*(nn.Conv2d(384, width, 1) for width in widths))


def pointpillars_kitti() -> nn.Module:
    """second.pytorch configs/pointpillars xyres_16; 6 anchors of 3 classes: src/vai_library/pointpillars/src/postprocess."""
    return _PointPillars((4, 64), (496, 432), _Second((1, 2, 4)), anchor_head(18, 42, 12))


def pointpillars_nuscenes(points: int = 5) -> nn.Module:
    """mmdetection3d configs/pointpillars/hv_pointpillars_secfpn_sbn-all_4x8_2x_nus-3d: HardVFE of two layers, 14 anchors."""
    return _PointPillars((points, 64, 64), (400, 400), _Second((1, 2, 4)), anchor_head(140, 126, 28))


def centerpoint() -> nn.Module:
    """arXiv:2006.11275, the pillar configuration (det3d, mmdetection3d centerpoint_02pillar_second_secfpn) with one task;
    400x400 places of 64: src/vai_library/centerpoint/src/middle_process.cpp."""
    task = _Heads(*(nn.Sequential(conv(64, 64), conv(64, width, act=None)) for width in (2, 1, 3, 2, 1)))
    return _PointPillars((4, 64), (400, 400), _Second((0.5, 1, 2)), nn.Sequential(conv(384, 64), task))


class _ResNet18(nn.Module):
    """torchvision's, without its normalisation and classifier: the stem and four stages."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 64, 7, 2)
        self.stages = nn.ModuleList(
            nn.Sequential(_Residual(i, o, 1 if i == o else 2), _Residual(o, o)) for i, o in pairwise((64, 64, 128, 256, 512))
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        found = [self.stem(x)]
        x = functional.max_pool2d(found[0], 3, 2, 1)
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


class _Step(nn.Module):
    """A level of the SemanticFPN below."""

    def __init__(self, i: int, width: int) -> None:
        super().__init__()
        self.level, self.out = _Residual(i, width), conv(width, width, act=None)
        self.up = nn.ConvTranspose2d(width, width, 2, 2)

    def forward(self, level: Tensor, above: Tensor) -> Tensor:
        x = self.up(above) + self.level(level)
        return functional.relu(self.out(x) + x)


class _SemanticFPN(nn.Module):
    """Xilinx/Vitis-AI models/AI-Model-Zoo/VAI-1.3-Model-Zoo-Code/PyTorch/
    pt_SemanticFPN_cityscapes_256_512_10G_1.3/code/models/fpn.py."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.backbone, self.top = _ResNet18(), conv(512, classes)
        self.steps = nn.ModuleList(_Step(i, classes) for i in (256, 128, 64))
        self.last = nn.Sequential(*(nn.ConvTranspose2d(classes, classes, 2, 2) for _ in range(2)))

    def forward(self, x: Tensor) -> Tensor:
        _, *levels, x = self.backbone(x)
        x = self.top(x)
        for step, level in zip(self.steps, reversed(levels), strict=True):
            x = step(level, x)
        return self.last(x)


class _PointPainting(nn.Module):
    """arXiv:1911.10150; src/vai_library/pointpainting/src/pointpainting_imp.cpp: six cameras of 320x576, 11 classes, points
    of 16.
    The host paints the points between the two. The zoo's 126 GFLOP counts one camera (14) beside the point network (112)."""

    CAMERAS, POINTS = 6, (40000, 64)

    def __init__(self) -> None:
        super().__init__()
        self.cameras, self.clouds = _SemanticFPN(11), pointpillars_nuscenes(16)

    def forward(self, image: Tensor) -> list[Tensor]:
        scores = [self.cameras(image) for _ in range(self.CAMERAS)]
        return [*scores, *self.clouds(image.new_empty(1, 16, *self.POINTS))]


class _Extras(nn.Module):
    """Three more levels beyond a backbone of 512, as SSD has them: stride 2, then two without padding."""

    def __init__(self) -> None:
        super().__init__()
        rows = ((512, 256, 512, 2, 1), (512, 128, 256, 1, 0), (256, 128, 256, 1, 0))
        self.blocks = nn.ModuleList(nn.Sequential(conv(i, m, 1), nn.Conv2d(m, o, 3, s, p), nn.ReLU()) for i, m, o, s, p in rows)

    def forward(self, x: Tensor) -> list[Tensor]:
        found = []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        return found


def detectors(anchors: list[int], values: tuple[int, ...]) -> nn.ModuleList:
    """3x3 heads on seven levels, one for each of ``values`` an anchor."""
    widths = (64, 128, 256, 512, 512, 256, 256)
    return nn.ModuleList(
        _Heads(*(nn.Conv2d(w, a * v, 3, padding=1) for v in values)) for w, a in zip(widths, anchors, strict=True)
    )


class _MTResNet18(nn.Module):
    """Xilinx/Vitis-AI models/AI-Model-Zoo/VAI-1.3-Model-Zoo-Code/PyTorch/
    pt_MT-resnet18_mixed_320_512_13.65G_1.3/code/test/model_res18.py."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone, self.extras = _ResNet18(), _Extras()
        self.tops = nn.ModuleList(conv(i, o, 1, act=None) for i, o in ((512, 256), (256, 128), (128, 64), (64, 64)))
        self.score = nn.Conv2d(64, 16, 1)
        self.heads = detectors([6] * 6 + [4], (6, 4))

    def forward(self, x: Tensor) -> list:
        *levels, top = self.backbone(x)
        maps = [top]
        for reduce, level in zip(self.tops, reversed(levels), strict=True):
            maps.insert(0, up(reduce(maps[0])) + level)
        seg = up(self.score(maps[0]))
        return [seg, *(head(m) for head, m in zip(self.heads, [*maps[1:], *self.extras(top)], strict=True))]


class _Branch(nn.Module):
    """A task's own layers of MultiTaskV3."""

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Sequential(conv(64, 64), conv(64, 64, 1))
        self.mixed = nn.Sequential(conv(64, 64), conv(64, 64, 1))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.mixed(self.own(x) + context)


class _MultiTaskV3(nn.Module):
    """github vision-agh/mt_kria code/test/model_res18v2.py (the zoo's own code, published again):
    boxes, two segmentations, lanes, depth."""

    CLASSES, SEG, DRIVABLE, LANE = 4, 16, 3, 2

    def __init__(self) -> None:
        super().__init__()
        self.backbone, self.extras = _ResNet18(), _Extras()
        self.tops = nn.ModuleList(conv(i, o, 1) for i, o in ((512, 256), (256, 128), (128, 64)))
        self.mixes = nn.ModuleList(conv(2 * o, o) for o in (256, 128))
        self.context = chain(512, 256, 256, 128, 64, k=1)
        self.branches = nn.ModuleList(_Branch() for _ in range(4))
        self.scores = nn.ModuleList(nn.Conv2d(64, o, 1) for o in (self.SEG, self.DRIVABLE, self.LANE))
        self.depth_own, self.depth_context = nn.Sequential(conv(64, 64), conv(64, 64, 1)), conv(64, 64)
        self.depth_mixed = conv(64, 64)
        self.depth_wide = nn.Sequential(conv(64, 64), conv(64, 32, 1))
        self.depth_score = nn.Sequential(conv(32, 32), nn.Conv2d(32, 1, 1), nn.Sigmoid())
        self.heads = detectors([6] * 6 + [4], (4, self.CLASSES, 1))

    def forward(self, x: Tensor) -> list:
        _, _, second, third, top = self.backbone(x)
        maps = [top]
        for reduce, mix, level in zip(self.tops[:-1], self.mixes, (third, second), strict=True):
            maps.insert(0, mix(torch.cat((up(reduce(maps[0])), level), 1)))
        low = self.tops[-1](maps[0])
        wide, context = up(low), up(self.context(top), 4)
        wider = up(context)
        boxes, *areas = (branch(wide, wider) for branch in self.branches)
        seg, drivable, lane = (score(up(area)) for score, area in zip(self.scores, areas, strict=True))
        depth = self.depth_wide(up(self.depth_mixed(self.depth_own(low) + self.depth_context(context))))
        levels = [boxes, *maps, *self.extras(top)]
        found = (head(m) for head, m in zip(self.heads, levels, strict=True))
        return [up(seg), drivable, up(lane), self.depth_score(up(depth)) * 80, *found]


class _SESR(nn.Module):
    """arXiv:2103.09404, collapsed, of three colours as github quic/aimet-model-zoo has it: ``blocks`` of 3x3 between two of
    5x5."""

    def __init__(self, blocks: int, width: int = 16, scale: int = 2) -> None:
        super().__init__()
        self.first, self.last = conv(3, width, 5, act=nn.PReLU), nn.Conv2d(width, 3 * scale**2, 5, padding=2)
        self.blocks, self.shuffle = chain(*[width] * (blocks + 1), act=nn.PReLU), nn.PixelShuffle(scale)

    def forward(self, x: Tensor) -> Tensor:
        first = self.first(x)
        again = x.repeat(1, 4, 1, 1)
        return self.shuffle(self.last(self.blocks(first) + first) + again)


def superpoint() -> nn.Module:
    """arXiv:1712.07629."""
    pool = nn.MaxPool2d(2)
    body = (chain(1, 64, 64), pool, chain(64, 64, 64), pool, chain(64, 128, 128), pool, chain(128, 128, 128))
    return nn.Sequential(*body, _Heads(*(nn.Sequential(conv(128, 256), nn.Conv2d(256, o, 1)) for o in (65, 256))))


class _Inverted(nn.Module):
    """MobileNetV2's block."""

    def __init__(self, i: int, o: int, stride: int, factor: int = 6) -> None:
        super().__init__()
        width, self.same = i * factor, stride == 1 and i == o
        wider = [conv(i, width, 1, act=nn.ReLU6)] if factor > 1 else []
        self.layers = nn.Sequential(*wider, conv(width, width, 3, stride, nn.ReLU6, g=width), conv(width, o, 1, act=None))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x) + x if self.same else self.layers(x)


class _HFNet(nn.Module):
    """arXiv:1812.03506; github ethz-asl/hfnet hfnet/models/hf_net.py at three quarters of its width, 32 clusters and 4096
    outputs.
    The host aggregates the clusters between the DPU's two parts (samples/dpu_task/hfnet/hfnet.cpp)."""

    LOCAL = ((24, 2), (24, 1), (24, 2), (48, 1), (96, 1))
    GLOBAL = ((48, 2), *[(48, 1)] * 3, *[(72, 1)] * 3, (120, 2), (120, 1), (120, 1), (240, 1))
    CLUSTERS = 32

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Sequential(conv(1, 24, 3, 2, nn.ReLU6), _Inverted(24, 16, 1, 1), self._chain(16, self.LOCAL))
        self.rest = self._chain(96, self.GLOBAL)
        self.local = _Heads(*(nn.Sequential(conv(96, m, act=nn.ReLU6), nn.Conv2d(m, o, 1)) for m, o in ((256, 256), (128, 65))))
        self.member, self.reduce = nn.Conv2d(240, self.CLUSTERS, 1), nn.Linear(240 * self.CLUSTERS, 4096)
        self.centres = nn.Parameter(torch.empty(1, self.CLUSTERS, 240))

    @staticmethod
    def _chain(i: int, rows: tuple[tuple[int, int], ...]) -> nn.Module:
        inputs = (i, *(o for o, _ in rows))
        return nn.Sequential(*(_Inverted(n, o, stride) for n, (o, stride) in zip(inputs, rows, strict=False)))

    def forward(self, x: Tensor) -> list[Tensor]:
        local = self.start(x)
        features = self.rest(local)
        share = self.member(features).flatten(2).softmax(1)
        clusters = share @ features.flatten(2).transpose(1, 2) - share.sum(2, keepdim=True) * self.centres
        return [*self.local(local), self.reduce(functional.normalize(clusters, dim=2).flatten(1))]


class _SphereFace(nn.Module):
    """arXiv:1704.08063, 20 layers; Xilinx/Vitis-AI models/AI-Model-Zoo/VAI-1.3-Model-Zoo-Code/PyTorch/
    pt_facerec-resnet20_mixed_112_96_3.5G_1.3/code/models/face_model.py."""

    def __init__(self) -> None:
        super().__init__()
        stages = zip(pairwise((3, 64, 128, 256, 512)), (1, 2, 4, 1), strict=True)
        self.body = nn.Sequential(
            *(nn.Sequential(conv(i, o, 3, 2), *(_Residual(o, o) for _ in range(n))) for (i, o), n in stages)
        )
        self.feature = nn.Linear(512 * 7 * 6, 512)

    def forward(self, x: Tensor) -> Tensor:
        return self.feature(self.body(x).flatten(1))


def jobs() -> Iterator[Job]:
    """Name, network and the shape of its input; points come as (1, values a point, pillars, points a pillar)."""
    yield "paper/fadnet", _FADNet, (1, 6, 576, 960)
    yield "paper/pointpillars_kitti", pointpillars_kitti, (1, 4, 12000, 100)
    yield "paper/pointpillars_nuscenes", pointpillars_nuscenes, (1, 5, 40000, 64)
    yield "paper/pointpainting", _PointPainting, (1, 3, 320, 576)
    yield "paper/centerpoint", centerpoint, (1, 4, 2560, 40)
    yield "paper/sesr_s", lambda: _SESR(5), (1, 3, 360, 640)
    yield "paper/superpoint", superpoint, (1, 1, 480, 640)
    yield "paper/hfnet", _HFNet, (1, 1, 960, 960)
    yield "paper/facerec_resnet20", _SphereFace, (1, 3, 112, 96)
    yield "paper/mt_resnet18", _MTResNet18, (1, 3, 320, 512)
    yield "paper/multitaskv3", _MultiTaskV3, (1, 3, 320, 512)

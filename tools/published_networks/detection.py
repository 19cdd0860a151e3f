"""Detectors other than YOLO: boxes, tracks, joints, masks and text; and the Inception v2 that one of them stands on."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from published_networks.layers import (
    Act,
    Each,
    Job,
    Levels,
    Maps,
    Taps,
    bare,
    chain,
    concat,
    conv,
    extra,
    inverted,
    larger,
    plain,
    resized,
    separable,
    stages,
    up,
)  # fmt: skip

relu6 = partial(conv, act=nn.ReLU6)


def _mixed(i: int, one: int, three: tuple[int, int], five: tuple[int, int], last: int, pool: type = nn.AvgPool2d) -> nn.Module:
    """1x1, 3x3, two 3x3 and a pool."""
    return concat(
        conv(i, one, 1),
        nn.Sequential(conv(i, three[0], 1), conv(*three)),
        nn.Sequential(conv(i, five[0], 1), conv(*five), conv(five[1], five[1])),
        nn.Sequential(pool(3, 1, 1), conv(i, last, 1)),
    )


def _halved(i: int, three: tuple[int, int], five: tuple[int, int]) -> nn.Module:
    """The block that halves the side."""
    return concat(
        nn.Sequential(conv(i, three[0], 1), conv(*three, s=2)),
        nn.Sequential(conv(i, five[0], 1), conv(*five), conv(five[1], five[1], s=2)),
        nn.MaxPool2d(3, 2, 1),
    )


def _inception_stages() -> tuple[nn.Module, nn.Module]:
    """To Mixed_4c and to Mixed_5c: tensorflow/models research/slim/nets/inception_v2.py (depth multiplier 8 of the first)."""
    fine = (
        plain(3, 24, 7, 2, g=3), conv(24, 64, 1), nn.MaxPool2d(3, 2, 1), conv(64, 64, 1), conv(64, 192), nn.MaxPool2d(3, 2, 1),
        _mixed(192, 64, (64, 64), (64, 96), 32),
        _mixed(256, 64, (64, 96), (64, 96), 64),
        _halved(320, (128, 160), (64, 96)),
        _mixed(576, 224, (64, 96), (96, 128), 128),
        _mixed(576, 192, (96, 128), (96, 128), 128),
    )  # fmt: skip
    coarse = (
        _mixed(576, 160, (128, 160), (128, 160), 96),
        _mixed(576, 96, (128, 192), (160, 192), 96),
        _halved(576, (128, 192), (192, 256)),
        _mixed(1024, 352, (192, 320), (160, 224), 128),
        _mixed(1024, 352, (192, 320), (192, 224), 128, nn.MaxPool2d),
    )
    return nn.Sequential(*fine), nn.Sequential(*coarse)


def _inception_v2() -> nn.Module:
    """Inception v2 (arXiv:1502.03167) as TensorFlow-slim has it, 1001 classes by a 1x1 convolution."""
    return nn.Sequential(*_inception_stages(), nn.AvgPool2d(7), plain(1024, 1001, 1))


def _mobilenet_v1_stages() -> tuple[nn.Module, nn.Module]:
    """To Conv2d_11 and to Conv2d_13 (arXiv:1704.04861)."""
    rows = ((32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), *[(512, 512, 1)] * 5)
    fine = nn.Sequential(relu6(3, 32, 3, 2), *(separable(*row) for row in rows))
    return fine, nn.Sequential(separable(512, 1024, 2), separable(1024, 1024))


def _mobilenet_v2_stages() -> tuple[nn.Module, nn.Module]:
    """To the expansion of block 14 (layer_15/expansion_output) and to the last convolution (layer_19), arXiv:1801.04381."""
    rows = ((16, 24, 2), (24, 24, 1), (24, 32, 2), *[(32, 32, 1)] * 2, (32, 64, 2), *[(64, 64, 1)] * 3, (64, 96, 1),
            *[(96, 96, 1)] * 2)  # fmt: skip
    fine = relu6(3, 32, 3, 2), separable(32, 16, last=None), *(inverted(*row) for row in rows), relu6(96, 576, 1)
    coarse = separable(576, 160, 2, last=None), *(inverted(160, o) for o in (160, 160, 320)), relu6(320, 1280, 1)
    return nn.Sequential(*fine), nn.Sequential(*coarse)


def _ssd(taps: Taps, predict: Callable[[int, int], nn.Module], widths: tuple[int, ...], boxes: tuple[int, ...], classes: int):
    """Boxes and classes of each map (arXiv:1512.02325)."""
    heads = (Each(predict(w, n * 4), predict(w, n * classes)) for w, n in zip(widths, boxes, strict=True))
    return nn.Sequential(taps, Levels(*heads))


def _ssd_tf(backbone: tuple[nn.Module, nn.Module], widths: tuple[int, int], kernel: int, light: bool = False) -> nn.Module:
    """SSD of tensorflow/models research/object_detection: feature_map_generators.multi_resolution_feature_maps, four more maps
    (512, 256, 256, 128), 3 and 6 boxes a place, 91 classes; predictors as samples/configs/ssd*_coco.config have them.
    """
    more = (512, 256, 256, 128)

    def further(i: int, o: int) -> nn.Module:
        return nn.Sequential(relu6(i, o // 2, 1), separable(o // 2, o, 2) if light else relu6(o // 2, o, s=2))

    predict = partial(separable, last=None) if light else partial(plain, k=kernel)
    taps = Taps(*backbone, *(further(i, o) for i, o in pairwise((widths[1], *more))))
    return _ssd(taps, predict, (*widths, *more), (3, 6, 6, 6, 6, 6), 91)


def _ssd_resnet34() -> nn.Module:
    """MLPerf's SSD: mlcommons/inference r0.5 others/cloud/single_stage_detector/pytorch/ssd_r34.py; the third stage keeps
    the side, predictors step three places.
    """
    net = models.resnet34()
    for layer in (net.layer3[0].conv1, net.layer3[0].downsample[0]):
        layer.stride = (1, 1)
    rows = ((256, 512, 2, 1), (512, 512, 2, 1), (512, 256, 2, 1), (256, 256, 2), (256, 256))
    taps = Taps(nn.Sequential(*stages(net)[:4]), *(extra(*row) for row in rows))
    return _ssd(taps, partial(plain, s=3), (256, 512, 512, 256, 256, 256), (4, 6, 6, 6, 4, 4), 81)


class _Pyramid(nn.Module):
    """Lateral 1x1, top down by addition, 3x3 on the levels but the first ``flat`` from the top (arXiv:1612.03144)."""

    def __init__(self, *widths: int, act: Act | None = None, flat: int = 0, mode: str = "nearest") -> None:
        super().__init__()
        smooth = (conv(256, 256, act=act) if n < len(widths) - flat else nn.Identity() for n in range(len(widths)))
        self.side, self.smooth, self.mode = Levels(*(conv(w, 256, 1, act=act) for w in widths)), Levels(*smooth), mode

    def forward(self, maps: Maps) -> Maps:
        down = accumulate(reversed(self.side(maps)), lambda top, side: larger(top, mode=self.mode) + side)
        return self.smooth(list(down)[::-1])


class _SsdFpn(nn.Module):
    """Shared predictors of four 3x3 over five levels: tensorflow/models research/object_detection
    ssd_resnet50_v1_fpn_shared_box_predictor_640x640_coco14_sync.config, 6 boxes a place, 91 classes.
    """

    def __init__(self) -> None:
        super().__init__()
        net = models.resnet50()
        for stage in (net.layer2, net.layer3, net.layer4):  # ResNet v1: the first 1x1 halves, not the 3x3
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
        self.fine = nn.Sequential(Taps(*stages(net)), _Pyramid(512, 1024, 2048, flat=1))
        self.coarse = Taps(relu6(256, 256, s=2), relu6(256, 256, s=2))
        self.heads = Each(*(nn.Sequential(chain(*[256] * 5, act=nn.ReLU6), plain(256, 6 * o)) for o in (4, 91)))

    def forward(self, x: Tensor) -> list[Maps]:
        fine = self.fine(x)
        return [self.heads(x) for x in (*fine, *self.coarse(fine[-1]))]


class _RefineDet(nn.Module):
    """RefineDet over VGG-16 (arXiv:1711.06897, 4x4 transposed as in its figure 2; the backbone of sfzhang15/RefineDet), 4 boxes
    a place as Xilinx/Vitis-AI src/vai_library/xnnpp/src/medicaldetection/priorbox.cpp has them, two convolutions before the
    last predictors as in Stick-To/RefineDet-tensorflow RefineDet320.py.
    """

    WIDTHS = (512, 512, 1024, 512)

    def __init__(self, classes: int = 21, boxes: int = 4) -> None:
        super().__init__()
        half = nn.MaxPool2d(2)
        fine = chain(3, 64, 64), half, chain(64, 128, 128), half, chain(128, 256, 256, 256), half, chain(256, 512, 512, 512)
        dense = nn.Sequential(half, conv(512, 1024, d=3), conv(1024, 1024, 1))
        last = nn.Sequential(conv(1024, 256, 1), conv(256, 512, s=2))
        self.taps = Taps(nn.Sequential(*fine), nn.Sequential(half, chain(512, 512, 512, 512)), dense, last)
        self.anchors = Levels(*(Each(plain(w, boxes * 4), plain(w, boxes * 2)) for w in self.WIDTHS))
        self.before = Levels(*(nn.Sequential(conv(w, 256), plain(256, 256)) for w in self.WIDTHS))
        self.up = nn.ModuleList(up(256, 256, 4) for _ in self.WIDTHS[1:])
        self.after = nn.ModuleList(conv(256, 256) for _ in self.WIDTHS)
        self.objects = Levels(
            *(nn.Sequential(chain(256, 256, 256), Each(plain(256, boxes * 4), plain(256, boxes * classes))) for _ in self.WIDTHS)
        )

    def forward(self, x: Tensor) -> list[Any]:
        maps = self.taps(x)
        *sides, top = self.before(maps)
        found = [self.after[-1](functional.relu(top))]
        for grow, after, side in zip(self.up, self.after, reversed(sides), strict=False):
            found.insert(0, after(functional.relu(side + grow(found[0]))))
        return self.anchors(maps) + self.objects(found)


class _Ida(nn.Module):
    """Iterative deep aggregation: each deeper map projected, enlarged and added to the one before (pose_dla_dcn.IDAUp)."""

    def __init__(self, first: int, deeper: tuple[int, ...], times: tuple[int, ...]) -> None:
        super().__init__()
        self.project = nn.ModuleList(
            nn.Sequential(conv(w, first), up(first, first, 2 * t, t, g=first)) for w, t in zip(deeper, times, strict=True)
        )
        self.node = nn.ModuleList(conv(first, first) for _ in deeper)

    def forward(self, maps: Maps) -> Maps:
        out = maps[:1]
        for x, project, node in zip(maps[1:], self.project, self.node, strict=True):
            out.append(node(project(x) + out[-1]))
        return out


class _FairMot(nn.Module):
    """FairMOT over DLA-34 (arXiv:2004.01888, ifzhang/FairMOT src/lib/models/networks/pose_dla_dcn.py), plain convolutions in
    place of deformable ones; maps of 1, 2, 2 and 128 or 256 channels.
    """

    def __init__(self, identity: int = 256) -> None:
        super().__init__()
        net = bare(timm.create_model("dla34", pretrained=False))
        self.taps = Taps(nn.Sequential(net.base_layer, net.level0, net.level1, net.level2), net.level3, net.level4, net.level5)
        rows = ((256, (512,)), (128, (256, 256)), (64, (128, 128, 128)))
        self.ups = nn.ModuleList(_Ida(first, deeper, (2,) * len(deeper)) for first, deeper in rows)
        self.last = _Ida(64, (128, 256), (2, 4))
        self.heads = Each(*(nn.Sequential(conv(64, 256), plain(256, o, 1)) for o in (1, 2, 2, identity)))

    def forward(self, x: Tensor) -> Maps:
        maps, out = self.taps(x), []
        for n, aggregate in enumerate(self.ups, 2):
            maps[-n:] = aggregate(maps[-n:])
            out.insert(0, maps[-1])
        return self.heads(self.last(out)[-1])


class _MoveNet(nn.Module):
    """MoveNet lightning as fire717/movenet.pytorch lib/models/movenet_mobilenetv2.py has it, 17 joints."""

    def __init__(self, joints: int = 17) -> None:
        super().__init__()
        block, across = partial(inverted, act=nn.ReLU), partial(separable, act=None, last=nn.ReLU)

        def stage(i: int, o: int, s: int, again: int) -> nn.Module:
            return nn.Sequential(block(i, o, s), *(block(o, o, mid=6 * i) for _ in range(again)))

        first = nn.Sequential(conv(3, 32, 3, 2), separable(32, 16, 1, nn.ReLU, None), stage(16, 24, 2, 1))
        deep = stage(64, 96, 1, 2), stage(96, 160, 2, 2), block(160, 320), conv(320, 1280, 1), plain(1280, 64, 1)
        self.taps = Taps(first, stage(24, 32, 2, 2), stage(32, 64, 2, 3), nn.Sequential(*deep))
        self.side = nn.ModuleList(plain(w, w, 1) for w in (64, 32, 24))
        self.up = nn.ModuleList([nn.Identity(), *(separable(i, o, 1, nn.ReLU, nn.ReLU) for i, o in ((64, 32), (32, 24)))])
        heads = (nn.Sequential(across(24, 96), plain(96, o, 1)) for o in (joints, 1, 2 * joints, 2 * joints))
        self.last = nn.Sequential(across(24, 24), Each(*heads))

    def forward(self, x: Tensor) -> Maps:
        *sides, x = self.taps(x)
        for project, grow, side in zip(self.side, self.up, reversed(sides), strict=True):
            x = larger(grow(x)) + project(side)
        return self.last(x)


class _Solo(nn.Module):
    """Decoupled SOLO, light (arXiv:1912.04488, open-mmlab/mmdetection configs/solo/decoupled_solo_light_r50_fpn_3x_coco.py),
    its grids as in Xilinx/Vitis-AI src/vai_library/xnnpp/src/solo.cpp: the coordinates are inputs, made before.
    """

    GRIDS = (40, 20, 20, 10, 10)

    def __init__(self, classes: int = 80) -> None:
        super().__init__()
        self.levels = nn.Sequential(Taps(*stages(models.resnet50())), _Pyramid(256, 512, 1024, 2048))
        self.masks, self.kinds = chain(258, *[256] * 4), nn.Sequential(chain(*[256] * 5), plain(256, classes))
        self.lines = nn.ModuleList(Each(plain(256, n), plain(256, n)) for n in self.GRIDS)

    def forward(self, x: Tensor) -> Maps:
        levels = self.levels(x)
        levels.append(functional.max_pool2d(levels[-1], 1, 2))
        levels[0], levels[4] = larger(levels[0], 0.5), larger(levels[4])
        side = 2 * levels[0].shape[-1]
        return [
            y for x, lines, grid in zip(levels, self.lines, self.GRIDS, strict=True) for y in self._level(x, lines, grid, side)
        ]

    def _level(self, x: Tensor, lines: nn.Module, grid: int, side: int) -> Maps:
        places = x.new_empty(1, 2, *x.shape[2:])
        found = lines(larger(self.masks(torch.cat([x, places], 1))))
        fitted = [resized(line, side) if side != line.shape[-1] else line for line in found]
        kinds = self.kinds(resized(x, grid))
        return [*fitted, kinds, functional.max_pool2d(kinds, 2, 1, 1)]


class _TextMountain(nn.Module):
    """TextMountain (arXiv:1811.12786, uunnhh/TextMountain models/models.py): ResNet-50 of three first 3x3, a pyramid whose
    levels are joined; five maps at a quarter of the side, as Xilinx/Vitis-AI textmountain_postimp.cpp reads them.
    """

    def __init__(self) -> None:
        super().__init__()
        backbone = timm.create_model("resnet50", features_only=True, stem_type="deep", stem_width=64)
        pyramid = _Pyramid(256, 512, 1024, 2048, act=nn.ReLU, flat=1, mode="bilinear")
        self.levels = nn.Sequential(bare(backbone), pyramid)
        self.head = nn.Sequential(conv(1024, 256), plain(256, 5, 1))

    def forward(self, x: Tensor) -> Tensor:
        first, *others = self.levels(x)
        return self.head(torch.cat([first, *(larger(x, 2**n) for n, x in enumerate(others, 1))], 1))


def jobs() -> Iterator[Job]:
    """Name, constructor and shape of one input."""
    yield "paper/inception_v2", _inception_v2, (1, 3, 224, 224)
    yield "paper/ssd_inception_v2", lambda: _ssd_tf(_inception_stages(), (576, 1024), 3), (1, 3, 300, 300)
    yield "paper/ssd_mobilenet_v1", lambda: _ssd_tf(_mobilenet_v1_stages(), (512, 1024), 1), (1, 3, 300, 300)
    yield "paper/ssd_mobilenet_v2", lambda: _ssd_tf(_mobilenet_v2_stages(), (576, 1280), 3), (1, 3, 300, 300)
    yield "paper/ssdlite_mobilenet_v2", lambda: _ssd_tf(_mobilenet_v2_stages(), (576, 1280), 3, light=True), (1, 3, 300, 300)
    yield "paper/ssd_resnet34", _ssd_resnet34, (1, 3, 1200, 1200)
    yield "paper/ssd_resnet50_fpn", _SsdFpn, (1, 3, 640, 640)
    yield "paper/refinedet_vgg16", _RefineDet, (1, 3, 320, 320)
    yield "paper/fairmot", _FairMot, (1, 3, 640, 480)
    yield "paper/movenet", _MoveNet, (1, 3, 192, 192)
    yield "paper/solo_resnet50", _Solo, (1, 3, 640, 640)
    yield "paper/textmountain", _TextMountain, (1, 3, 960, 960)

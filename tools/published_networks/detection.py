"""Detectors, text and pose networks of the Vitis AI zoo 2.5 by their published architecture, batch normalisation folded away."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import timm
import torch
from torch import nn
from torch.nn import functional
from torchvision import models

from published_networks.layers import Act, Job, bare, conv

Layer = Callable[..., nn.Module]
Images = list[torch.Tensor]


def depthwise(i: int, o: int, s: int = 1, act: Act | None = nn.ReLU6, last: Act | None = nn.ReLU6, k: int = 3) -> nn.Sequential:
    """Each channel alone, then across channels."""
    return nn.Sequential(conv(i, i, k, s, act, g=i), conv(i, o, 1, 1, last))


def chain(layer: Layer, *widths: int) -> nn.Sequential:
    """Layers from width to width."""
    return nn.Sequential(*(layer(i, o) for i, o in itertools.pairwise(widths)))


class Sum(nn.Module):
    """What the body makes of the input, added to it or to a projection of it."""

    def __init__(self, body: nn.Module, short: nn.Module | None = None, after: Act = nn.Identity) -> None:
        super().__init__()
        self.body, self.short, self.after = body, short or nn.Identity(), after()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One map."""
        return self.after(self.body(x) + self.short(x))


class Cat(nn.Module):
    """Branches side by side."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One map."""
        return torch.cat([branch(x) for branch in self.branches], 1)


class Taps(nn.Module):
    """Stages one after another; the output of each."""

    def __init__(self, *stages: nn.Module) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def forward(self, x: torch.Tensor) -> Images:
        """The maps."""
        return [x := stage(x) for stage in self.stages]


def larger(x: torch.Tensor, times: float = 2, mode: str = "bilinear") -> torch.Tensor:
    """Resized by a factor."""
    return functional.interpolate(x, scale_factor=times, mode=mode)


def resnet_taps(name: str) -> Taps:
    """torchvision's residual network by its four resolutions."""
    net = bare(getattr(models, name)())
    return Taps(nn.Sequential(net.conv1, net.relu, net.maxpool, net.layer1), net.layer2, net.layer3, net.layer4)


# ------------------------------------------------------------------------------------------------------ Inception v2 and SSD

AVERAGE, MAXIMUM = partial(nn.AvgPool2d, 3, 1, 1), partial(nn.MaxPool2d, 3, 1, 1)
relu6 = partial(conv, act=nn.ReLU6)


def mixed(i: int, one: int, three: tuple[int, int], five: tuple[int, int], pool: int, kind: Act = AVERAGE) -> Cat:
    """1x1, 3x3, two 3x3 and a pool."""
    return Cat(
        conv(i, one, 1),
        nn.Sequential(conv(i, three[0], 1), conv(*three)),
        nn.Sequential(conv(i, five[0], 1), conv(*five), conv(five[1], five[1])),
        nn.Sequential(kind(), conv(i, pool, 1)),
    )


def halved(i: int, three: tuple[int, int], five: tuple[int, int]) -> Cat:
    """The block that halves the side."""
    return Cat(
        nn.Sequential(conv(i, three[0], 1), conv(*three, s=2)),
        nn.Sequential(conv(i, five[0], 1), conv(*five), conv(five[1], five[1], s=2)),
        nn.MaxPool2d(3, 2, 1),
    )


def inception_stages() -> tuple[nn.Module, nn.Module]:
    """To Mixed_4c and to Mixed_5c: tensorflow/models research/slim/nets/inception_v2.py (depth multiplier 8 of the first)."""
    stem = (nn.Conv2d(3, 24, 7, 2, 3, groups=3), conv(24, 64, 1), nn.MaxPool2d(3, 2, 1), conv(64, 64, 1), conv(64, 192))
    third = (nn.MaxPool2d(3, 2, 1), mixed(192, 64, (64, 64), (64, 96), 32), mixed(256, 64, (64, 96), (64, 96), 64))
    fourth = (
        halved(320, (128, 160), (64, 96)),
        mixed(576, 224, (64, 96), (96, 128), 128),
        mixed(576, 192, (96, 128), (96, 128), 128),
    )
    fifth = (
        mixed(576, 160, (128, 160), (128, 160), 96),
        mixed(576, 96, (128, 192), (160, 192), 96),
        halved(576, (128, 192), (192, 256)),
        mixed(1024, 352, (192, 320), (160, 224), 128),
        mixed(1024, 352, (192, 320), (192, 224), 128, MAXIMUM),
    )
    return nn.Sequential(*stem, *third, *fourth), nn.Sequential(*fifth)


def inception_v2() -> nn.Module:
    """Inception v2 (arXiv:1502.03167) as TensorFlow-slim has it, 1001 classes by a 1x1 convolution."""
    return nn.Sequential(*inception_stages(), nn.AvgPool2d(7), nn.Conv2d(1024, 1001, 1))


class Ssd(nn.Module):
    """Boxes and classes of each map (arXiv:1512.02325)."""

    def __init__(self, taps: Taps, predict: Callable[[int, int], nn.Module], widths: list[int], boxes: list[int], classes: int):
        super().__init__()
        self.taps = taps
        self.boxes = nn.ModuleList(predict(w, n * 4) for w, n in zip(widths, boxes, strict=True))
        self.classes = nn.ModuleList(predict(w, n * classes) for w, n in zip(widths, boxes, strict=True))

    def forward(self, x: torch.Tensor) -> list[Images]:
        """The maps of each level."""
        return [[b(x), c(x)] for x, b, c in zip(self.taps(x), self.boxes, self.classes, strict=True)]


def ssd_tf(stages: tuple[nn.Module, ...], widths: tuple[int, int], kernel: int, light: bool = False) -> nn.Module:
    """SSD of tensorflow/models research/object_detection: feature_map_generators.multi_resolution_feature_maps, four more maps
    (512, 256, 256, 128), 3 and 6 boxes a place, 91 classes; predictors as samples/configs/ssd*_coco.config have them."""
    more = (512, 256, 256, 128)

    def extra(i: int, o: int) -> nn.Module:
        return nn.Sequential(relu6(i, o // 2, 1), depthwise(o // 2, o, 2) if light else relu6(o // 2, o, 3, 2))

    def predict(i: int, o: int) -> nn.Module:
        return depthwise(i, o, last=None) if light else conv(i, o, kernel, act=None)

    extras = (extra(i, o) for i, o in itertools.pairwise((widths[1], *more)))
    return Ssd(Taps(*stages, *extras), predict, [*widths, *more], [3, 6, 6, 6, 6, 6], 91)


def mobilenet_v1_stages() -> tuple[nn.Module, nn.Module]:
    """To Conv2d_11 and to Conv2d_13 (arXiv:1704.04861)."""
    first = ((32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), *[(512, 512, 1)] * 5)
    body = [depthwise(*layer) for layer in first]
    return nn.Sequential(relu6(3, 32, 3, 2), *body), nn.Sequential(depthwise(512, 1024, 2), depthwise(1024, 1024))


def inverted(i: int, o: int, s: int = 1, times: int = 6, act: Act = nn.ReLU6) -> nn.Module:
    """MobileNet v2's block (arXiv:1801.04381)."""
    body = nn.Sequential(conv(i, i * times, 1, act=act), depthwise(i * times, o, s, act, None))
    return Sum(body) if s == 1 and i == o else body


def mobilenet_v2_stages() -> tuple[nn.Module, nn.Module]:
    """To the expansion of block 14 (layer_15/expansion_output) and to the last convolution (layer_19), arXiv:1801.04381."""
    rows = ((16, 24, 2, 2), (24, 32, 3, 2), (32, 64, 4, 2), (64, 96, 3, 1))
    body = [inverted(i if n == 0 else o, o, s if n == 0 else 1) for i, o, count, s in rows for n in range(count)]
    first = nn.Sequential(relu6(3, 32, 3, 2), depthwise(32, 16, last=None), *body, relu6(96, 576, 1))
    last = (depthwise(576, 160, 2, last=None), inverted(160, 160), inverted(160, 160), inverted(160, 320), relu6(320, 1280, 1))
    return first, nn.Sequential(*last)


def ssd_resnet34() -> nn.Module:
    """MLPerf's SSD: mlcommons/inference r0.5 others/cloud/single_stage_detector/pytorch/ssd_r34.py; the third stage keeps
    the side, predictors step three places."""
    net = bare(models.resnet34())
    for layer in (net.layer3[0].conv1, net.layer3[0].downsample[0]):
        layer.stride = (1, 1)
    first = nn.Sequential(net.conv1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3)

    def extra(i: int, mid: int, o: int, s: int, pad: int) -> nn.Module:
        return nn.Sequential(conv(i, mid, 1), nn.Conv2d(mid, o, 3, s, pad), nn.ReLU())

    rows = ((256, 256, 512, 2, 1), (512, 256, 512, 2, 1), (512, 128, 256, 2, 1), (256, 128, 256, 2, 0), (256, 128, 256, 1, 0))
    taps = Taps(first, *(extra(*row) for row in rows))
    return Ssd(taps, partial(conv, s=3, act=None), [256, 512, 512, 256, 256, 256], [4, 6, 6, 6, 4, 4], 81)


class Pyramid(nn.Module):
    """Lateral 1x1, top down by addition, 3x3 on the levels but the first ``plain`` from the top (arXiv:1612.03144)."""

    def __init__(self, widths: list[int], width: int = 256, act: Act | None = None, plain: int = 0, mode: str = "nearest"):
        super().__init__()
        self.side = nn.ModuleList(conv(w, width, 1, act=act) for w in widths)
        smooth = [conv(width, width, act=act) for _ in widths[plain:]]
        self.smooth = nn.ModuleList([*smooth, *(nn.Identity() for _ in range(plain))])
        self.mode = mode

    def forward(self, maps: Images) -> Images:
        """The maps."""
        sides = [side(x) for side, x in zip(self.side, maps, strict=True)]
        down = list(itertools.accumulate(reversed(sides), lambda top, side: larger(top, mode=self.mode) + side))
        return [smooth(x) for smooth, x in zip(self.smooth, reversed(down), strict=True)]


class SsdFpn(nn.Module):
    """Shared predictors of four 3x3 over five levels: tensorflow/models research/object_detection
    ssd_resnet50_v1_fpn_shared_box_predictor_640x640_coco14_sync.config, 6 boxes a place, 91 classes."""

    def __init__(self) -> None:
        super().__init__()
        net = models.resnet50()
        for stage in (net.layer2, net.layer3, net.layer4):  # ResNet v1: the first 1x1 halves, not the 3x3
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
        bare(net)
        self.taps = Taps(nn.Sequential(net.conv1, net.relu, net.maxpool, net.layer1, net.layer2), net.layer3, net.layer4)
        self.pyramid = Pyramid([512, 1024, 2048], plain=1)
        self.coarse = Taps(relu6(256, 256, s=2), relu6(256, 256, s=2))
        self.towers = nn.ModuleList(nn.Sequential(chain(relu6, *[256] * 5), conv(256, o, act=None)) for o in (24, 546))

    def forward(self, x: torch.Tensor) -> list[Images]:
        """The maps of each level."""
        fine = self.pyramid(self.taps(x))
        return [[tower(x) for tower in self.towers] for x in (*fine, *self.coarse(fine[-1]))]


class RefineDet(nn.Module):
    """RefineDet over VGG-16 (arXiv:1711.06897, 4x4 transposed as in its figure 2; the backbone of sfzhang15/RefineDet), 4 boxes
    a place as Xilinx/Vitis-AI src/vai_library/xnnpp/src/medicaldetection/priorbox.cpp has them, two convolutions before the
    last predictors as in Stick-To/RefineDet-tensorflow RefineDet320.py."""

    def __init__(self, classes: int = 21, boxes: int = 4) -> None:
        super().__init__()
        rows = [(3, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512), (512, 512, 512, 512)]
        vgg, half = [chain(conv, *row) for row in rows], partial(nn.MaxPool2d, 2, 2)
        fine = nn.Sequential(vgg[0], half(), vgg[1], half(), vgg[2], half(), vgg[3])
        dense = nn.Sequential(half(), conv(512, 1024, d=3), conv(1024, 1024, 1))
        self.taps = Taps(fine, nn.Sequential(half(), vgg[4]), dense, nn.Sequential(conv(1024, 256, 1), conv(256, 512, s=2)))
        widths = (512, 512, 1024, 512)
        self.anchors = nn.ModuleList(conv(w, o, act=None) for w in widths for o in (boxes * 4, boxes * 2))
        self.before = nn.ModuleList(nn.Sequential(conv(w, 256), conv(256, 256, act=None)) for w in widths)
        self.up = nn.ModuleList(nn.ConvTranspose2d(256, 256, 4, 2, 1) for _ in widths[1:])
        self.after = nn.ModuleList(conv(256, 256) for _ in widths)
        self.towers = nn.ModuleList(chain(conv, 256, 256, 256) for _ in widths)
        self.objects = nn.ModuleList(conv(256, o, act=None) for _ in widths for o in (boxes * 4, boxes * classes))

    def forward(self, x: torch.Tensor) -> Images:
        """The maps."""
        maps = self.taps(x)
        twice = [x for x in maps for _ in range(2)]
        found = [anchor(x) for anchor, x in zip(self.anchors, twice, strict=True)]
        top = None
        for level in reversed(range(len(maps))):
            x = self.before[level](maps[level])
            x = functional.relu(x if top is None else x + self.up[level](top))
            top = self.after[level](x)
            inside = self.towers[level](top)
            found += [head(inside) for head in self.objects[2 * level : 2 * level + 2]]
        return found


# -------------------------------------------------------------------------------------------------------------------- YOLO

leaky = partial(conv, act=partial(nn.LeakyReLU, 0.1))


class YoloV4(nn.Module):
    """YOLOv4 (arXiv:2004.10934, AlexeyAB/darknet cfg/yolov4.cfg), leaky everywhere."""

    def __init__(self, classes: int = 80, pools: tuple[int, ...] = (5, 9, 13)) -> None:
        super().__init__()
        stages = [self._stage(*row) for row in ((32, 64, 1, 64), (64, 128, 2), (128, 256, 8), (256, 512, 8), (512, 1024, 4))]
        self.taps = Taps(nn.Sequential(leaky(3, 32), *stages[:3]), *stages[3:])
        spp = Cat(nn.Identity(), *(nn.MaxPool2d(k, 1, k // 2) for k in pools))
        self.top = nn.Sequential(self._alternate(1024, 512, 3), spp, self._alternate(2048, 512, 3))
        self.narrow = nn.ModuleList(leaky(i, o, 1) for i, o in ((512, 256), (256, 128)))
        self.side = nn.ModuleList(leaky(i, o, 1) for i, o in ((512, 256), (256, 128)))
        self.merge = nn.ModuleList(self._alternate(i, o, 5) for i, o in ((512, 256), (256, 128), (512, 256), (1024, 512)))
        self.down = nn.ModuleList(leaky(i, o, 3, 2) for i, o in ((128, 256), (256, 512)))
        outputs = 3 * (classes + 5)
        self.heads = nn.ModuleList(nn.Sequential(leaky(w, 2 * w), conv(2 * w, outputs, 1, act=None)) for w in (128, 256, 512))

    @staticmethod
    def _stage(i: int, o: int, count: int, width: int = 0) -> nn.Module:
        half = width or o // 2
        inner = o // 2
        blocks = [Sum(nn.Sequential(leaky(half, inner, 1), leaky(inner, half))) for _ in range(count)]
        split = Cat(nn.Sequential(leaky(o, half, 1), *blocks, leaky(half, half, 1)), leaky(o, half, 1))
        return nn.Sequential(leaky(i, o, 3, 2), split, leaky(2 * half, o, 1))

    @staticmethod
    def _alternate(i: int, o: int, count: int) -> nn.Module:
        wide = [leaky(i, o, 1), *(leaky(o, 2 * o) if n % 2 == 0 else leaky(2 * o, o, 1) for n in range(count - 1))]
        return nn.Sequential(*wide)

    def forward(self, x: torch.Tensor) -> Images:
        """The maps."""
        c3, c4, c5 = self.taps(x)
        p5 = self.top(c5)
        p4 = self.merge[0](torch.cat([self.side[0](c4), larger(self.narrow[0](p5), mode="nearest")], 1))
        p3 = self.merge[1](torch.cat([self.side[1](c3), larger(self.narrow[1](p4), mode="nearest")], 1))
        n4 = self.merge[2](torch.cat([self.down[0](p3), p4], 1))
        n5 = self.merge[3](torch.cat([self.down[1](n4), p5], 1))
        return [head(x) for head, x in zip(self.heads, (p3, n4, n5), strict=True)]


def csp(layer: Layer, i: int, o: int, count: int, add: bool = True) -> nn.Module:
    """YOLOv5's C3, and YOLOX's CSP layer."""
    half = o // 2
    blocks = [nn.Sequential(layer(half, half, 1), layer(half, half)) for _ in range(count)]
    inner = nn.Sequential(layer(i, half, 1), *(Sum(block) if add else block for block in blocks))
    return nn.Sequential(Cat(inner, layer(i, half, 1)), layer(2 * half, o, 1))


class Chained(nn.Module):
    """Three pools of 5, one after another, joined: YOLOv5's SPPF."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One map."""
        return torch.cat([x, *itertools.accumulate(range(3), lambda y, _: functional.max_pool2d(y, 5, 1, 2), initial=x)][1:], 1)


class Focus(nn.Module):
    """Every second place into channels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One map."""
        return torch.cat([x[..., r::2, c::2] for c in (0, 1) for r in (0, 1)], 1)


class Yolo5(nn.Module):
    """The backbone and neck that YOLOv5 (ultralytics/yolov5 models/yolov5m.yaml, v6.0) and YOLOX (arXiv:2107.08430) share,
    three quarters of the width and two thirds of the depth ("m"); ``head`` by the width of a level, the pools ``early`` in the
    last stage or late."""

    def __init__(self, layer: Layer, stem: nn.Module, pool: nn.Module, head: Callable[[int], nn.Module], early: bool) -> None:
        super().__init__()
        w = (48, 96, 192, 384, 768)
        pooled = nn.Sequential(layer(w[4], w[3], 1), pool, layer(4 * w[3], w[4], 1))
        down = [layer(i, o, 3, 2) for i, o in itertools.pairwise(w)]
        body = [csp(layer, o, o, n) for o, n in zip(w[1:], (2, 6 if early else 4, 6), strict=False)]
        tail = csp(layer, w[4], w[4], 2, add=not early)
        last = (pooled, tail) if early else (tail, pooled)
        first = nn.Sequential(stem, down[0], body[0], down[1], body[1])
        self.taps = Taps(first, nn.Sequential(down[2], body[2]), nn.Sequential(down[3], *last))
        self.narrow = nn.ModuleList([layer(w[4], w[3], 1), layer(w[3], w[2], 1)])
        rows = ((2 * w[3], w[3]), (2 * w[2], w[2]), (2 * w[2], w[3]), (2 * w[3], w[4]))
        self.merge = nn.ModuleList(csp(layer, i, o, 2, add=False) for i, o in rows)
        self.down = nn.ModuleList([layer(w[2], w[2], 3, 2), layer(w[3], w[3], 3, 2)])
        self.heads = nn.ModuleList(head(i) for i in w[2:])

    def forward(self, x: torch.Tensor) -> Images:
        """The maps."""
        c3, c4, c5 = self.taps(x)
        p5 = self.narrow[0](c5)
        p4 = self.narrow[1](self.merge[0](torch.cat([larger(p5, mode="nearest"), c4], 1)))
        p3 = self.merge[1](torch.cat([larger(p4, mode="nearest"), c3], 1))
        n4 = self.merge[2](torch.cat([self.down[0](p3), p4], 1))
        n5 = self.merge[3](torch.cat([self.down[1](n4), p5], 1))
        return [head(x) for head, x in zip(self.heads, (p3, n4, n5), strict=True)]


def yolov5m() -> nn.Module:
    """YOLOv5m 6.0: model_zoo/model-list/pt_OFA-yolo_3.5/model_info.md names YOLOv5; leaky, as the DPU has no SiLU."""
    stem = nn.Sequential(nn.Conv2d(3, 48, 6, 2, 2), nn.LeakyReLU(0.1))
    return Yolo5(leaky, stem, Chained(), lambda w: conv(w, 255, 1, act=None), early=False)


class Branches(nn.Module):
    """YOLOX's head of one level: classes, and boxes with how sure they are."""

    def __init__(self, layer: Layer, i: int, w: int, classes: int) -> None:
        super().__init__()
        self.stem, self.towers = layer(i, w, 1), nn.ModuleList(chain(layer, w, w, w) for _ in range(2))
        self.outputs = nn.ModuleList(conv(w, o, 1, act=None) for o in (classes, 4, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One map."""
        x = self.stem(x)
        classes, boxes = (tower(x) for tower in self.towers)
        return torch.cat([out(y) for out, y in zip(self.outputs, (classes, boxes, boxes), strict=True)], 1)


def yolox_m(classes: int = 45) -> nn.Module:
    """YOLOX-m (arXiv:2107.08430; "Yolox-m" in model_zoo/model-list/pt_yolox_TT100K_640_640_73G_2.5/model.yaml)."""
    pool = Cat(nn.Identity(), *(nn.MaxPool2d(k, 1, k // 2) for k in (5, 9, 13)))
    stem = nn.Sequential(Focus(), leaky(12, 48))
    return Yolo5(leaky, stem, pool, lambda w: Branches(leaky, w, 192, classes), early=True)


class YoloFastest(nn.Module):
    """dog-qiuqiu/Yolo-Fastest ModelZoo/yolo-fastest-1.0_coco/yolo-fastest.cfg, here for two classes."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        rows = ((4, 24, 8, 2), *[(8, 32, 8, 1)] * 2, (8, 32, 8, 2), *[(8, 48, 8, 1)] * 2, (8, 48, 16, 1), *[(16, 96, 16, 1)] * 4,
                (16, 96, 24, 2), *[(24, 136, 24, 1)] * 4)  # fmt: skip
        stem = (leaky(3, 8, 3, 2), leaky(8, 8, 1), self._block(8, 8, 4, widen=False), self._block(4, 8, 4))
        first = nn.Sequential(*stem, *(self._block(*row) for row in rows), leaky(24, 136, 1))
        deep = (self._block(136, 136, 48, 2, widen=False), *(self._block(48, 224, 48) for _ in range(5)), leaky(48, 96, 1))
        self.taps = Taps(first, nn.Sequential(*deep))
        self.merge = leaky(96 + 136, 96, 1)
        self.heads = nn.ModuleList(self._head(o, 3 * (classes + 5)) for o in (128, 96))

    @staticmethod
    def _block(i: int, mid: int, o: int, s: int = 1, widen: bool = True) -> nn.Module:
        body = nn.Sequential(*([leaky(i, mid, 1)] if widen else []), leaky(mid, mid, 3, s, g=mid), conv(mid, o, 1, act=None))
        return Sum(body) if s == 1 and i == o else body

    @staticmethod
    def _head(o: int, outputs: int) -> nn.Module:
        pair = [nn.Sequential(leaky(i, i, 5, g=i), conv(i, o, 1, act=None)) for i in (96, o)]
        return nn.Sequential(*pair, conv(o, outputs, 1, act=None))

    def forward(self, x: torch.Tensor) -> Images:
        """The maps."""
        fine, coarse = self.taps(x)
        joined = self.merge(torch.cat([larger(coarse, mode="nearest"), fine], 1))
        return [self.heads[0](coarse), self.heads[1](joined)]


# --------------------------------------------------------------------------------------------- tracking, pose, masks, text


class Ida(nn.Module):
    """Iterative deep aggregation: each deeper map projected, enlarged and added to the one before (pose_dla_dcn.IDAUp)."""

    def __init__(self, widths: list[int], o: int, times: list[int]) -> None:
        super().__init__()
        self.project = nn.ModuleList(conv(w, o) for w in widths[1:])
        self.up = nn.ModuleList(nn.ConvTranspose2d(o, o, 2 * t, t, t // 2, groups=o) for t in times)
        self.node = nn.ModuleList(conv(o, o) for _ in widths[1:])

    def forward(self, maps: Images) -> Images:
        """The maps."""
        out = [maps[0]]
        for x, project, up, node in zip(maps[1:], self.project, self.up, self.node, strict=True):
            out.append(node(up(project(x)) + out[-1]))
        return out


class FairMot(nn.Module):
    """FairMOT over DLA-34 (arXiv:2004.01888, ifzhang/FairMOT src/lib/models/networks/pose_dla_dcn.py), plain convolutions in
    place of deformable ones; maps of 1, 2, 2 and 128 or 256 channels."""

    def __init__(self, identity: int = 256) -> None:
        super().__init__()
        net = bare(timm.create_model("dla34", pretrained=False))
        self.taps = Taps(nn.Sequential(net.base_layer, net.level0, net.level1, net.level2), net.level3, net.level4, net.level5)
        widths = ([256, 512], [128, 256, 256], [64, 128, 128, 128])
        self.ups = nn.ModuleList(Ida(row, row[0], [2] * (len(row) - 1)) for row in widths)
        self.last = Ida([64, 128, 256], 64, [2, 4])
        self.heads = nn.ModuleList(nn.Sequential(conv(64, 256), conv(256, o, 1, act=None)) for o in (1, 2, 2, identity))

    def forward(self, x: torch.Tensor) -> Images:
        """The maps."""
        maps = self.taps(x)
        out = []
        for n, up in enumerate(self.ups):
            start = len(maps) - 2 - n
            maps = [*maps[:start], *up(maps[start:])]
            out.insert(0, maps[-1])
        x = self.last(out)[-1]
        return [head(x) for head in self.heads]


class MoveNet(nn.Module):
    """MoveNet lightning as fire717/movenet.pytorch lib/models/movenet_mobilenetv2.py has it, 17 joints."""

    def __init__(self, joints: int = 17) -> None:
        super().__init__()

        def block(i: int, o: int, s: int, again: int) -> nn.Module:
            return nn.Sequential(inverted(i, o, s, act=nn.ReLU), *(self._again(o, 6 * i) for _ in range(again)))

        first = nn.Sequential(conv(3, 32, 3, 2), depthwise(32, 16, 1, nn.ReLU, None), block(16, 24, 2, 1))
        deep = (block(64, 96, 1, 2), block(96, 160, 2, 2), inverted(160, 320, act=nn.ReLU))
        tail = nn.Sequential(*deep, conv(320, 1280, 1), conv(1280, 64, 1, act=None))
        self.taps = Taps(first, block(24, 32, 2, 2), block(32, 64, 2, 3), tail)
        self.side = nn.ModuleList(conv(w, w, 1, act=None) for w in (64, 32, 24))
        self.up = nn.ModuleList([nn.Identity(), depthwise(64, 32, 1, nn.ReLU, nn.ReLU), depthwise(32, 24, 1, nn.ReLU, nn.ReLU)])
        separable = partial(depthwise, act=None, last=nn.ReLU)
        self.last = separable(24, 24)
        outputs = (joints, 1, 2 * joints, 2 * joints)
        self.heads = nn.ModuleList(nn.Sequential(separable(24, 96), conv(96, o, 1, act=None)) for o in outputs)

    @staticmethod
    def _again(o: int, mid: int) -> nn.Module:
        return Sum(nn.Sequential(conv(o, mid, 1), depthwise(mid, o, 1, nn.ReLU, None)))

    def forward(self, x: torch.Tensor) -> Images:
        """The maps."""
        *sides, x = self.taps(x)
        for side, up, skip in zip(self.side, self.up, reversed(sides), strict=True):
            x = larger(up(x)) + side(skip)
        x = self.last(x)
        return [head(x) for head in self.heads]


class Solo(nn.Module):
    """Decoupled SOLO, light (arXiv:1912.04488, open-mmlab/mmdetection configs/solo/decoupled_solo_light_r50_fpn_3x_coco.py),
    its grids as in Xilinx/Vitis-AI src/vai_library/xnnpp/src/solo.cpp: the coordinates are inputs, made before."""

    GRIDS = (40, 20, 20, 10, 10)

    def __init__(self, classes: int = 80) -> None:
        super().__init__()
        self.taps, self.pyramid = resnet_taps("resnet50"), Pyramid([256, 512, 1024, 2048])
        self.masks, self.kinds = chain(conv, 258, *[256] * 4), chain(conv, *[256] * 5)
        self.rows = nn.ModuleList(conv(256, n, act=None) for n in self.GRIDS)
        self.columns = nn.ModuleList(conv(256, n, act=None) for n in self.GRIDS)
        self.classes = conv(256, classes, act=None)

    def forward(self, x: torch.Tensor) -> Images:
        """The maps."""
        levels = self.pyramid(self.taps(x))
        levels.append(functional.max_pool2d(levels[-1], 1, 2))
        levels[0], levels[4] = larger(levels[0], 0.5), larger(levels[4])
        side = 2 * levels[0].shape[-1]
        return [y for n, x in enumerate(levels) for y in self._level(n, x, side)]

    def _level(self, n: int, x: torch.Tensor, side: int) -> Images:
        places = x.new_empty(1, 2, *x.shape[2:])
        inside = larger(self.masks(torch.cat([x, places], 1)))
        lines = [out(inside) for out in (self.rows[n], self.columns[n])]
        fitted = [functional.interpolate(line, size=side, mode="bilinear") if side != line.shape[-1] else line for line in lines]
        kinds = self.classes(self.kinds(functional.interpolate(x, size=self.GRIDS[n], mode="bilinear")))
        return [*fitted, kinds, functional.max_pool2d(kinds, 2, 1, 1)]


class TextMountain(nn.Module):
    """TextMountain (arXiv:1811.12786, uunnhh/TextMountain models/models.py): ResNet-50 of three first 3x3, a pyramid whose
    levels are joined; five maps at a quarter of the side, as Xilinx/Vitis-AI textmountain_postimp.cpp reads them."""

    def __init__(self) -> None:
        super().__init__()
        stem = {"stem_type": "deep", "stem_width": 64}
        self.taps = bare(timm.create_model("resnet50", features_only=True, out_indices=(1, 2, 3, 4), **stem))
        self.pyramid = Pyramid([256, 512, 1024, 2048], act=nn.ReLU, plain=1, mode="bilinear")
        self.head = nn.Sequential(conv(1024, 256), conv(256, 5, 1, act=None))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One map."""
        levels = self.pyramid(self.taps(x))
        return self.head(torch.cat([levels[0], *(larger(x, 2**n) for n, x in enumerate(levels[1:], 1))], 1))


def jobs() -> Iterator[Job]:
    """By name, at the sizes of the zoo."""
    yield "paper/inception_v2", inception_v2, (1, 3, 224, 224)
    yield "paper/ssd_inception_v2", lambda: ssd_tf(inception_stages(), (576, 1024), 3), (1, 3, 300, 300)
    yield "paper/ssd_mobilenet_v1", lambda: ssd_tf(mobilenet_v1_stages(), (512, 1024), 1), (1, 3, 300, 300)
    yield "paper/ssd_mobilenet_v2", lambda: ssd_tf(mobilenet_v2_stages(), (576, 1280), 3), (1, 3, 300, 300)
    yield "paper/ssdlite_mobilenet_v2", lambda: ssd_tf(mobilenet_v2_stages(), (576, 1280), 3, light=True), (1, 3, 300, 300)
    yield "paper/ssd_resnet50_fpn", SsdFpn, (1, 3, 640, 640)
    yield "paper/ssd_resnet34", ssd_resnet34, (1, 3, 1200, 1200)
    yield "paper/refinedet_vgg16", RefineDet, (1, 3, 320, 320)
    yield "paper/fairmot", FairMot, (1, 3, 640, 480)
    yield "paper/face_mask", YoloFastest, (1, 3, 512, 512)
    yield "paper/movenet", MoveNet, (1, 3, 192, 192)
    yield "paper/solo_resnet50", Solo, (1, 3, 640, 640)
    yield "paper/yolov4", YoloV4, (1, 3, 416, 416)
    yield "paper/yolox", yolox_m, (1, 3, 640, 640)
    yield "paper/ofa_yolo", yolov5m, (1, 3, 640, 640)
    yield "paper/textmountain", TextMountain, (1, 3, 960, 960)

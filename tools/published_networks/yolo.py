"""The YOLO family, with leaky activations, as the DPU has no smoother ones."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from published_networks.layers import (
    LEAKY,
    Job,
    Join,
    Levels,
    Maps,
    Taps,
    chain,
    concat,
    conv,
    inverted,
    larger,
    plain,
    pools,
    residual,
    separable,
)  # fmt: skip

leaky = partial(conv, act=LEAKY)
nearest = partial(larger, mode="nearest")


class _Pan(nn.Module):
    """Path aggregation (arXiv:1803.01534): from the last of three maps to the first and back, each joined with what it meets."""

    def __init__(self, maps: nn.Module, narrow: Iterable[nn.Module], merge: Iterable[nn.Module], down: Iterable[nn.Module],
                 heads: Iterable[nn.Module]) -> None:  # fmt: skip
        super().__init__()
        self.maps, self.heads = maps, Levels(*heads)
        self.narrow, self.merge, self.down = nn.ModuleList(narrow), nn.ModuleList(merge), nn.ModuleList(down)

    def forward(self, x: Tensor) -> Maps:
        c3, c4, p5 = self.maps(x)
        p4 = self.merge[0](torch.cat([c4, nearest(self.narrow[0](p5))], 1))
        p3 = self.merge[1](torch.cat([c3, nearest(self.narrow[1](p4))], 1))
        n4 = self.merge[2](torch.cat([self.down[0](p3), p4], 1))
        n5 = self.merge[3](torch.cat([self.down[1](n4), p5], 1))
        return self.heads([p3, n4, n5])


def _yolov4(classes: int = 80) -> nn.Module:
    """YOLOv4 (arXiv:2004.10934, AlexeyAB/darknet cfg/yolov4.cfg), leaky everywhere."""

    def stage(i: int, o: int, count: int, half: int) -> nn.Module:
        blocks = (residual(leaky(half, o // 2, 1), leaky(o // 2, half)) for _ in range(count))
        split = concat(nn.Sequential(leaky(o, half, 1), *blocks, leaky(half, half, 1)), leaky(o, half, 1))
        return nn.Sequential(leaky(i, o, 3, 2), split, leaky(2 * half, o, 1))

    def alternate(i: int, o: int, times: int) -> nn.Module:
        return nn.Sequential(leaky(i, o, 1), *(layer for _ in range(times) for layer in (leaky(o, 2 * o), leaky(2 * o, o, 1))))

    rows = ((32, 64, 1, 64), (64, 128, 2, 64), (128, 256, 8, 128), (256, 512, 8, 256), (512, 1024, 4, 512))
    *first, fourth, fifth = (stage(*row) for row in rows)
    top = nn.Sequential(alternate(1024, 512, 1), pools(5, 9, 13), alternate(2048, 512, 1))
    return _Pan(
        nn.Sequential(
            Taps(nn.Sequential(leaky(3, 32), *first), fourth, fifth), Levels(leaky(256, 128, 1), leaky(512, 256, 1), top)
        ),
        narrow=(leaky(512, 256, 1), leaky(256, 128, 1)),
        merge=(alternate(i, o, 2) for i, o in ((512, 256), (256, 128), (512, 256), (1024, 512))),
        down=(leaky(128, 256, 3, 2), leaky(256, 512, 3, 2)),
        heads=(nn.Sequential(leaky(w, 2 * w), plain(2 * w, 3 * (classes + 5), 1)) for w in (128, 256, 512)),
    )


def _csp(i: int, o: int, count: int, add: bool = True) -> nn.Module:
    """YOLOv5's C3, and YOLOX's CSP layer."""
    half, kind = o // 2, residual if add else nn.Sequential
    blocks = (kind(leaky(half, half, 1), leaky(half, half)) for _ in range(count))
    return nn.Sequential(concat(nn.Sequential(leaky(i, half, 1), *blocks), leaky(i, half, 1)), leaky(2 * half, o, 1))


def _yolo5(stem: nn.Module, pool: nn.Module, head: Callable[[int], nn.Module], early: bool) -> nn.Module:
    """What YOLOv5 (ultralytics/yolov5 models/yolov5m.yaml, v6.0) and YOLOX (arXiv:2107.08430) share, three quarters of the width
    and two thirds of the depth ("m"); ``head`` by the width of a level, the pools ``early`` in the last stage or late.
    """
    widths = _, _, fine, middle, coarse = 48, 96, 192, 384, 768
    counts = 2, 6 if early else 4, 6
    second, third, fourth = ((leaky(i, o, 3, 2), _csp(o, o, n)) for (i, o), n in zip(pairwise(widths[:4]), counts, strict=True))
    last = [nn.Sequential(leaky(coarse, middle, 1), pool, leaky(4 * middle, coarse, 1)), _csp(coarse, coarse, 2, add=not early)]
    fifth = leaky(middle, coarse, 3, 2), *(last if early else reversed(last))
    taps = Taps(nn.Sequential(stem, *second, *third), nn.Sequential(*fourth), nn.Sequential(*fifth))
    merge = partial(_csp, count=2, add=False)
    return _Pan(
        nn.Sequential(taps, Levels(nn.Identity(), nn.Identity(), leaky(coarse, middle, 1))),
        narrow=(nn.Identity(), nn.Identity()),
        merge=(
            nn.Sequential(merge(2 * middle, middle), leaky(middle, fine, 1)),
            *(merge(i, o) for i, o in ((2 * fine, fine), (2 * fine, middle), (2 * middle, coarse))),
        ),
        down=(leaky(fine, fine, 3, 2), leaky(middle, middle, 3, 2)),
        heads=(head(w) for w in (fine, middle, coarse)),
    )


def _yolov5m() -> nn.Module:
    """YOLOv5m 6.0: model_zoo/model-list/pt_OFA-yolo_3.5/model_info.md names YOLOv5."""
    pool = nn.Sequential(Taps(nn.Identity(), *[nn.MaxPool2d(5, 1, 2)] * 3), Join())
    return _yolo5(leaky(3, 48, 6, 2), pool, lambda w: plain(w, 255, 1), early=False)


class _YoloxHead(nn.Module):
    """Of one level: classes, and boxes with how sure they are."""

    def __init__(self, i: int, width: int, classes: int) -> None:
        super().__init__()
        self.stem, self.classes, self.boxes = leaky(i, width, 1), *(chain(*[width] * 3, act=LEAKY) for _ in range(2))
        self.outputs = nn.ModuleList(plain(width, o, 1) for o in (classes, 4, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        classes, boxes = self.classes(x), self.boxes(x)
        return torch.cat([out(y) for out, y in zip(self.outputs, (classes, boxes, boxes), strict=True)], 1)


def _yoloxm(classes: int = 45) -> nn.Module:
    """YOLOX-m (arXiv:2107.08430; "Yolox-m" in model_zoo/model-list/pt_yolox_TT100K_640_640_73G_2.5/model.yaml)."""
    stem = nn.Sequential(nn.PixelUnshuffle(2), leaky(12, 48))
    return _yolo5(stem, pools(5, 9, 13), lambda w: _YoloxHead(w, 192, classes), early=True)


class _YoloFastest(nn.Module):
    """dog-qiuqiu/Yolo-Fastest ModelZoo/yolo-fastest-1.0_coco/yolo-fastest.cfg, here for two classes."""

    ROWS = (
        (4, 4, 1, 8), (4, 8, 2, 24), *[(8, 8, 1, 32)] * 2, (8, 8, 2, 32), *[(8, 8, 1, 48)] * 2, (8, 16, 1, 48),
        *[(16, 16, 1, 96)] * 4, (16, 24, 2, 96), *[(24, 24, 1, 136)] * 4,
    )  # fmt: skip

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        block, thin = partial(inverted, act=LEAKY), partial(separable, act=LEAKY, last=None)
        first = leaky(3, 8, 3, 2), leaky(8, 8, 1), thin(8, 4), *(block(*row) for row in self.ROWS), leaky(24, 136, 1)
        deep = thin(136, 48, 2), *(block(48, 48, mid=224) for _ in range(5)), leaky(48, 96, 1)
        self.taps, self.merge = Taps(nn.Sequential(*first), nn.Sequential(*deep)), leaky(96 + 136, 96, 1)
        self.heads = Levels(
            *(nn.Sequential(thin(96, o, k=5), thin(o, o, k=5), plain(o, 3 * (classes + 5), 1)) for o in (96, 128))
        )

    def forward(self, x: Tensor) -> Maps:
        fine, coarse = self.taps(x)
        return self.heads([self.merge(torch.cat([nearest(coarse), fine], 1)), coarse])


def jobs() -> Iterator[Job]:
    """Name, constructor and shape of one input."""
    yield "paper/yolov4", _yolov4, (1, 3, 416, 416)
    yield "paper/yolox", _yoloxm, (1, 3, 640, 640)
    yield "paper/ofa_yolo", _yolov5m, (1, 3, 640, 640)
    yield "paper/face_mask", _YoloFastest, (1, 3, 512, 512)

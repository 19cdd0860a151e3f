"""Networks that give every pixel a class; and the two that find lanes and polyps so."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import mobilenet_v2, resnet18, resnet101

from published_networks.layers import (
    Job,
    Join,
    Levels,
    Sum,
    Taps,
    bare,
    basic,
    chain,
    concat,
    conv,
    larger,
    plain,
    residual,
    resized,
    stages,
    up,
)  # fmt: skip

CITYSCAPES = 19
"""Classes."""
STRIDE_8, STRIDE_16 = 7, 14
"""Layers of torchvision's MobileNetV2 that would leave an eighth and a sixteenth of the side."""


def _enet() -> nn.Module:
    """ENet (arXiv:1606.02147) as the zoo changed it: 5x5 for the asymmetric, nearest upsampling for the unpooling.

    Xilinx/Vitis-AI models/AI-Model-Zoo/VAI-1.3-Model-Zoo-Code/PyTorch/pt_ENet_cityscapes_512_1024_8.6G_1.3.
    """

    def regular(width: int, k: int = 3, d: int = 1) -> nn.Module:
        inner = width // 4
        return residual(conv(width, inner, 1), conv(inner, inner, k, d=d), conv(inner, width, 1))

    def down(i: int, o: int) -> nn.Module:
        inner = i // 4
        main = nn.Sequential(conv(i, o, 1), nn.MaxPool2d(3, 2, 1))
        return Sum(main, nn.Sequential(conv(i, inner, 3, 2), conv(inner, inner), conv(inner, o, 1)))

    def grow(i: int, o: int) -> nn.Module:
        inner = i // 4
        main = nn.Sequential(conv(i, o, 1), nn.Upsample(scale_factor=2))
        return Sum(main, nn.Sequential(conv(i, inner, 1), up(inner, inner, act=nn.ReLU), conv(inner, o, 1)))

    stage = ((3, 1), (3, 2), (5, 1), (3, 4), (3, 1), (3, 8), (5, 1), (3, 16))
    return nn.Sequential(
        concat(conv(3, 13, 3, 2), nn.MaxPool2d(3, 2, 1)),
        down(16, 64), *(regular(64) for _ in range(4)),
        down(64, 128), *(regular(128, k, d) for k, d in stage * 2),
        grow(128, 64), regular(64), regular(64),
        grow(64, 16), regular(16), up(16, CITYSCAPES),
    )  # fmt: skip


def _erfnet() -> nn.Module:
    """ERFNet (10.1109/TITS.2017.2750080; Eromera/erfnet_pytorch train/erfnet.py)."""

    def block(width: int, d: int = 1) -> nn.Module:
        wide = partial(conv, width, width)
        return residual(wide((3, 1)), wide((1, 3)), wide((3, 1), d=d), wide((1, 3), d=d, act=None), after=nn.ReLU)

    def down(i: int, o: int) -> nn.Module:
        return nn.Sequential(concat(plain(i, o - i, 3, 2), nn.MaxPool2d(2)), nn.ReLU())

    return nn.Sequential(
        down(3, 16), down(16, 64), *(block(64) for _ in range(5)),
        down(64, 128), *(block(128, d) for d in (2, 4, 8, 16) * 2),
        up(128, 64, 3, act=nn.ReLU), block(64), block(64),
        up(64, 16, 3, act=nn.ReLU), block(16), block(16), up(16, CITYSCAPES),
    )  # fmt: skip


class _Decoder(nn.Module):
    """The way back from the last of several maps: each step enlarges, joins the map before (or adds it) and mixes."""

    def __init__(
        self, maps: nn.Module, ups: Iterable[nn.Module], mixes: Iterable[nn.Module], last: nn.Module, add: bool = False
    ) -> None:
        super().__init__()
        self.maps, self.ups, self.mixes, self.last, self.add = maps, nn.ModuleList(ups), nn.ModuleList(mixes), last, add

    def forward(self, x: Tensor) -> Tensor:
        *sides, x = self.maps(x)
        for grow, mix, side in zip(self.ups, self.mixes, reversed(sides), strict=True):
            x = mix(grow(x) + side if self.add else torch.cat([side, grow(x)], 1))
        return self.last(x)


def _semantic_fpn(backbone: Iterable[nn.Module], widths: Sequence[int], classes: int) -> nn.Module:
    """The zoo's own pyramid, as wide as there are classes (Xilinx/Vitis-AI models/AI-Model-Zoo/VAI-1.3-Model-Zoo-Code/
    PyTorch/pt_SemanticFPN_cityscapes_256_512_10G_1.3/code/models/fpn.py).
    """
    *lower, top = widths
    return _Decoder(
        nn.Sequential(Taps(*backbone), Levels(*(basic(w, classes) for w in lower), conv(top, classes))),
        (up(classes, classes) for _ in lower),
        (residual(plain(classes, classes), after=nn.ReLU) for _ in lower),
        nn.Sequential(up(classes, classes), up(classes, classes)),
        add=True,
    )


def semantic_fpn_resnet18(classes: int = CITYSCAPES, bias: bool = False) -> nn.Module:
    """Over torchvision's ResNet-18, whose convolutions may have a ``bias``."""
    return _semantic_fpn(stages(resnet18(), bias), (64, 128, 256, 512), classes)


def _semantic_fpn_mobilenetv2() -> nn.Module:
    """Over torchvision's MobileNetV2, its last 1x1 of 1280 with it."""
    layers = bare(mobilenet_v2()).features
    return _semantic_fpn((layers[a:b] for a, b in pairwise((0, 4, 7, 14, 19))), (24, 32, 96, 1280), CITYSCAPES)


def _halving(pool: nn.Module, first: nn.Module, *blocks: nn.Module) -> Taps:
    """Blocks, the side halved between them."""
    return Taps(first, *(nn.Sequential(pool, block) for block in blocks))


def _unet(*widths: int, classes: int) -> nn.Module:
    """U-Net (arXiv:1505.04597), padded."""
    downs = _halving(nn.MaxPool2d(2), *(chain(i, o, o) for i, o in pairwise((3, *widths))))
    back = list(pairwise(reversed(widths)))
    return _Decoder(downs, (up(i, o) for i, o in back), (chain(i, o, o) for i, o in back), plain(widths[0], classes, 1))


def _salsanext(classes: int = 20) -> nn.Module:
    """SalsaNext (arXiv:2003.03653; TiagoCortinhal/SalsaNext train/tasks/semantic/modules/SalsaNext.py)."""
    leaky = partial(conv, act=nn.LeakyReLU)

    def context(i: int) -> nn.Module:
        return nn.Sequential(leaky(i, 32, 1), residual(leaky(32, 32), leaky(32, 32, d=2)))

    def dense(i: int, o: int) -> nn.Module:
        return nn.Sequential(Taps(leaky(i, o), leaky(o, o, d=2), leaky(o, o, 2, d=2)), Join(), leaky(3 * o, o, 1))

    blocks = [Sum(leaky(i, o, 1), dense(i, o)) for i, o in pairwise((32, 64, 128, 256, 256, 256))]
    rows = ((256, 256, 128), (128, 256, 128), (128, 128, 64), (64, 64, 32))
    return _Decoder(
        nn.Sequential(context(5), context(32), context(32), _halving(nn.AvgPool2d(3, 2, 1), *blocks)),
        (nn.PixelShuffle(2) for _ in rows),
        (dense(i // 4 + side, o) for i, side, o in rows),
        plain(32, classes, 1),
    )


def _salsanext_zoo(width: int = 16, classes: int = 20) -> nn.Module:
    """What the zoo calls SalsaNext: no dilation, transposed convolutions for the shuffles, sums for the joins.

    Xilinx/Vitis-AI VAI-1.3-Model-Zoo-Code/PyTorch/pt_salsanext_semantic-kitti_64_2048_0.6_20.4G_1.3
    code/train/tasks/semantic/modules/segmentator.py: 16 wide as its pruned weights are loaded, 32 in its comments. Published
    is 10.2 G, with a transposed convolution counted at every place of its output (10.15 G so), not of its input.
    """
    widths = [width * m for m in (1, 1, 2, 4, 8, 16, 16)]
    first, *blocks = (Sum(conv(i, o, 1), chain(i, o, o)) for i, o in pairwise((5, *widths)))
    back = list(pairwise(widths[:0:-1]))
    return _Decoder(
        nn.Sequential(first, _halving(nn.AvgPool2d(3, 2, 1), *blocks)),
        (up(i, o, 3, act=nn.ReLU) for i, o in back),
        (chain(o, o, o, o) for _, o in back),
        plain(width, classes, 1),
        add=True,
    )


def _ultrafast() -> nn.Module:
    """Ultra Fast Structure-aware lane detection (arXiv:2004.11757), CULane: 201 cells, 18 rows, 4 lanes
    (cfzd/Ultra-Fast-Lane-Detection model/model.py, without its auxiliary branch).
    """
    head = nn.Flatten(), nn.Linear(1800, 2048), nn.ReLU(), nn.Linear(2048, 201 * 18 * 4)
    return nn.Sequential(*stages(resnet18()), plain(512, 8, 1), *head)


class _HarD(nn.Module):
    """A block of HarDNet (arXiv:1909.00948): layer n joins the layers n - 2^k for every 2^k that divides it."""

    def __init__(self, i: int, growth: int, layers: int, factor: float = 1.7) -> None:
        super().__init__()
        widths, self.links, self.layers = [i], [], nn.ModuleList()
        for n in range(1, layers + 1):
            links = [n - 2**k for k in range(n.bit_length()) if n % 2**k == 0]
            widths.append(int(growth * factor ** (len(links) - 1) + 1) // 2 * 2)
            self.links.append(links)
            self.layers.append(conv(sum(widths[m] for m in links), widths[n], act=nn.ReLU6))
        self.kept = [*range(1, layers, 2), layers]
        self.width = sum(widths[n] for n in self.kept)

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for links, layer in zip(self.links, self.layers, strict=True):
            first, *others = (maps[n] for n in links)
            maps.append(layer(torch.cat([first, *others], 1) if others else first))
        return torch.cat([maps[n] for n in self.kept], 1)


def _hardnet68() -> Taps:
    """Maps at 1/8, 1/16 and 1/32."""
    relu6 = partial(conv, act=nn.ReLU6)

    def block(i: int, growth: int, layers: int, o: int) -> nn.Module:
        dense = _HarD(i, growth, layers)
        return nn.Sequential(dense, relu6(dense.width, o, 1))

    stem = relu6(3, 32, 3, 2), relu6(32, 64), nn.MaxPool2d(3, 2, 1), block(64, 14, 8, 128), nn.MaxPool2d(2)
    first = nn.Sequential(*stem, block(128, 16, 16, 256), block(256, 20, 16, 320))
    return _halving(nn.MaxPool2d(2), first, block(320, 40, 16, 640), block(640, 160, 4, 1024))


class _HarDMSEG(nn.Module):
    """HarDNet-MSEG (arXiv:2101.07172; james128333/HarDNet-MSEG lib/HarDMSEG.py): RFB branches, then dense aggregation."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        same = partial(plain, width, width)

        def field(i: int) -> nn.Module:
            branches = (nn.Sequential(plain(i, width, 1), same((1, k)), same((k, 1)), same(d=k)) for k in (3, 5, 7))
            wide = concat(plain(i, width, 1), *branches)
            return Sum(nn.Sequential(wide, plain(4 * width, width)), plain(i, width, 1), after=nn.ReLU)

        self.maps = nn.Sequential(_hardnet68(), Levels(*(field(i) for i in (320, 640, 1024))))
        self.up1, self.up2, self.up3, self.up4 = (same() for _ in range(4))
        self.up5, self.join = plain(2 * width, 2 * width), plain(2 * width, 2 * width)
        self.last = nn.Sequential(plain(3 * width, 3 * width), plain(3 * width, 3 * width), plain(3 * width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        fine, middle, coarse = self.maps(x)
        first = self.up1(larger(coarse)) * middle
        second = self.up2(larger(larger(coarse))) * self.up3(larger(middle)) * fine
        joined = self.join(torch.cat([first, self.up4(larger(coarse))], 1))
        return larger(self.last(torch.cat([second, self.up5(larger(joined))], 1)), 8)


class _Gate(nn.Module):
    """Separation and aggregation: each path is corrected by the other's channels, then a softmax over the two merges them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        thin = width // 16
        self.filters = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * width, thin), nn.ReLU(), nn.Linear(thin, width), nn.Sigmoid()) for _ in range(2)
        )
        self.gates = concat(plain(2 * width, 1, 1), plain(2 * width, 1, 1))

    def forward(self, one: Tensor, two: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pairs = zip(self.filters, ((two, one), (one, two)), strict=True)
        both = torch.cat([main + self._weight(f, guide, main) * guide for f, (guide, main) in pairs], 1)
        first, second = self.gates(both).softmax(1).split(1, 1)
        merged = one * first + two * second
        return functional.relu((one + merged) / 2), functional.relu((two + merged) / 2), merged

    @staticmethod
    def _weight(layers: nn.Module, guide: Tensor, main: Tensor) -> Tensor:
        return layers(torch.cat([guide, main], 1).mean((2, 3)))[:, :, None, None]


class _SAGate(nn.Module):
    """SA-Gate (arXiv:2007.09183; charlesCXK/RGBD_Semantic_Segmentation_PyTorch model/SA-Gate.nyu): two ResNet-101 with a deep
    stem, output stride 16, DeepLabV3+'s head with dense convolutions; six channels hold the image and the depth as HHA.
    """

    def __init__(self, classes: int = 40) -> None:
        super().__init__()
        self.paths = nn.ModuleList(nn.ModuleList(self._path()) for _ in range(2))
        self.gates = nn.ModuleList(_Gate(w) for w in (256, 512, 1024, 2048))
        fields = concat(plain(2048, 256, 1), *(plain(2048, 256, d=d) for d in (6, 12, 18)))
        aspp = nn.Sequential(fields, nn.LeakyReLU(), plain(1024, 256, 1))
        pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(2048, 256, 1, act=nn.LeakyReLU), plain(256, 256, 1))
        self.top, self.reduce = Sum(aspp, pool, after=nn.LeakyReLU), conv(256, 48, 1)
        self.last = nn.Sequential(chain(304, 256, 256), plain(256, classes, 1))

    @staticmethod
    def _path() -> list[nn.Module]:
        network = resnet101(replace_stride_with_dilation=[False, False, True])
        network.conv1 = nn.Sequential(conv(3, 64, 3, 2), conv(64, 64), plain(64, 128))
        first = network.layer1[0]
        first.conv1, first.downsample = plain(128, 64, 1), plain(128, 256, 1)
        half, quarter, *rest = stages(network)
        return [nn.Sequential(half, quarter), *rest]

    def forward(self, x: Tensor) -> Tensor:
        (one, two), merges = x.split(3, 1), []
        for first, second, gate in zip(*self.paths, self.gates, strict=True):
            one, two, merged = gate(first(one), second(two))
            merges.append(merged)
        low = self.reduce(merges[0])
        top = resized(self.top(merges[-1]), low.shape[-2:])
        return resized(self.last(torch.cat([top, low], 1)), x.shape[-2:])


def _deeplab() -> nn.Module:
    """DeepLab over MobileNetV2 (tensorflow/models research/deeplab/g3doc/model_zoo.md): output stride 8, no ASPP, no decoder.

    Of its head, a 1x1 branch and the projection; the pooled branch is left out (add_image_level_feature): the published
    66.37 G is what is left without it, and model_zoo.md's 433.24 G over scales and flips what there is with it.
    """
    layers = bare(mobilenet_v2()).features[:18]
    for n, layer in enumerate(layers[STRIDE_8:], STRIDE_8):
        for part in layer.modules():
            if isinstance(part, nn.Conv2d) and part.kernel_size == (3, 3):
                dilation = (1 if n == STRIDE_8 else 2 if n <= STRIDE_16 else 4,) * 2
                part.stride, part.dilation, part.padding = (1, 1), dilation, dilation
    return nn.Sequential(layers, chain(320, 256, 256, k=1), plain(256, CITYSCAPES, 1), nn.UpsamplingBilinear2d(scale_factor=8))


def jobs() -> Iterator[Job]:
    """Name, constructor and shape of one input."""
    yield "paper/enet", _enet, (1, 3, 512, 1024)
    yield "paper/erfnet", _erfnet, (1, 3, 512, 1024)
    yield "paper/semantic_fpn_resnet18", semantic_fpn_resnet18, (1, 3, 256, 512)
    yield "paper/semantic_fpn_mobilenetv2", _semantic_fpn_mobilenetv2, (1, 3, 512, 1024)
    yield "paper/unet_chaos", lambda: _unet(16, 32, 64, 128, 256, classes=2), (1, 3, 512, 512)
    yield "paper/salsanext", _salsanext_zoo, (1, 5, 64, 2048)
    yield "paper/salsanextv2", _salsanext, (1, 5, 64, 2048)
    yield "paper/ultrafast_resnet18", _ultrafast, (1, 3, 288, 800)
    yield "paper/hardnet_mseg", _HarDMSEG, (1, 3, 352, 352)
    yield "paper/sa_gate", _SAGate, (1, 6, 360, 360)
    yield "paper/deeplab_mobilenetv2", _deeplab, (1, 3, 1024, 2048)

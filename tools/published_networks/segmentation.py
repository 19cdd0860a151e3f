"""Segmentation networks of the Vitis AI model zoo, by the code or paper that describes them; batch normalisation left out."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from published_networks.layers import Job, bare

CITYSCAPES = 19
"""Classes."""
STRIDE_8, STRIDE_16 = 7, 14
"""Layers of torchvision's MobileNetV2 that would leave an eighth and a sixteenth of the side."""


def conv(i: int, o: int, k: int | tuple[int, int] = 3, stride: int = 1, dilation: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size, but for its stride."""
    high, wide = (k, k) if isinstance(k, int) else k
    padding = (high // 2 * dilation, wide // 2 * dilation)
    return nn.Conv2d(i, o, (high, wide), stride, padding, dilation, groups)


def relu(*layers: nn.Module) -> nn.Sequential:
    """Layers, an activation after each."""
    return nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU(inplace=True))))


def leaky(*layers: nn.Module) -> nn.Sequential:
    """Layers, a leaky activation after each."""
    return nn.Sequential(*(part for layer in layers for part in (layer, nn.LeakyReLU())))


def up(i: int, o: int, k: int = 2) -> nn.ConvTranspose2d:
    """A transposed convolution that doubles the size."""
    return nn.ConvTranspose2d(i, o, k, 2, k // 2 if k % 2 else 0, k % 2)


class _Sum(nn.Module):
    """Branches of one input, added; an activation after them if one is given."""

    def __init__(self, *branches: nn.Module, after: nn.Module | None = None) -> None:
        super().__init__()
        self.branches, self.after = nn.ModuleList(branches), after or nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *others = (branch(x) for branch in self.branches)
        return self.after(sum(others, first))


class _Concat(nn.Module):
    """Branches of one input, joined."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def resize(x: torch.Tensor, like: torch.Tensor | tuple[int, int]) -> torch.Tensor:
    """Bilinear, to the size of another map or a size."""
    size = like.shape[-2:] if isinstance(like, torch.Tensor) else like
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=True)


# ENet


def _enet() -> nn.Module:
    """ENet (arXiv:1606.02147) as the zoo changed it: 5x5 for the asymmetric, nearest upsampling for the unpooling.

    Xilinx/Vitis-AI models/AI-Model-Zoo/VAI-1.3-Model-Zoo-Code/PyTorch/pt_ENet_cityscapes_512_1024_8.6G_1.3.
    """

    def regular(width: int, k: int = 3, dilation: int = 1) -> nn.Module:
        inner = width // 4
        return _Sum(nn.Identity(), relu(conv(width, inner, 1), conv(inner, inner, k, dilation=dilation), conv(inner, width, 1)))

    def down(i: int, o: int) -> nn.Module:
        main = nn.Sequential(relu(conv(i, o, 1)), nn.MaxPool2d(3, 2, 1))
        return _Sum(main, relu(conv(i, i // 4, 3, 2), conv(i // 4, i // 4), conv(i // 4, o, 1)))

    def grow(i: int, o: int) -> nn.Module:
        main = nn.Sequential(relu(conv(i, o, 1)), nn.Upsample(scale_factor=2))
        return _Sum(main, relu(conv(i, i // 4, 1), up(i // 4, i // 4), conv(i // 4, o, 1)))

    stage = [(3, 1), (3, 2), (5, 1), (3, 4), (3, 1), (3, 8), (5, 1), (3, 16)]
    return nn.Sequential(
        _Concat(relu(conv(3, 13, 3, 2)), nn.MaxPool2d(3, 2, 1)),
        down(16, 64), *(regular(64) for _ in range(4)),
        down(64, 128), *(regular(128, k, d) for k, d in stage * 2),
        grow(128, 64), regular(64), regular(64),
        grow(64, 16), regular(16), up(16, CITYSCAPES),
    )  # fmt: skip


# ERFNet


def _erfnet() -> nn.Module:
    """ERFNet (10.1109/TITS.2017.2750080; Eromera/erfnet_pytorch train/erfnet.py)."""

    def block(width: int, dilation: int = 1) -> nn.Module:
        pair = [relu(conv(width, width, k, dilation=d)) for d in (1, dilation) for k in ((3, 1), (1, 3))]
        last = pair.pop()[0]  # its activation comes after the sum
        return _Sum(nn.Identity(), nn.Sequential(*pair, last), after=nn.ReLU(inplace=True))

    def down(i: int, o: int) -> nn.Module:
        return relu(_Concat(conv(i, o - i, 3, 2), nn.MaxPool2d(2)))

    return nn.Sequential(
        down(3, 16), down(16, 64), *(block(64) for _ in range(5)),
        down(64, 128), *(block(128, d) for d in (2, 4, 8, 16) * 2),
        relu(up(128, 64, 3)), block(64), block(64),
        relu(up(64, 16, 3)), block(16), block(16), up(16, CITYSCAPES),
    )  # fmt: skip


# Semantic FPN


class _SemanticFPN(nn.Module):
    """The zoo's own pyramid, as wide as there are classes (Xilinx/Vitis-AI, VAI-1.3-Model-Zoo-Code
    PyTorch/pt_SemanticFPN_cityscapes_256_512_10G_1.3/code/models/fpn.py)."""

    def __init__(self, levels: Sequence[nn.Module], widths: Sequence[int], classes: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(levels)
        act = nn.ReLU(inplace=True)
        self.top = relu(conv(widths[-1], classes))
        self.lateral = nn.ModuleList(
            _Sum(conv(w, classes, 1), nn.Sequential(relu(conv(w, classes)), conv(classes, classes)), after=act)
            for w in widths[:-1]
        )
        self.out = nn.ModuleList(_Sum(nn.Identity(), conv(classes, classes), after=act) for _ in widths[:-1])
        self.ups = nn.ModuleList(up(classes, classes) for _ in widths[:-1])
        self.last = nn.Sequential(up(classes, classes), up(classes, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = []
        for level in self.levels:
            maps.append(x := level(x))
        x = self.top(maps.pop())
        for grow, lateral, out in zip(self.ups, reversed(self.lateral), self.out, strict=True):
            x = out(grow(x) + lateral(maps.pop()))
        return self.last(x)


def _resnet_levels(network: nn.Module) -> list[nn.Module]:
    """Maps at 1/4, 1/8, 1/16 and 1/32 of torchvision's ResNet."""
    stem, *rest = nn.Sequential(*list(network.children())[:4]), *list(network.children())[4:8]
    return [nn.Sequential(stem, rest[0]), *rest[1:]]


def _semantic_fpn_resnet18(classes: int = CITYSCAPES) -> nn.Module:
    """Over torchvision's ResNet-18."""
    from torchvision.models import resnet18

    return _SemanticFPN(_resnet_levels(bare(resnet18())), (64, 128, 256, 512), classes)


def _semantic_fpn_mobilenetv2() -> nn.Module:
    """Over torchvision's MobileNetV2, its last 1x1 of 1280 with it."""
    from torchvision.models import mobilenet_v2

    layers = bare(mobilenet_v2()).features
    cuts = (0, 4, 7, 14, 19)
    return _SemanticFPN([layers[a:b] for a, b in itertools.pairwise(cuts)], (24, 32, 96, 1280), CITYSCAPES)


# U-Net


class _UNet(nn.Module):
    """U-Net (arXiv:1505.04597), padded; ``kernel`` of the transposed convolutions."""

    def __init__(self, channels: int, widths: Sequence[int], classes: int, kernel: int = 2) -> None:
        super().__init__()

        def double(i: int, o: int) -> nn.Module:
            return relu(conv(i, o), conv(o, o))

        self.downs = nn.ModuleList(double(i, o) for i, o in zip((channels, *widths), widths, strict=False))
        pairs = list(itertools.pairwise(widths))[::-1]
        self.grow = nn.ModuleList(up(wide, thin, kernel) for thin, wide in pairs)
        self.ups = nn.ModuleList(double(2 * thin, thin) for thin, _ in pairs)
        self.last = conv(widths[0], classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = []
        for n, down in enumerate(self.downs):
            maps.append(x := down(functional.max_pool2d(x, 2) if n else x))
        maps.pop()
        for grow, join in zip(self.grow, self.ups, strict=True):
            x = join(torch.cat([maps.pop(), grow(x)], 1))
        return self.last(x)


# Ultra Fast Lane Detection


def _ultrafast() -> nn.Module:
    """Ultra Fast Structure-aware lane detection (arXiv:2004.11757), CULane: 201 cells, 18 rows, 4 lanes
    (cfzd/Ultra-Fast-Lane-Detection model/model.py, without its auxiliary branch)."""
    from torchvision.models import resnet18

    return nn.Sequential(
        *_resnet_levels(bare(resnet18())), conv(512, 8, 1), nn.Flatten(), relu(nn.Linear(1800, 2048)),
        nn.Linear(2048, 201 * 18 * 4),
    )  # fmt: skip


# SalsaNext


class _Chain(nn.Module):
    """Convolutions one after another, all their maps joined and mixed by a 1x1."""

    def __init__(self, i: int, o: int, kernels: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        widths = [i] + [o] * (len(kernels) - 1)
        # a 2x2 of dilation 2 keeps the size with one row of padding
        self.steps = nn.ModuleList(
            leaky(conv(w, o, k, dilation=d) if k % 2 else nn.Conv2d(w, o, k, padding=1, dilation=d))
            for w, (k, d) in zip(widths, kernels, strict=True)
        )
        self.mix = leaky(conv(o * len(kernels), o, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = []
        for step in self.steps:
            maps.append(x := step(x))
        return self.mix(torch.cat(maps, 1))


class _Salsa(nn.Module):
    """Encoder and decoder over range images: ``context``, blocks that halve between them, then ``ups`` of a map and a skip."""

    def __init__(self, context: nn.Module, downs: Sequence[nn.Module], ups: Sequence[nn.Module], last: nn.Module) -> None:
        super().__init__()
        self.context, self.last = context, last
        self.downs, self.ups = nn.ModuleList(downs), nn.ModuleList(ups)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, maps = self.context(x), []
        for n, down in enumerate(self.downs):
            maps.append(x := down(functional.avg_pool2d(x, 3, 2, 1) if n else x))
        maps.pop()
        for grow in self.ups:
            x = grow((x, maps.pop()))
        return self.last(x)


class _Shuffled(nn.Module):
    """A pixel shuffle joined with the skip."""

    def __init__(self, i: int, skip: int, o: int) -> None:
        super().__init__()
        self.block = _Chain(i // 4 + skip, o, [(3, 1), (3, 2), (2, 2)])

    def forward(self, maps: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return self.block(torch.cat([functional.pixel_shuffle(maps[0], 2), maps[1]], 1))


def _salsanext(classes: int = 20) -> nn.Module:
    """SalsaNext (arXiv:2003.03653; TiagoCortinhal/SalsaNext train/tasks/semantic/modules/SalsaNext.py)."""

    def context(i: int) -> nn.Module:
        more = leaky(conv(32, 32), conv(32, 32, dilation=2))
        return nn.Sequential(leaky(conv(i, 32, 1)), _Sum(nn.Identity(), more))

    def block(i: int, o: int) -> nn.Module:
        return _Sum(leaky(conv(i, o, 1)), _Chain(i, o, [(3, 1), (3, 2), (2, 2)]))

    widths, outs = (32, 64, 128, 256, 256, 256), (128, 128, 64, 32)
    skips = widths[-2:0:-1]
    return _Salsa(
        nn.Sequential(context(5), context(32), context(32)),
        [block(i, o) for i, o in itertools.pairwise(widths)],
        [_Shuffled(i, s, o) for i, s, o in zip((256, *outs), skips, outs, strict=False)],
        conv(32, classes, 1),
    )


class _Transposed(nn.Module):
    """A transposed convolution added to the skip, then three convolutions."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__()
        self.grow = relu(up(i, o, 3))
        self.block = relu(*(conv(o, o) for _ in range(3)))

    def forward(self, maps: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return self.block(self.grow(maps[0]) + maps[1])


def _salsanext_zoo(width: int = 16, classes: int = 20) -> nn.Module:
    """What the zoo calls SalsaNext: no dilation, transposed convolutions for the shuffles, sums for the joins.

    Xilinx/Vitis-AI VAI-1.3-Model-Zoo-Code/PyTorch/pt_salsanext_semantic-kitti_64_2048_0.6_20.4G_1.3
    code/train/tasks/semantic/modules/segmentator.py: 16 wide as its pruned weights are loaded, 32 in its comments. Published
    is 10.2 G, with a transposed convolution counted at every place of its output (10.15 G so), not of its input.
    """

    def block(i: int, o: int) -> nn.Module:
        return _Sum(relu(conv(i, o, 1)), relu(conv(i, o), conv(o, o)))

    widths = [width * m for m in (1, 1, 2, 4, 8, 16, 16)]
    outs = [width * m for m in (16, 8, 4, 2, 1)]
    return _Salsa(
        block(5, width),
        [block(i, o) for i, o in itertools.pairwise(widths)],
        [_Transposed(i, o) for i, o in zip((widths[-1], *outs), outs, strict=False)],
        conv(width, classes, 1),
    )


# HarDNet-MSEG


class _HarD(nn.Module):
    """A block of HarDNet (arXiv:1909.00948): layer n joins the layers n - 2^k for every 2^k that divides it."""

    def __init__(self, base: int, growth: int, layers: int, factor: float = 1.7) -> None:
        super().__init__()
        widths = {0: base}
        self.links, convs = [], []
        for n in range(1, layers + 1):
            steps = [2**k for k in range(10) if n % 2**k == 0 and 2**k <= n]
            width = growth
            for _ in steps[1:]:
                width *= factor
            widths[n] = int(int(width + 1) / 2) * 2
            self.links.append([n - s for s in steps])
            convs.append(_relu6(sum(widths[n - s] for s in steps), widths[n], 3))
        self.convs = nn.ModuleList(convs)
        self.kept = [n for n in range(1, layers + 1) if n % 2 or n == layers]
        self.width = sum(widths[n] for n in self.kept)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = [x]
        for links, layer in zip(self.links, self.convs, strict=True):
            inputs = [maps[n] for n in links]
            maps.append(layer(torch.cat(inputs, 1) if len(inputs) > 1 else inputs[0]))
        return torch.cat([maps[n] for n in self.kept], 1)


def _relu6(i: int, o: int, k: int, stride: int = 1) -> nn.Module:
    """A convolution and its activation."""
    return nn.Sequential(conv(i, o, k, stride), nn.ReLU6(inplace=True))


def _hardnet68() -> list[nn.Module]:
    """Maps at 1/8, 1/16 and 1/32."""
    width, parts, levels = 64, [_relu6(3, 32, 3, 2), _relu6(32, 64, 3), nn.MaxPool2d(3, 2, 1)], []
    table = ((14, 8, 128, True), (16, 16, 256, False), (20, 16, 320, True), (40, 16, 640, True), (160, 4, 1024, False))
    for growth, layers, out, halve in table:
        block = _HarD(width, growth, layers)
        parts += [block, _relu6(block.width, width := out, 1)]
        if out in (320, 640, 1024):
            levels, parts = [*levels, nn.Sequential(*parts)], []
        if halve:
            parts.append(nn.MaxPool2d(2))
    return levels


class _HarDMSEG(nn.Module):
    """HarDNet-MSEG (arXiv:2101.07172; james128333/HarDNet-MSEG lib/HarDMSEG.py): RFB branches, then dense aggregation."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.levels = nn.ModuleList(_hardnet68())

        def branch(i: int, k: int) -> nn.Module:
            return nn.Sequential(
                conv(i, width, 1), conv(width, width, (1, k)), conv(width, width, (k, 1)), conv(width, width, dilation=k)
            )

        def rfb(i: int) -> nn.Module:
            wide = _Concat(conv(i, width, 1), *(branch(i, k) for k in (3, 5, 7)))
            return _Sum(nn.Sequential(wide, conv(4 * width, width)), conv(i, width, 1), after=nn.ReLU(inplace=True))

        self.fields = nn.ModuleList(rfb(i) for i in (320, 640, 1024))
        self.up1, self.up2, self.up3, self.up4 = (conv(width, width) for _ in range(4))
        self.up5, self.join2 = conv(2 * width, 2 * width), conv(2 * width, 2 * width)
        self.last = nn.Sequential(conv(3 * width, 3 * width), conv(3 * width, 3 * width), conv(3 * width, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = []
        for level, field in zip(self.levels, self.fields, strict=True):
            x = level(x)
            maps.append(field(x))
        fine, middle, coarse = maps

        def twice(m: torch.Tensor) -> torch.Tensor:
            return functional.interpolate(m, scale_factor=2, mode="bilinear", align_corners=True)

        first = self.up1(twice(coarse)) * middle
        second = self.up2(twice(twice(coarse))) * self.up3(twice(middle)) * fine
        joined = self.join2(torch.cat([first, self.up4(twice(coarse))], 1))
        out = self.last(torch.cat([second, self.up5(twice(joined))], 1))
        return functional.interpolate(out, scale_factor=8, mode="bilinear")


# SA-Gate


class _Gate(nn.Module):
    """Separation and aggregation: each path is corrected by the other's channels, then a softmax over the two merges them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.filters = nn.ModuleList(
            nn.Sequential(relu(nn.Linear(2 * width, width // 16)), nn.Linear(width // 16, width), nn.Sigmoid()) for _ in range(2)
        )
        self.gates = nn.ModuleList(conv(2 * width, 1, 1) for _ in range(2))

    def forward(self, one: torch.Tensor, two: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        pairs = zip(self.filters, ((two, one), (one, two)), strict=True)
        both = torch.cat([main + self._weight(f, guide, main) * guide for f, (guide, main) in pairs], 1)
        first, second = torch.cat([gate(both) for gate in self.gates], 1).softmax(1).split(1, 1)
        merged = one * first + two * second
        return functional.relu((one + merged) / 2), functional.relu((two + merged) / 2), merged

    @staticmethod
    def _weight(layers: nn.Module, guide: torch.Tensor, main: torch.Tensor) -> torch.Tensor:
        return layers(torch.cat([guide, main], 1).mean((2, 3)))[:, :, None, None]


class _SAGate(nn.Module):
    """SA-Gate (arXiv:2007.09183; charlesCXK/RGBD_Semantic_Segmentation_PyTorch model/SA-Gate.nyu): two ResNets with a deep
    stem, output stride 16, DeepLabV3+'s head with dense convolutions; six channels hold the image and the depth as HHA.
    """

    def __init__(self, make: Callable[..., nn.Module], classes: int = 40) -> None:
        super().__init__()
        self.paths = nn.ModuleList(nn.ModuleList(self._path(make)) for _ in range(2))
        self.gates = nn.ModuleList(_Gate(w) for w in (256, 512, 1024, 2048))
        self.aspp = nn.Sequential(
            _Concat(conv(2048, 256, 1), *(conv(2048, 256, dilation=d) for d in (6, 12, 18))), nn.LeakyReLU(), conv(1024, 256, 1)
        )
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), leaky(conv(2048, 256, 1)), conv(256, 256, 1))
        self.reduce = relu(conv(256, 48, 1))
        self.last = nn.Sequential(relu(conv(304, 256), conv(256, 256)), conv(256, classes, 1))

    @staticmethod
    def _path(make: Callable[..., nn.Module]) -> list[nn.Module]:
        network = bare(make(replace_stride_with_dilation=[False, False, True]))
        stem = nn.Sequential(relu(conv(3, 64, 3, 2), conv(64, 64), conv(64, 128)), nn.MaxPool2d(3, 2, 1))
        first = network.layer1[0]
        first.conv1, first.downsample = conv(128, 64, 1), conv(128, 256, 1)
        return [nn.Sequential(stem, network.layer1), network.layer2, network.layer3, network.layer4]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        (one, two), merges = x.split(3, 1), []
        for first, second, gate in zip(*self.paths, self.gates, strict=True):
            one, two, merged = gate(first(one), second(two))
            merges.append(merged)
        top = functional.leaky_relu(self.aspp(merged) + self.pool(merged))
        low = self.reduce(merges[0])
        return resize(self.last(torch.cat([resize(top, low), low], 1)), x)


# DeepLab


def _deeplab() -> nn.Module:
    """DeepLab over MobileNetV2 (tensorflow/models research/deeplab/g3doc/model_zoo.md): output stride 8, no ASPP, no decoder.

    Of its head, a 1x1 branch and the projection; the pooled branch is left out (add_image_level_feature): the published
    66.37 G is what is left without it, and model_zoo.md's 433.24 G over scales and flips what there is with it.
    """
    from torchvision.models import mobilenet_v2

    layers = bare(mobilenet_v2()).features[:18]
    for n, layer in enumerate(layers):
        for part in layer.modules():
            if n >= STRIDE_8 and isinstance(part, nn.Conv2d) and part.kernel_size == (3, 3):
                dilation = (1 if n == STRIDE_8 else 2 if n <= STRIDE_16 else 4,) * 2
                part.stride, part.dilation, part.padding = (1, 1), dilation, dilation
    head = nn.Sequential(relu(conv(320, 256, 1), conv(256, 256, 1)), conv(256, CITYSCAPES, 1))
    return nn.Sequential(layers, head, nn.UpsamplingBilinear2d(scale_factor=8))


def _resnet101(**options: Any) -> nn.Module:
    """Torchvision's, imported when it is built."""
    from torchvision.models import resnet101

    return resnet101(**options)


def jobs() -> Iterator[Job]:
    """Name, constructor and shape of one input."""
    half, unet = (1, 3, 512, 1024), tuple(64 * 2**n // 4 for n in range(5))
    yield "paper/enet", _enet, half
    yield "paper/erfnet", _erfnet, half
    yield "paper/semantic_fpn_resnet18", _semantic_fpn_resnet18, (1, 3, 256, 512)
    yield "paper/semantic_fpn_mobilenetv2", _semantic_fpn_mobilenetv2, half
    yield "paper/salsanext", _salsanext_zoo, (1, 5, 64, 2048)
    yield "paper/salsanextv2", _salsanext, (1, 5, 64, 2048)
    yield "paper/unet_chaos", lambda: _UNet(3, unet, 2), (1, 3, 512, 512)
    yield "paper/ultrafast_resnet18", _ultrafast, (1, 3, 288, 800)
    yield "paper/hardnet_mseg", _HarDMSEG, (1, 3, 352, 352)
    yield "paper/sa_gate", lambda: _SAGate(_resnet101), (1, 6, 360, 360)
    yield "paper/deeplab_mobilenetv2", _deeplab, (1, 3, 1024, 2048)

"""Counts what networks do by running them on the meta device, and writes ``planner/data/networks/graphs.csv``.

Nothing of the planner needs this script or what it imports; it is kept so that the table can be made again:

    python -m venv /tmp/count && /tmp/count/bin/pip install timm==1.0.22 torchvision==0.29.1 ultralytics==8.4.190 \
        effdet==0.4.1 segmentation-models-pytorch==0.6.0
    /tmp/count/bin/python tools/count_networks.py planner/data/networks/graphs.csv [pattern of names to count again]

Networks are built with random weights of no size: nothing is downloaded and nothing is computed. An operation is one
ATen call of the forward pass in evaluation, as an eager framework would launch it. Columns: planner/data/networks/README.md.
"""

import contextlib
import csv
import itertools
import math
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import published_networks
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

VIEWS = frozenset(
    ["view", "_unsafe_view", "expand", "permute", "transpose", "slice", "select", "split", "split_with_sizes", "unsqueeze",
     "squeeze", "t", "detach", "unbind", "as_strided", "alias", "chunk", "unfold", "reshape", "_reshape_alias", "narrow",
     "lift_fresh", "empty", "new_empty", "diagonal"]
)  # fmt: skip
NORMS = frozenset(["native_layer_norm", "_softmax", "native_group_norm", "linalg_vector_norm"])
PRODUCTS = ("dense", "pointwise", "grouped", "depthwise", "attention")
COLUMNS = (
    *PRODUCTS, *(f"{kind}_thin" for kind in PRODUCTS if kind != "depthwise"),
    "loose", "multiplied", "moved", "odd", "channelwise", "norm", "batchnorm", "rest", "gates", "scores", "weights", "outputs",
    "layers", "kernels",
)  # fmt: skip
PACKED = (4, 8, 16, 32)
"""Channels of a group that libraries have kernels for, several groups a tile; others run group by group, each padded to TILE."""
TILE, WHOLE_VECTORS = 128, 8
VECTOR = 16
"""Channels that a unit for convolutions of each channel by itself works on at once."""
COLOURS = 4
"""Channels of an image, at most: the first product of every network reads them, and libraries have kernels for it."""
IMAGES = 4  # dimensions of a batch of images
WHOLE = 2  # of the columns, the last ones that count operators


class Counter(TorchDispatchMode):
    """Adds up the work of every ATen call that passes."""

    def __init__(self, weights: set[int]) -> None:
        super().__init__()
        self.weights, self.total, self.paused = weights, defaultdict(float), 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if self.paused or name in VIEWS:
            return out
        outputs, inputs = sum(t.numel() for t in _tensors(out)), list(_tensors(args))
        held = sum(t.numel() for t in inputs if self._weight(t))
        moved = sum(t.numel() for t in inputs if not self._weight(t)) + outputs
        if name == "convolution":
            self._convolution(args, out, moved)
        elif name in ("mm", "addmm", "bmm", "baddbmm"):
            self._matmul(*args[-2:], moved, held)
        elif outputs:
            self.other(name, [t.shape for t in inputs if not self._weight(t)], moved, held)
        return out

    def add(self, column: str, value: float) -> None:
        """To one column's sum."""
        self.total[column] += value

    def product(self, kind: str, macs: float, width: float, depth: float, moved: float, weights: float) -> None:
        """A product that makes ``width`` channels of ``depth`` inputs each."""
        self.add(kind, macs)
        if kind != "depthwise":
            self.add(f"{kind}_thin", macs * (1 / max(width, 1) + 1 / max(depth, 1)))
        self.add("moved", moved)
        self.add("weights", weights)
        self.add("layers", 1)
        self.add("kernels", 1)

    def other(self, name: str, shapes: list[torch.Size], moved: float, held: float) -> None:
        """What is no product: a normalisation, a gate (a channel's factor on every place of it) or the rest."""
        kind = "norm" if name in NORMS else "batchnorm" if name == "native_batch_norm" else "rest"
        self.add(kind, moved)
        if name in ("mul", "mul_") and len(shapes) > 1 and len(shapes[0]) == IMAGES and shapes[0].numel() != shapes[1].numel():
            self.add("gates", moved)
        self.add("kernels", 1)
        self.add("weights", held)

    def _convolution(self, args: Any, out: torch.Tensor, moved: float) -> None:
        x, weight, transposed, groups = args[0], args[1], args[6], args[8]
        taps = weight[0, 0].numel()
        cin, cout = (weight.shape[0], weight.shape[1] * groups) if transposed else (weight.shape[1] * groups, weight.shape[0])
        macs = x.numel() * weight.shape[1] * taps if transposed else out.numel() * weight.shape[1] * taps
        kind = "dense" if taps > 1 else "pointwise"
        if groups > 1:
            kind = "depthwise" if groups >= min(cin, cout) else "grouped"
        if kind == "grouped" and (cin != cout or cin // groups not in PACKED):
            self.add("loose", macs * max(TILE / math.sqrt(cin * cout) * groups, 1))
        if kind == "depthwise":
            self.add("channelwise", moved)
            if cout > cin:
                self.add("multiplied", macs * math.ceil(cin / VECTOR) * VECTOR / cin)
        if kind != "grouped" and cin > COLOURS and (cin % WHOLE_VECTORS or cout % WHOLE_VECTORS):
            self.add("odd", moved)
        self.product(kind, macs, cout // groups, cin // groups * taps, moved, weight.numel())

    def _matmul(self, a: torch.Tensor, b: torch.Tensor, moved: float, held: float) -> None:
        macs = a.numel() * b.shape[-1]
        kind = "attention" if a.dim() == 3 else "pointwise"
        self.product(kind, macs, b.shape[-1], a.shape[-1], moved, held if kind == "pointwise" else 0)

    def attention(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Fused attention as one product: its scores stay inside, a bias or mask on them is read."""
        rows, context, depth, width = q[..., 0].numel(), k.shape[-2], q.shape[-1], v.shape[-1]
        moved = q.numel() + k.numel() + v.numel() + rows * width + (0 if mask is None else mask.numel())
        self.product("attention", rows * context * (depth + width), width, depth, moved, 0)
        self.add("scores", rows * context)
        self.paused += 1
        try:
            return q.new_empty(*q.shape[:-1], width)
        finally:
            self.paused -= 1

    def lstm(self, x: torch.Tensor, state: Any, weights: list[torch.Tensor], *options: Any) -> Any:
        """One direction of one layer a kernel, as vendors' libraries run it, not step by step."""
        depths = [w for w in weights if w.dim() == 2]
        steps, hidden = x[..., 0].numel(), depths[1].shape[1]
        for ahead, back in zip(depths[::2], depths[1::2], strict=True):
            width = ahead.shape[1] + back.shape[1]
            macs = steps * ahead.shape[0] * width
            self.product("pointwise", macs, ahead.shape[0], width, steps * (width + hidden), ahead.numel() + back.numel())
        directions = 2 if options[4] else 1
        return x.new_empty(*x.shape[:-1], hidden * directions), *state

    def _weight(self, tensor: torch.Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self.weights


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)


def count(make: Callable[[], torch.nn.Module], shape: tuple[int, ...]) -> dict[str, float]:
    """Parameters and COLUMNS of one sample."""
    network = make().to("meta").eval()
    held = [*network.parameters(), *network.buffers()]
    counter = Counter({t.untyped_storage()._cdata for t in held})
    fused = functional.scaled_dot_product_attention
    lstm = torch.nn.modules.rnn._VF.lstm
    functional.scaled_dot_product_attention = lambda q, k, v, attn_mask=None, *_, **__: counter.attention(q, k, v, attn_mask)
    torch.nn.modules.rnn._VF.lstm = counter.lstm
    try:
        with torch.no_grad(), counter, torch.device("meta"):
            out = network(torch.empty(shape))
    finally:
        functional.scaled_dot_product_attention, torch.nn.modules.rnn._VF.lstm = fused, lstm
    counter.add("outputs", sum(t.numel() for t in _tensors(out)))
    return {"parameters": sum(p.numel() for p in network.parameters()), **counter.total}


Job = tuple[str, Callable[[], torch.nn.Module], tuple[int, ...]]


def timm_jobs(table: Path) -> Iterator[Job]:
    """Every network of ``table`` at its sizes, and every network timm knows at the sizes of its weights."""
    import timm

    named = [(row["workload"][5:], int(row["image_size"])) for row in csv.DictReader(table.open())]
    for name in timm.list_models():
        config = timm.get_pretrained_cfg(name)
        sizes = [s[-1] for s in (config.input_size, config.test_input_size) if s] if config else []
        named += [(name, size) for size in sizes]
    for name, size in dict.fromkeys(named):
        yield f"timm/{name}", lambda name=name, size=size: _timm(name, size), (1, 3, size, size)


def _timm(name: str, size: int) -> torch.nn.Module:
    """On the meta device where it can be built there, at another image size where it takes one."""
    import timm

    for device, options in (("meta", {}), ("cpu", {}), ("meta", {"img_size": size})):
        with contextlib.suppress(Exception), torch.device(device):
            network = timm.create_model(name, pretrained=False, **options)
            if getattr(getattr(network, "patch_embed", None), "img_size", (size,))[0] in (size, None):
                return network
    raise ValueError(f"timm cannot build {name} at {size}")


class _Raw(torch.nn.Module):
    """A detector whose head gives its maps as they are: boxes are the host's work."""

    def __init__(self, detector: torch.nn.Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, x: torch.Tensor) -> Any:
        self.detector.model[-1].training = True
        return self.detector(x)


class _Maps(torch.nn.Module):
    """torchvision's detector without its pre- and post-processing."""

    def __init__(self, detector: torch.nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = detector.backbone, detector.head

    def forward(self, x: torch.Tensor) -> Any:
        return self.head(list(self.backbone(x).values()))


def yolo_jobs() -> Iterator[Job]:
    """The detectors of the ultralytics package, by their configurations."""
    from ultralytics.nn import tasks

    sizes = {"yolov3": ("", "-spp", "-tiny"), "yolov5": "nsml", "yolov6": "n", "yolov8": "nsmlx", "yolov9": "tsmc",
             "yolov10": "nsmblx", "yolo11": "nsmlx", "yolo12": "ns"}  # fmt: skip
    made = [(name + size, tasks.DetectionModel, 640) for name, some in sizes.items() for size in some] + [
        ("yolov5m-p6", tasks.DetectionModel, 1280)
    ]
    made += [(f"yolov8{size}-seg", tasks.SegmentationModel, 640) for size in "nsm"]
    made += [(f"yolov8{size}-pose", tasks.PoseModel, 640) for size in "nsm"]
    for name, kind, side in made:
        yield f"yolo/{name}", lambda name=name, kind=kind: _Raw(kind(f"{name}.yaml", ch=3, verbose=False)), (1, 3, side, side)


def torchvision_jobs() -> Iterator[Job]:
    """Classifiers, segmentation, video and detectors of torchvision, and MLPerf's RetinaNet built of its parts."""
    from torchvision import models
    from torchvision.models import detection, segmentation, video

    names = "resnet18 resnet34 resnet50 resnet101 resnet152 squeezenet1_1 googlenet inception_v3 vgg16 vgg19 mobilenet_v2 "
    for name in (names + "mobilenet_v3_large densenet121").split():
        side = 299 if name == "inception_v3" else 224
        options = {"init_weights": False, "aux_logits": False} if name in ("googlenet", "inception_v3") else {}
        yield f"torchvision/{name}", lambda name=name, o=options: getattr(models, name)(**o), (1, 3, side, side)
    yield "torchvision/vgg16_features", lambda: models.vgg16(init_weights=False).features, (1, 3, 224, 224)
    bare = {"weights": None, "weights_backbone": None}
    for name in ("fcn_resnet50", "deeplabv3_resnet50"):
        yield f"torchvision/{name}", lambda name=name: getattr(segmentation, name)(**bare), (1, 3, 512, 512)
    yield "torchvision/r3d_18", video.r3d_18, (1, 3, 16, 112, 112)
    for name, side in (("ssd300_vgg16", 300), ("ssdlite320_mobilenet_v3_large", 320), ("retinanet_resnet50_fpn", 800)):
        yield f"torchvision/{name}", lambda name=name: _Maps(getattr(detection, name)(**bare)), (1, 3, side, side)
    yield "mlperf/retinanet", _retinanet, (1, 3, 800, 800)


def _retinanet() -> torch.nn.Module:
    """ResNeXt-50 32x4d, a pyramid of 256 channels and 264 classes: mlcommons/training single_stage_detector/ssd/model."""
    from torchvision.models import resnext50_32x4d
    from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
    from torchvision.models.detection.retinanet import RetinaNet
    from torchvision.ops.feature_pyramid_network import LastLevelP6P7

    levels = LastLevelP6P7(256, 256)
    backbone = _resnet_fpn_extractor(resnext50_32x4d(weights=None), 3, returned_layers=[2, 3, 4], extra_blocks=levels)
    return _Maps(RetinaNet(backbone, 264))


def other_jobs() -> Iterator[Job]:
    """EfficientDet and encoder-decoder segmentation."""
    import effdet
    import segmentation_models_pytorch as smp

    for name, side in (("tf_efficientdet_d0", 512), ("tf_efficientdet_d2", 768)):
        config = effdet.get_efficientdet_config(name)
        yield f"effdet/{name}", lambda c=config: effdet.EfficientDet(c, pretrained_backbone=False), (1, 3, side, side)
    for name, kind, encoder, shape in (
        ("unet_mobilenet_v2", smp.Unet, "mobilenet_v2", (1, 3, 256, 256)),
        ("unet_resnet34", smp.Unet, "resnet34", (1, 3, 512, 512)),
        ("deeplabv3_mobilenet_v2", smp.DeepLabV3, "mobilenet_v2", (1, 3, 512, 512)),
        ("fpn_resnet18", smp.FPN, "resnet18", (1, 3, 256, 512)),
        ("fpn_mobilenet_v2", smp.FPN, "mobilenet_v2", (1, 3, 512, 1024)),
    ):
        yield f"smp/{name}", lambda k=kind, e=encoder: k(e, encoder_weights=None, classes=19), shape


class _Detr(torch.nn.Module):
    """DETR (arXiv:2005.12872): a transformer over the places of a backbone, a thirty-second of the side, and 100 queries."""

    def __init__(self, backbone: torch.nn.Module, width: int) -> None:
        super().__init__()
        self.backbone = torch.nn.Sequential(*list(backbone.children())[:-2])
        self.project = torch.nn.Conv2d(width, 256, 1)
        self.transformer = torch.nn.Transformer(256, 8, 6, 6, 2048, batch_first=True)
        self.queries = torch.nn.Parameter(torch.zeros(1, 100, 256))
        self.classes, self.boxes = torch.nn.Linear(256, 92), torch.nn.Linear(256, 4)

    def forward(self, x: torch.Tensor) -> Any:
        places = self.project(self.backbone(x)).flatten(2).transpose(1, 2)
        found = self.transformer(places, self.queries)
        return self.classes(found), self.boxes(found)


def detr_jobs() -> Iterator[Job]:
    """DETR over two of torchvision's backbones."""
    from torchvision import models

    for name, width in (("resnet18", 512), ("resnet50", 2048)):
        yield f"paper/detr_{name}", lambda n=name, w=width: _Detr(getattr(models, n)(), w), (1, 3, 800, 800)


def paper_jobs() -> Iterator[Job]:
    """Image restoration at full resolution, as their papers describe it: DnCNN (arXiv:1608.03981, 17 layers of 64),
    ESPCN (arXiv:1609.05158, 64-32 before the shuffle), Zero-DCE (arXiv:2001.06826, seven layers of 32, skips joined).
    """

    def chain(*widths: tuple[int, int, int]) -> torch.nn.Module:
        return torch.nn.Sequential(*(torch.nn.Conv2d(i, o, k, padding=k // 2) for i, o, k in widths))

    yield "paper/dncnn", lambda: chain((3, 64, 3), *[(64, 64, 3)] * 15, (64, 3, 3)), (1, 3, 321, 481)
    yield "paper/espcn", lambda: torch.nn.Sequential(chain((1, 64, 5), (64, 32, 3), (32, 4, 3)), torch.nn.PixelShuffle(2)), (
        1, 1, 156, 240,
    )  # fmt: skip

    def separable(i: int, o: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Conv2d(i, i, 3, padding=1, groups=i), torch.nn.Conv2d(i, o, 1))

    yield "paper/zero_dce_pp", lambda: torch.nn.Sequential(
        separable(3, 32), *(separable(32, 32) for _ in range(6)), separable(32, 24)
    ), (1, 3, 400, 600)  # fmt: skip
    yield "paper/zero_dce", lambda: chain((3, 32, 3), *[(32, 32, 3)] * 3, *[(32, 32, 3)] * 3, (32, 24, 3)), (1, 3, 400, 600)


def main(output: Path, only: str = "") -> None:
    """One line a network and size; what cannot be built is named on stderr and left out; other lines than ``only``'s stay."""
    torch.backends.mha.set_fastpath_enabled(False)  # one call for a whole layer
    torch.autocast = lambda *_, **__: contextlib.nullcontext()  # networks that switch it off know no meta device
    timm = timm_jobs(output.with_name("timm.csv"))
    zoos = (yolo_jobs(), torchvision_jobs(), other_jobs(), paper_jobs(), detr_jobs(), published_networks.jobs(), timm)
    wanted = re.compile(only)
    rows = [row for row in csv.reader(output.open()) if not wanted.search(row[0])][1:] if only else []
    for name, make, shape in itertools.chain(*zoos):
        if not wanted.search(name):
            continue
        try:
            found = count(make, shape)
        except Exception as error:
            print(f"left out {name} {shape}: {str(error)[:100]}", file=sys.stderr)
            continue
        image = str(shape[-1]) if shape[-1] == shape[-2] else f"{shape[-2]}x{shape[-1]}"
        numbers = [f"{found.get(c, 0.0) / 1e6:.4g}" for c in ("parameters", *COLUMNS[:-WHOLE])]
        rows.append([name, image, *numbers, *(int(found.get(c, 0)) for c in COLUMNS[-WHOLE:])])
    with output.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["workload", "image_size", "parameters", *COLUMNS])
        writer.writerows(sorted(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])

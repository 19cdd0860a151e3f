"""What ``planner bench verify`` is held against: a network at a batch, in a dtype, in one use of it, ready to run."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from planner.errors import unknown
from planner.measure.networks import Language, Recommender, VisionTransformer, mobilenet_v2, resnet50


@dataclass(frozen=True)
class Subject:
    """A network at a batch, in a dtype, in one use of it (infer, prefill, decode, train); ``length`` tokens where it has any."""

    network: str
    use: str
    dtype: str
    batch: int
    length: int = 0

    @property
    def name(self) -> str:
        """e.g. ``gpt2 decode bf16 b1 512``."""
        return " ".join([self.network, self.use, self.dtype, f"b{self.batch}", *([str(self.length)] if self.length else [])])


DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
Step = Callable[[], object]


def build(subject: Subject, device: torch.device) -> Step:
    """The network with random weights and inputs; each call of the result is one pass, or one training step."""
    torch.manual_seed(0)
    network, inputs = _BUILDERS[subject.network](subject)
    network = network.to(device, DTYPES[subject.dtype]).train(subject.use == "train")
    inputs = [_moved(x, device, DTYPES[subject.dtype]) for x in inputs]
    if subject.use == "train":
        return _training(network, inputs)

    def step() -> object:
        with torch.no_grad():
            return network(*inputs)

    return step


def _moved(x: object, device: torch.device, dtype: torch.dtype) -> object:
    if isinstance(x, Tensor):
        return x.to(device, dtype if x.is_floating_point() else x.dtype)
    return [tuple(_moved(t, device, dtype) for t in pair) for pair in x] if isinstance(x, list) else x


def _training(network: nn.Module, inputs: list[object]) -> Step:
    """A step that learns nothing, so that gradients stay what they are: none fades into denormals."""
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=0.0, fused=True
    )  # the gradients stay what they are: none fades into denormals
    with torch.no_grad():
        classes = network(*inputs).shape[-1]
    shape = inputs[0].shape[:2] if not inputs[0].is_floating_point() else inputs[0].shape[:1]  # type: ignore[attr-defined]
    target = torch.randint(0, classes, (shape.numel(),), device=inputs[0].device)  # type: ignore[attr-defined]

    def step() -> object:
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(network(*inputs).flatten(0, -2), target)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _images(network: nn.Module, s: Subject) -> tuple[nn.Module, list[object]]:
    return network, [torch.randn(s.batch, 3, 224, 224)]


def _bert(s: Subject) -> tuple[nn.Module, list[object]]:
    return Language(30522, 512, causal=False), [torch.randint(0, 30522, (s.batch, s.length))]


def _gpt2(s: Subject) -> tuple[nn.Module, list[object]]:
    network = Language(50257, 1024, causal=True)
    if s.use != "decode":
        return network, [torch.randint(0, 50257, (s.batch, s.length))]
    past = [(torch.randn(s.batch, 12, s.length, 64), torch.randn(s.batch, 12, s.length, 64)) for _ in range(12)]
    return network, [torch.randint(0, 50257, (s.batch, 1)), past]


def _dlrm(s: Subject) -> tuple[nn.Module, list[object]]:
    network = Recommender()
    return network, [torch.randn(s.batch, 13), torch.randint(0, 40_000, (len(network.bags), s.batch, 1))]


_BUILDERS: dict[str, Callable[[Subject], tuple[nn.Module, list[object]]]] = {
    "resnet50": lambda s: _images(resnet50(), s),
    "mobilenet_v2": lambda s: _images(mobilenet_v2(), s),
    "vit_b16": lambda s: _images(VisionTransformer(), s),
    "bert": _bert,
    "gpt2": _gpt2,
    "dlrm": _dlrm,
}


def subjects(device: str = "cpu") -> list[Subject]:
    """The configurations that ``planner bench verify`` holds predictions against; larger batches on an accelerator."""
    both, large = ("fp32", "bf16"), device != "cpu"
    found = [Subject("resnet50", "infer", d, b) for d in both for b in ((1, 64) if large else (1, 8))]
    found += [Subject("mobilenet_v2", "infer", d, b) for d in both for b in ((1, 128) if large else (1, 16))]
    found += [Subject("vit_b16", "infer", d, b) for d in both for b in ((1, 64) if large else (1, 4))]
    found += [Subject("bert", "infer", d, b, 128) for d in both for b in ((1, 64) if large else (1, 8))]
    found += [Subject("gpt2", "prefill", d, 8 if large else 1, 512) for d in both]
    found += [Subject("gpt2", "decode", d, b, 512) for d in both for b in ((1, 64) if large else (1, 8))]
    found += [Subject("dlrm", "infer", d, b) for d in both for b in ((2048, 16384) if large else (128, 2048))]
    scale = 8 if large else 1
    found += [Subject("resnet50", "train", "fp32", 8 * scale), Subject("bert", "train", "fp32", 4 * scale, 128)]
    return [*found, Subject("bert", "train", "bf16", 4 * scale, 128), Subject("gpt2", "train", "fp32", scale, 256)]


def named(start: str, device: str) -> list[Subject]:
    """The subjects of a kind of device whose name starts so; InputError where there is none."""
    there = subjects(device)
    found = [s for s in there if s.name == start or s.name.startswith(f"{start} ")]
    if not found:
        raise unknown("network", start, {s.name for s in there} | {s.network for s in there})
    return found

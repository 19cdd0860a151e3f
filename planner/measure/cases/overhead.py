"""What a call costs before any work: launch and dispatch, a module around it, and autograd's bookkeeping.

Cells call torch's overloads, as what a trace wrote down; a network calls methods, which takes less: "called" is that.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch
from torch import nn

from planner.measure.case import Case, Target
from planner.schema.measurement import Operation, Tier

LAYERS = 24
Make = Callable[[torch.device], Callable[[], Any]]


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """Tiny work, so that only the framework is left; networks of tiny layers count ``calls`` operations of torch a run."""
    yield _case("add", 1, _add)
    yield _case("view", 1, _view)
    yield _case("add called", 1, lambda device: _called(device, lambda a: a + a))
    yield _case("view called", 1, lambda device: _called(device, lambda a: a.view(4)))
    if target.device.type != "cpu":
        yield _case("kernel", 1, _add, "device")
        yield _case("kernel queued", 1, _add, "queued")
    yield _case("linear", 1, _linear)
    yield _case("modules", 3 * LAYERS, _modules)
    yield _case("convolutions", 3 * LAYERS, _convolutions)
    yield _case("training step", 3 * LAYERS, _training)


def _case(variant: str, calls: int, make: Make, clock: Literal["device", "queued", "launch"] = "launch") -> Case:
    return Case(Operation("overhead", variant, "fp32", {"calls": float(calls)}), make, clock=clock)


def _add(device: torch.device) -> Callable[[], Any]:
    a = torch.randn(4, device=device)
    function = torch.ops.aten.add.Tensor
    return lambda: function(a, a)


def _view(device: torch.device) -> Callable[[], Any]:
    a = torch.randn(2, 2, device=device)
    function = torch.ops.aten.view.default
    return lambda: function(a, [4])


def _called(device: torch.device, call: Callable[[torch.Tensor], Any]) -> Callable[[], Any]:
    a = torch.randn(2, 2, device=device)
    return lambda: call(a)


def _linear(device: torch.device) -> Callable[[], Any]:
    layer, x = nn.Linear(8, 8, device=device), torch.randn(1, 8, device=device)
    return lambda: layer(x)


def _modules(device: torch.device) -> Callable[[], Any]:
    network = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.LayerNorm(8)) for _ in range(LAYERS)]).to(device)
    x = torch.randn(1, 8, device=device)
    return lambda: network(x)


def _convolutions(device: torch.device) -> Callable[[], Any]:
    block = [nn.Sequential(nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()) for _ in range(LAYERS)]
    network, x = nn.Sequential(*block).to(device).eval(), torch.randn(1, 8, 2, 2, device=device)
    return lambda: network(x)


def _training(device: torch.device) -> Callable[[], Any]:
    network = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.LayerNorm(8)) for _ in range(LAYERS)]).to(device)
    x = torch.randn(1, 8, device=device)

    def step() -> Any:
        with torch.enable_grad():
            network(x).sum().backward()

    return step

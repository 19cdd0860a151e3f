"""A network's pass written down: its FLOP are torch's own, and distances are those of a list worked by hand."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from planner.measure.case import traced as case_of
from planner.measure.trace import NEVER, PIECE, _distances, _merged, _pieces, trace
from planner.schema.measurement import Traced


class Attend(nn.Module):
    """A head or two of attention over (batch, length, 32)."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(32, 96), nn.Linear(32, 32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (batch, length, 32)."""
        q, k, v = (y.unflatten(-1, (2, 16)).transpose(1, 2) for y in self.into(x).chunk(3, -1))
        found = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out(found.transpose(1, 2).flatten(2))


def images() -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1), nn.Flatten(), nn.Linear(8 * 64, 10))
    return nn.Sequential(*layers), torch.randn(2, 3, 16, 16)


def texts() -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(100, 32), Attend(), nn.LayerNorm(32), nn.Linear(32, 8)), torch.randint(0, 100, (2, 24))


def flop(traced: Traced) -> float:
    return sum(traced.operations[v.operation].flop for v in traced.visits)


ATTENTION = 4 * 2 * 2 * 24 * 24 * 16
"""FLOP of the two heads, which torch does not count on a CPU; the gradient's are 2.5 times as many."""


@pytest.mark.parametrize(("make", "more"), [(images, 0), (texts, ATTENTION)], ids=["images", "texts"])
@pytest.mark.parametrize("training", [False, True])
def test_flop_are_those_that_torch_counts(make: Callable[[], Any], more: float, training: bool) -> None:
    network, x = make()

    def step() -> None:
        with torch.set_grad_enabled(training):
            loss = network(x).square().sum()
            if training:
                loss.backward()

    with FlopCounterMode(display=False) as counter:
        step()
    found, _ = trace("net", step)
    assert flop(found) == pytest.approx(counter.get_total_flops() + more * (3.5 if training else 1), rel=0.01)


def test_gradients_of_a_depthwise_convolution_are_as_small_as_it_is() -> None:
    """2 images × 64 places × 8 channels × 9 weights × 2, three times; torch's counter takes the weights' gradient for dense."""
    network, x = nn.Conv2d(8, 8, 3, 1, 1, groups=8), torch.randn(2, 8, 8, 8, requires_grad=True)
    found, _ = trace("net", lambda: network(x).sum().backward())
    assert flop(found) == 3 * 2 * 2 * 64 * 8 * 9


def test_every_operation_is_kept_once_and_runs_again_alone() -> None:
    network, x = texts()
    with torch.no_grad():
        found, calls = trace("net", lambda: network(x))
        assert len({o.key for o in found.operations}) == len(found.operations) == len(calls)
        assert {o.op for o in found.operations} >= {"gather", "matmul", "attention", "normalization", "view"}
        for o in found.operations:
            again = case_of(calls[o.key], ("hot",))
            assert again.operation.identity == o.identity
            again.make(torch.device("cpu"))()


def test_views_touch_nothing() -> None:
    network, x = texts()
    with torch.no_grad():
        found, _ = trace("net", lambda: network(x))
    kinds = {found.operations[v.operation].op for v in found.visits if not v.touched}
    assert kinds == {"view"}
    assert all(not v.touched for v in found.visits if found.operations[v.operation].op == "view")


def test_weights_come_back_after_the_rest_of_the_pass() -> None:
    """Two layers of 4 MB: between two uses of one lie the other's, and little more; nothing comes for the first time."""
    network = nn.Sequential(nn.Linear(1024, 1024, bias=False), nn.Linear(1024, 1024, bias=False))
    x, size = torch.randn(1, 1024), 4 * 1024**2
    with torch.no_grad():
        found, _ = trace("net", lambda: network(x))
    products = [v for v in found.visits if found.operations[v.operation].op == "matmul"]
    assert len(products) == 2 and len(found.operations) < 4
    for visit in products:
        weights = [(part, distance) for part, distance in visit.touched if size / 2 < distance < NEVER]
        assert sum(part for part, _ in weights) == pytest.approx(size, rel=0.02)
        assert all(0.99 * size <= distance < 2 * size + 10 * PIECE for _, distance in weights)


A, B, C = 0, 10 * PIECE, 20 * PIECE


def test_distances_by_hand() -> None:
    """A B A C B: A again after B's 2 pieces; B again after A's piece and C's 3, its first piece after its second too."""
    found = _distances([[(A, PIECE)], [(B, 2 * PIECE)], [(A, PIECE)], [(C, 3 * PIECE)], [(B, 2 * PIECE)], [(B, 2 * PIECE)]])
    assert found[:2] == [((PIECE, NEVER),), ((2 * PIECE, NEVER),)]
    assert found[2] == ((PIECE, 2 * PIECE),)
    assert found[4] == ((PIECE, 5 * PIECE), (PIECE, 4 * PIECE))
    assert found[5] == ((PIECE, PIECE), (PIECE, 0))


def test_one_operation_s_own_operands_are_not_between() -> None:
    """A and B touched together, and together again: nothing else lay between but one another."""
    first, second = _distances([[(A, PIECE), (B, PIECE)], [(A, PIECE), (B, PIECE)]])
    assert sum(part for part, _ in first) == 2 * PIECE and all(d == NEVER for _, d in first)
    assert sum(part for part, _ in second) == 2 * PIECE and all(d <= PIECE for _, d in second)


def test_nothing_touched_is_nothing_found() -> None:
    assert _distances([[], [(A, 100)], [], [(A, 100)]]) == [(), ((100.0, NEVER),), (), ((100.0, 0.0),)]


def test_pieces_cover_what_was_touched_exactly() -> None:
    assert _pieces(PIECE - 100, 300) == [(0, 100), (1, 200)]
    assert _pieces(PIECE, PIECE) == [(1, PIECE)]
    assert sum(size for _, size in _pieces(12_345, 10 * PIECE + 7)) == 10 * PIECE + 7


def test_pieces_at_about_the_same_distance_are_added_up() -> None:
    merged = _merged([(10.0, 1e6), (20.0, 1.001e6), (5.0, 2e6), (1.0, NEVER), (2.0, NEVER)])
    assert [size for size, _ in merged] == [30, 5, 3]

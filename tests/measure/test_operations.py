"""Operations of torch as data: written down, described, run again."""

import pytest

torch = pytest.importorskip("torch")

from planner.measure.call import Call, as_data, bind, like, spec, tensor  # noqa: E402
from planner.measure.case import Target, chosen, of_call, suites, t, transposed  # noqa: E402
from planner.measure.describe import describe, moves_nothing  # noqa: E402
from planner.measure.run import Work, _cell, both, clock, grid, identity, measure, target  # noqa: E402
from planner.measure.trace import NEVER, PIECE, _distances, trace  # noqa: E402
from planner.schema.measurement import Canary, Cell  # noqa: E402

CPU = torch.device("cpu")
SMALL = Target(CPU, ("fp32", "bf16"), 1e7, 1e7)


def test_a_layout_survives_being_written_down() -> None:
    for original in (torch.randn(3, 4), torch.randn(4, 3).t(), torch.randn(2, 5, 3, 3).to(memory_format=torch.channels_last)):
        made = tensor(spec(original), CPU)
        assert (made.shape, made.stride(), made.dtype) == (original.shape, original.stride(), original.dtype)
    assert spec(torch.ones(1).expand(1000)).bytes == 4  # an expanded tensor has one element of memory


def test_integers_stay_below_what_they_index_and_bags_rise() -> None:
    assert tensor(like((1000,), "int64"), CPU, high=7).max() < 7
    run = bind(
        Call("aten._embedding_bag.default", (t("fp32", 50, 4), t("int64", 20), t("int64", 5), False, 0, False, None), high=50),
        CPU,
    )
    assert run()[0].shape == (5, 4)


def test_what_cannot_be_replayed_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be replayed"):
        as_data(object())


def test_products_and_convolutions_by_hand() -> None:
    product = of_call("aten.addmm.default", t("fp32", 5), t("fp32", 2, 3), transposed("fp32", 3, 5)).operation
    assert (product.op, product.variant, product.flop) == ("matmul", "mm nt", 60.0)
    assert product.shape == {"batch": 1, "m": 2, "n": 5, "k": 3} and product.written == 40
    image, weight = t("fp32", 2, 4, 8, 8), t("fp32", 6, 4, 3, 3)
    o = of_call("aten.convolution.default", image, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1).operation
    assert (o.variant, o.flop) == ("dense", 2.0 * 2 * 64 * 6 * 4 * 9)
    wide = t("fp32", 2, 4, 8, 8), t("fp32", 4, 1, 3, 3)
    o = of_call("aten.convolution.default", *wide, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 4).operation
    assert (o.variant, o.flop) == ("depthwise", 2.0 * 2 * 64 * 4 * 9)


def test_a_lookup_reads_its_rows_and_not_the_table() -> None:
    o = of_call("aten.embedding.default", t("fp32", 1000, 8), t("int64", 1, 10), high=1000).operation
    assert o.read == 10 * 8 * 4 + 10 * 8


@pytest.mark.parametrize("name", sorted(suites()))
def test_every_suite_keeps_its_contract(name: str) -> None:
    for tier in ("quick", "standard"):
        work = [Work(case, cache) for case in suites()[name].cases(tier, SMALL) for cache in case.caches]
        assert len({w.identity for w in work}) > 0 or name in ("collective", "transfer")
        for w in work:
            o = w.case.operation
            assert o.op == name and all(v > 0 for v in o.shape.values()) and o.flop >= 0


def test_the_quick_grid_runs() -> None:
    work = [w for w in grid(["matmul", "attention", "gather", "pooling", "overhead"], "quick", SMALL) if w.cache == "hot"]
    watch = clock(CPU, 1, "quick")
    watch.budget = 1e-3
    cells = [_cell(w, watch) for w in work]
    assert all(isinstance(c, Cell) and c.least > 0 and c.low <= c.median <= c.high for c in cells), cells


def test_small_operands_are_measured_hot_only() -> None:
    small = of_call("aten.add.Tensor", t("fp32", 10), t("fp32", 10), caches=("hot", "cold"))
    large = of_call("aten.add.Tensor", t("fp32", 1 << 20), t("fp32", 1 << 20), caches=("hot", "cold"))
    assert [w.cache for w in both(small, CPU)] == ["hot"] and [w.cache for w in both(large, CPU)] == ["hot", "cold"]


def test_what_was_disturbed_is_measured_again_and_not_forever(monkeypatch) -> None:
    from planner.measure import canary, run

    monkeypatch.setattr(canary.Canaries, "steady", lambda self, c: False)
    monkeypatch.setattr(run, "EVERY", 0.0)
    work = [Work(of_call("aten.add.Tensor", t("fp32", n), t("fp32", n)), "hot") for n in range(8, 28)]
    watch = clock(CPU, 1, "quick")
    watch.budget = 1e-3
    events = list(measure(work, watch))
    cells = [e for e in events if isinstance(e, Cell)]
    assert len(work) < len(cells) <= len(work) + int(run.EXTRA * len(work)) + 1
    assert max(c.repeats for c in cells) <= run.AGAIN and any(isinstance(e, Canary) for e in events)


def test_an_operation_that_fails_is_said_and_stops_nothing() -> None:
    bad = of_call("aten.add.Tensor", t("fp32", 4), t("fp32", 4))
    broken = Work(type(bad)(bad.operation, lambda device: lambda: torch.ones(2) @ torch.ones(3)), "hot")
    events = list(measure([broken, Work(bad, "hot")], clock(CPU, 1, "quick")))
    failed = [e for e in events if isinstance(e, tuple)]
    assert len(failed) == 1 and "elementwise add" in failed[0][0]
    assert identity(bad.operation, "hot") in {identity(e.operation, e.cache) for e in events if isinstance(e, Cell)}


def test_a_trace_counts_what_torch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 36, 16)
    )
    x = torch.randn(2, 3, 6, 6)

    def step() -> object:
        with torch.no_grad():
            return network(x)

    traced, calls = trace("tiny", step)
    counter = FlopCounterMode(display=False)
    with counter:
        step()
    flop = sum(traced.operations[v.operation].flop for v in traced.visits)
    assert flop == pytest.approx(counter.get_total_flops(), rel=0.01)
    assert all(describe(c).key == key for key, c in calls.items() if not moves_nothing(c))
    touched = [(b, d) for v in traced.visits for b, d in v.touched]
    known = sum(b for b, d in touched if d < NEVER)  # of the second pass: all but what was allocated elsewhere
    assert known > 0.8 * sum(b for b, _ in touched)


def test_reuse_distances_by_hand() -> None:
    """A, B, A again: since A was last touched, A and B were: two pieces."""
    a, b = (0, PIECE), (10 * PIECE, PIECE)
    first, second, third = _distances([[a], [b], [a]])
    assert first == second == ((PIECE, NEVER),)
    assert third == ((PIECE, PIECE),)


def test_suites_are_named_or_the_nearest_is() -> None:
    from planner.errors import InputError

    assert chosen([]) == tuple(suites())
    with pytest.raises(InputError, match="matmul"):
        chosen(["matmull"])
    assert target(CPU, "").floats == ("fp32", "bf16")

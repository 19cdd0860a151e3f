"""Every suite of the bench: what each case says of itself, and that it runs."""

from pathlib import Path

import pytest
import torch

from planner.errors import InputError
from planner.measure.case import Case, Target, channels_last, chosen, of_call, suites, t, transposed
from planner.measure.cases import attention, memory
from planner.measure.run import both, grid, target

CPU = torch.device("cpu")
ALONE = set(suites()) - {"collective"}  # which needs ranks


def every(name: str, tier: str, folder: str = "") -> list[Case]:
    return list(suites()[name].cases(tier, target(CPU, folder)))  # type: ignore[arg-type]


def test_a_suite_is_a_file_in_the_folder() -> None:
    import planner.measure.cases as folder

    assert set(suites()) == {f.stem for f in Path(folder.__file__).parent.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("name", sorted(ALONE))
@pytest.mark.parametrize("tier", ["quick", "standard"])
def test_what_cases_say_of_themselves(name: str, tier: str, tmp_path: Path) -> None:
    cases = every(name, tier, str(tmp_path))
    assert cases and {c.operation.op for c in cases} == {name}
    for case in cases:
        o = case.operation
        assert o.shape and all(size > 0 for size in o.shape.values())
        assert o.flop >= 0 and o.read >= 0 and o.written >= 0
        assert o.read + o.written > 0 or name == "overhead"
        assert o.flop > 0 or name not in ("matmul", "convolution", "attention")
        assert o.dtype in ("fp32", "bf16", "int") and case.caches[0] == "hot"
        assert o.flop <= target(CPU, "").flop or name != "convolution"
    work = {w.identity for case in cases for w in both(case, CPU)}
    assert len(work) == sum(len(both(case, CPU)) for case in cases)


def test_a_collective_needs_ranks() -> None:
    assert every("collective", "standard") == []


@pytest.mark.parametrize("name", sorted(ALONE))
def test_each_quick_case_runs(name: str, tmp_path: Path) -> None:
    with torch.no_grad():
        for case in every(name, "quick", str(tmp_path)):
            run = case.make(CPU)
            run()
            run()


def test_a_product_by_hand() -> None:
    """(3, 5) times (5, 7) and a bias of 7 in fp32: 2·3·5·7 FLOP; 15 + 35 + 7 elements in, 21 out."""
    o = of_call("aten.addmm.default", t("fp32", 7), t("fp32", 3, 5), transposed("fp32", 5, 7)).operation
    assert (o.op, o.variant, o.dtype, o.shape) == ("matmul", "mm nt", "fp32", {"batch": 1, "m": 3, "n": 7, "k": 5})
    assert (o.flop, o.read, o.written) == (210, 4 * 57, 4 * 21)
    o = of_call("aten.bmm.default", t("bf16", 4, 3, 5), t("bf16", 4, 5, 7)).operation
    assert (o.variant, o.flop, o.read, o.written) == ("bmm nn", 4 * 210, 2 * 4 * 50, 2 * 4 * 21)


def convolution(groups: int, weight: int, stride: int = 1) -> Case:
    """8 channels of 6 × 6 to 16, a 3 × 3 window padded by one, two images."""
    return of_call(
        "aten.convolution.default", t("fp32", 2, 8, 6, 6), t("fp32", 16, weight, 3, 3), None, [stride, stride], [1, 1], [1, 1],
        False, [0, 0], groups,
    )  # fmt: skip


def test_a_convolution_by_hand() -> None:
    """2 images × 36 places × 16 channels × (8 × 9 weights) × 2; a stride of 2 leaves 9 places, 8 groups one channel each."""
    o = convolution(1, 8).operation
    assert (o.variant, o.flop) == ("dense", 2 * 36 * 16 * 72 * 2)
    assert o.shape == {"batch": 2, "places": 36, "cin": 8, "cout": 16, "taps": 9, "stride": 1, "groups": 1}
    assert (o.read, o.written) == (4 * (2 * 8 * 36 + 16 * 72), 4 * 2 * 16 * 36)
    assert convolution(1, 8, 2).operation.flop == 2 * 9 * 16 * 72 * 2
    o = convolution(8, 1).operation
    assert (o.variant, o.flop) == ("depthwise", 2 * 36 * 16 * 9 * 2)
    assert convolution(4, 2).operation.variant == "grouped"
    last = of_call(
        "aten.convolution.default", channels_last("fp32", 2, 8, 6), channels_last("fp32", 16, 8, 3), None, [1, 1], [1, 1], [1, 1],
        False, [0, 0], 1,
    )  # fmt: skip
    assert (last.operation.variant, last.operation.flop) == ("dense channels_last", o.flop * 8)


def test_the_gradients_of_a_convolution_are_two_products() -> None:
    forward = convolution(1, 8).operation
    for mask, times in (([True, True, False], 2), ([False, True, False], 1)):
        backward = of_call(
            "aten.convolution_backward.default", t("fp32", 2, 16, 6, 6), t("fp32", 2, 8, 6, 6), t("fp32", 16, 8, 3, 3), [0],
            [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask,
        ).operation  # fmt: skip
        assert backward.variant == "dense backward" and backward.flop == times * forward.flop
        assert backward.shape == forward.shape


def test_attention_by_hand() -> None:
    """2 batches, 12 heads of 64: 4 FLOP for each query, key and dimension; half of it where causal, unless one query sees all."""
    full = 4.0 * 2 * 12 * 10 * 10 * 64
    for options, variant, flop in (
        ({"causal": False}, "full", full), ({"causal": True}, "causal", full / 2),
        ({"causal": True, "backward": True}, "causal backward", 2.5 * full / 2),
    ):  # fmt: skip
        (case,) = attention._case("bf16", (2, 10, 10), **options)  # type: ignore[arg-type]
        assert (case.operation.variant, case.operation.flop) == (variant, flop)
        case.make(CPU)()
    (case,) = attention._case("bf16", (2, 1, 10), causal=True)
    assert case.operation.flop == full / 10 and case.operation.written == 2 * 2 * 12 * 64
    assert case.operation.read == 2 * 2 * 12 * 64 * (1 + 20)


def test_streams_by_hand() -> None:
    """A triad of 4 kB: three arrays of 341 floats, two read and one written."""
    o = memory._case("triad", 4096).operation
    assert (o.read, o.written, o.shape) == (2 * 4 * 341, 4 * 341, {"bytes": 3 * 4 * 341})
    o = memory._case("sum", 4096).operation
    assert (o.read, o.written, o.shape) == (4096, 0, {"bytes": 4096})


def test_embeddings_read_the_rows_looked_up() -> None:
    o = of_call("aten.embedding.default", t("fp32", 1000, 8), t("int64", 3), high=1000).operation
    assert (o.op, o.shape) == ("gather", {"rows": 3, "width": 8, "table": 8000})
    assert (o.read, o.written) == (3 * 8 * 4 + 3 * 8, 3 * 8 * 4)


def test_small_operands_and_those_larger_than_any_cache_are_only_hot() -> None:
    for side, caches in ((64, ["hot"]), (512, ["hot", "cold"]), (8192, ["hot"])):
        case = of_call("aten.add.Tensor", t("fp32", side, side), t("fp32", side, side), caches=("hot", "cold"))
        assert [w.cache for w in both(case, CPU)] == caches


def test_the_grid_is_the_same_every_time_and_in_no_order() -> None:
    one, two = (grid(("memory", "pooling"), "quick", target(CPU, "")) for _ in range(2))
    assert [w.identity for w in one] == [w.identity for w in two]
    assert [w.identity for w in one] != sorted(w.identity for w in one)
    assert len({w.identity for w in one}) == len(one)
    assert {w.identity[0] for w in one} == {"memory", "pooling"}


def test_a_machine_that_cannot_afford_it_leaves_out_the_largest() -> None:
    little = Target(CPU, ("fp32",), 1e6, 1e5)
    for name in ("matmul", "memory"):
        sizes = [c.operation for c in suites()[name].cases("standard", little) if not c.operation.variant.startswith("bmm")]
        assert sizes and all(o.shape.get("bytes", 0) <= 1e5 and o.dtype == "fp32" for o in sizes)


def test_suites_are_chosen_by_name() -> None:
    assert chosen([]) == tuple(suites()) and chosen(["pooling", "memory", "pooling"]) == ("memory", "pooling")
    with pytest.raises(InputError, match="unknown suite 'matmull'") as caught:
        chosen(["matmull"])
    assert "matmul" in caught.value.hint

"""Calls of torch as data: layouts, the text they are known by, and arguments drawn anew."""

import pytest
import torch

from planner.measure.call import NOISE, Call, arguments, as_data, bind, like, overload, spec, tensor
from planner.measure.case import channels_last, t, transposed

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "made",
    [
        torch.randn(3, 4),
        torch.randn(3, 4).t(),
        torch.randn(2, 8, 6, 6).to(memory_format=torch.channels_last),
        torch.randn(5, 1).expand(5, 7),
        torch.randn(4, 10)[:, 2:5],
        torch.randn(2, 3, dtype=torch.bfloat16),
        torch.arange(6),
        torch.tensor([True, False]),
        torch.randn(()),
        torch.randn(0, 4),
    ],
    ids=["plain", "transposed", "channels last", "expanded", "cut out", "bf16", "integers", "truth", "no axes", "empty"],
)
def test_a_layout_is_drawn_as_it_was(made: torch.Tensor) -> None:
    s = spec(made)
    again = tensor(s, CPU, 5)
    assert spec(again) == s and again.shape == made.shape and again.stride() == made.stride() and again.dtype == made.dtype
    assert s.numel == made.numel() and s.itemsize == made.element_size()


def test_bytes_are_those_of_the_memory_behind() -> None:
    assert like((3, 4), "float32").bytes == 48 and like((3, 4), "bfloat16").bytes == 24
    assert spec(torch.randn(5, 1).expand(5, 7)).bytes == 5 * 4
    assert spec(torch.randn(4, 10)[:, 2:5]).bytes == 12 * 4
    assert like((0, 4), "float32").bytes == 0 and like((), "float64").bytes == 8


def test_transposed_and_channels_last_are_torch_s_own() -> None:
    assert transposed("fp32", 5, 7) == spec(torch.empty(7, 5).t())
    assert channels_last("bf16", 2, 8, 6) == spec(
        torch.empty(2, 8, 6, 6, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    )
    assert t("fp32", 2, 3) == spec(torch.empty(2, 3))


def test_values_are_normal_and_differ_from_row_to_row() -> None:
    x = tensor(like((NOISE // 100, 128), "float32"), CPU)
    assert abs(float(x.mean())) < 0.02 and float(x.std()) == pytest.approx(1, abs=0.02)
    assert not torch.equal(x[0], x[1]) and not torch.equal(x.flatten()[:128], x.flatten()[-128:])


def test_integers_are_below_high() -> None:
    x = tensor(like((4000,), "int64"), CPU, 7)
    assert x.min() == 0 and x.max() == 6 and tensor(like((100,), "int32"), CPU).max() == 1


def test_the_key_names_overload_layouts_and_values() -> None:
    operands = (like((7,), "float32"), like((3, 5), "float32"), transposed("fp32", 5, 7))
    call = Call("aten.addmm.default", operands, (("beta", 1), ("alpha", 2.0)))
    assert call.key == "aten.addmm.default(float32[7], float32[3x5], float32[5x7]@1,5, beta=1, alpha=2.0)"
    assert [s.shape for s in call.tensors] == [(7,), (3, 5), (5, 7)]
    listed = Call("aten.cat.default", ((like((2,), "float32"), like((3,), "float32")), 0))
    assert listed.key == "aten.cat.default((float32[2], float32[3]), 0)" and len(listed.tensors) == 2
    flags = Call("aten.x.default", (None, True, "tanh", as_data(torch.bfloat16), as_data(CPU)))
    assert flags.key == 'aten.x.default(null, true, "tanh", bfloat16, cpu)'


def test_arguments_become_data_and_arguments_again() -> None:
    data = as_data([torch.randn(2, 3), [1, 2], None, 1.5, torch.float16, torch.strided, torch.contiguous_format, CPU])
    assert data[0] == like((2, 3), "float32") and data[1] == (1, 2)
    args, kwargs = arguments(Call("x", data, (("dtype", data[4]),)), CPU)
    assert isinstance(args[0], torch.Tensor) and args[1:4] == [[1, 2], None, 1.5]
    assert args[4:] == [torch.float16, torch.strided, torch.contiguous_format, CPU] and kwargs == {"dtype": torch.float16}


@pytest.mark.parametrize("odd", [object(), {"a": 1}, torch.Generator(), 1j, [1, object()]])
def test_what_is_not_data_is_refused(odd: object) -> None:
    with pytest.raises(ValueError, match="cannot be replayed"):
        as_data(odd)


def test_a_call_runs_again_on_operands_of_its_own() -> None:
    call = Call("aten.addmm.default", (like((7,), "float32"), like((3, 5), "float32"), transposed("fp32", 5, 7)), (("beta", 0),))
    run = bind(call, CPU)
    assert run().shape == (3, 7) and torch.equal(run(), run())
    assert overload("aten.mm.default") is torch.ops.aten.mm.default


def test_rows_stay_inside_the_table_and_bags_rise() -> None:
    table, rows = like((50, 4), "float32"), like((12,), "int64")
    looked_up = bind(Call("aten.embedding.default", (table, rows), high=50), CPU)
    assert looked_up().shape == (12, 4)
    for bags in (1, 3, 12):
        call = Call("aten._embedding_bag.default", (table, rows, like((bags,), "int64"), False, 0, False, None), high=50)
        out, *_ = bind(call, CPU)()
        assert out.shape == (bags, 4)


def test_offsets_of_bags_begin_at_nothing_and_rise() -> None:
    """Twelve times the only row in five bags that start at 0, 2.4, 4.8, 7.2 and 9.6: 2, 2, 3, 2 and 3 of it."""
    table, rows = like((1, 4), "float32"), like((12,), "int64")
    call = Call("aten._embedding_bag.default", (table, rows, like((5,), "int64"), False, 0, False, None), high=1)
    out = bind(call, CPU)()[0]
    torch.testing.assert_close(out[:, 0] / out[0, 0], torch.tensor([1, 1, 1.5, 1, 1.5]))

"""Graphs of operations: what fusing leaves, and what each operation costs, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from planner.model import fusion
from planner.model.columns import Columns
from planner.model.families import graph
from planner.model.ops import convolution
from planner.model.passes import run
from planner.schema.graph import Found, Graph, Layer, Node, total_flop
from planner.schema.quantity import Figure
from tests.model.rows import machine

SHAPE = {"batch": 1, "places": 100, "cin": 32, "cout": 64, "taps": 9, "stride": 1, "groups": 1}
CONV = Layer("convolution", SHAPE, variant="dense", read=3200, written=6400, parameters=18432)
RELU = Layer("elementwise", {"elements": 6400}, variant="relu", read=6400, written=6400)
NORM = Layer("normalization", {"elements": 6400, "width": 64}, variant="batch_norm eval", read=6400, written=6400, parameters=256)
ADD = Layer("elementwise", {"elements": 6400}, variant="add", read=12800, written=6400)


def fused(*nodes: Node, outputs: tuple[str, ...] = ()) -> tuple[Layer, ...]:
    return fusion.graph(Found("net", "made", nodes, 0.0, outputs=outputs), "made").operations


def made(*layers: Layer) -> Graph:
    return Graph(Figure(1.0, "made"), layers)


def p(batch: float = 1.0, fused: float = 1.0, **more: float) -> Columns:
    return Columns(batch=batch, weight=2.0, activation=2.0, fused=fused, length=1, **more)


def test_an_activation_and_a_norm_behind_a_convolution_move_nothing() -> None:
    conv, norm, relu = fused(
        Node(CONV, (("x", 3200),), "a"), Node(NORM, (("a", 6400),), "b"), Node(RELU, (("b", 6400),), "c"), outputs=("c",)
    )
    assert (conv.fused, norm.fused, relu.fused) == (None, 0, 0)


def test_what_another_reads_too_is_written_as_well() -> None:
    """The sum of a residual block reads the other branch; where the result before it is needed elsewhere both are written."""
    a, b = Node(CONV, (("x", 3200),), "a"), Node(CONV, (("x", 3200),), "b")
    both = Node(ADD, (("a", 6400), ("b", 6400)), "c")
    assert fused(a, b, both)[-1].fused == 6400
    assert fused(a, b, both, outputs=("b",))[-1].fused == 6400 + 6400


@pytest.mark.parametrize("first", ["result", "input"])
def test_a_residual_block_s_input_is_added_by_the_last_kernel_of_the_block(first: str) -> None:
    """It is read once more and nothing else, whichever of the two the sum names first."""
    pair = (("c", 6400), ("a", 6400)) if first == "result" else (("a", 6400), ("c", 6400))
    before, body = Node(CONV, (("x", 3200),), "a"), Node(CONV, (("a", 6400),), "c")
    assert fused(before, body, Node(ADD, pair, "d"))[-1].fused == 6400


def test_what_stands_behind_no_product_is_a_kernel_of_its_own() -> None:
    moves = Node(Layer("elementwise", {"elements": 6400}, variant="cat", read=6400, written=6400), (("x", 6400),), "a", True)
    assert [layer.fused for layer in fused(moves, Node(RELU, (("a", 6400),), "b"))] == [None, None]


def test_whole_results_are_written_side_by_side_at_once() -> None:
    """Two convolutions write into one tensor; a part of what one makes has to be copied there."""
    a, b = Node(CONV, (("x", 3200),), "a"), Node(CONV, (("x", 3200),), "b")
    cat = Layer("elementwise", {"elements": 12800}, variant="cat", read=12800, written=12800)
    assert fused(a, b, Node(cat, (("a", 6400), ("b", 6400)), "c", True))[-1].fused == 0
    assert fused(a, b, Node(cat, (("a", 6400), ("b", 3200)), "c", True))[-1].fused is None


def test_a_convolution_writes_in_any_order() -> None:
    clone = Layer("elementwise", {"elements": 6400}, variant="clone strided", read=6400, written=6400)
    assert fused(Node(CONV, (("x", 3200),), "a"), Node(clone, (("a", 6400),), "b", True))[-1].fused == 0


def test_what_stays_in_16_bits_is_read_and_computed_so() -> None:
    """8 bits: 200 TFLOP/s and a byte an element; a product that stays in 16 bits has half of the rate and twice the bytes."""
    layer = Layer("matmul", {"batch": 1, "m": 1, "n": 1024, "k": 1024}, read=1024, written=1024, parameters=2**20)
    rows = Columns(batch=4096.0, weight=1.0, activation=1.0, fused=1.0, length=1)
    eight, sixteen = (graph.forward(made(one), rows)[0] for one in (layer, replace(layer, half=True)))
    assert sixteen.moved[0] == 2 * eight.moved[0]
    device = machine(peak=200e12, peak_half=100e12, bandwidth=1e15)
    assert run([sixteen], device).seconds[0] == pytest.approx(2 * run([eight], device).seconds[0], rel=1e-3)


def test_attention_is_read_in_16_bits_whatever_the_rest_is_in() -> None:
    shape = {"batch": 1, "heads": 8, "query": 1, "context": 100, "dim": 64}
    layer = Layer("attention", shape, variant="full", read=102912, written=512)
    (op,) = graph.forward(made(layer), Columns(batch=1.0, weight=1.0, activation=1.0, fused=1.0, length=1))
    assert op.part == "decode" and op.moved[0] == 2 * (102912 + 512)


def test_convolutions_of_several_taps_keep_their_share_of_a_products_speed() -> None:
    fits: dict[str, dict[str, object]] = {"convolution": {"e": 0.5}}
    one = Layer("convolution", {**SHAPE, "taps": 1}, variant="dense")
    for layer, slower in ((CONV, 2.0), (one, 1.0)):
        ops = graph.forward(made(layer), p(batch=1e6))
        plain, kept = (run(ops, machine(bandwidth=1e18, fits=f)).seconds[0] for f in ({}, fits))
        assert kept == pytest.approx(slower * plain)


def test_equal_layers_are_one_line() -> None:
    assert [layer.count for layer in fused(Node(CONV, (("x", 3200),), "a"), Node(CONV, (("a", 3200),), "b"))] == [2]


def test_attention_is_found_and_keeps_its_flop() -> None:
    scores = Layer("matmul", {"batch": 8, "m": 10, "n": 12, "k": 16}, read=2816, written=960)
    softmax = Layer("normalization", {"elements": 960, "width": 12}, variant="softmax", read=960, written=960)
    values = Layer("matmul", {"batch": 8, "m": 10, "n": 16, "k": 12}, read=2496, written=1280)
    nodes = (
        Node(scores, (("q", 1280), ("k", 1536)), "s"), Node(softmax, (("s", 960),), "a"),
        Node(values, (("a", 960), ("v", 1536)), "o"),
    )  # fmt: skip
    (core,) = fused(*nodes)
    assert core.op == "attention" and core.shape == {"batch": 1, "heads": 8, "query": 10, "context": 12, "dim": 16}
    assert (core.read, core.written) == (1280 + 1536 + 1536, 1280)
    assert total_flop((core,)) == total_flop((scores, values))
    without = (nodes[0], Node(RELU, (("s", 960),), "a"), nodes[2])
    assert [layer.op for layer in fused(*without)] == ["matmul", "elementwise", "matmul"]


def test_samples_are_more_rows_and_the_same_weights() -> None:
    """A product (3, 4) x (4, 5) with 20 weights: 6 rows for two samples; one of activations alone: two products."""
    weighted = Layer("matmul", {"batch": 1, "m": 3, "n": 5, "k": 4}, read=12, written=15, parameters=20)
    alone = Layer("matmul", {"batch": 1, "m": 3, "n": 5, "k": 4}, read=32, written=15)
    a, b = graph.forward(made(weighted, alone), p(batch=2.0))
    assert (a.shape["m"][0], a.shape["groups"][0], a.weight_bytes[0], a.activation_bytes[0]) == (6, 1, 40, 2 * 2 * 27)
    assert (b.shape["m"][0], b.shape["groups"][0], b.weight_bytes[0], b.activation_bytes[0]) == (3, 2, 0, 2 * 2 * 47)
    assert a.flop[0] == b.flop[0] == 2 * 2 * 3 * 4 * 5


def test_an_eager_engine_runs_what_a_compiler_folds() -> None:
    layer = Layer(**{**RELU.__dict__, "fused": 0.0})
    assert graph.forward(made(layer), p())[0].moved[0] == 0
    eager = graph.forward(made(layer), p(fused=0.0))[0]
    assert eager.moved[0] == 2 * 12800 and eager.shape["kernels"][0] == 1


def test_a_dense_convolution_by_hand() -> None:
    """10 samples of 2 x 100 x 64 x 288 FLOP at 100 TFLOP/s take 0.369 us; (9600 x 10 + 18432) x 2 B at 1 TB/s 0.229 us;
    the 4-norm of both: 0.381 us."""
    (op,) = graph.forward(made(CONV), p(batch=10.0))
    math, memory = 10 * 2 * 100 * 64 * 288 / 100e12, (9600 * 10 + 18432) * 2 / 1e12
    assert convolution.seconds(op, machine())[0] == pytest.approx((math**4 + memory**4) ** 0.25)
    assert op.flop[0] == 10 * 2 * 100 * 64 * 288


def test_a_depthwise_convolution_runs_on_the_vector_units() -> None:
    """64 filters of 9 on their own: a matrix unit of 16 x 16 would be 16 / 1 x 16 / 9 times too large; 1 TFLOP/s of vectors
    at half its peak takes 115200 / 0.5e12 s."""
    shape = {"batch": 1, "places": 100, "cin": 64, "cout": 64, "taps": 9, "stride": 1, "groups": 64}
    layer = Layer("convolution", shape, variant="depthwise", read=6400, written=6400, parameters=576)
    (op,) = graph.forward(made(layer), p())
    slow = convolution.seconds(op, machine(vector=1e9, bandwidth=1e15, fits={"convolution": {"e_v": 0.5}}))[0]
    fast = convolution.seconds(op, machine(vector=1e15, bandwidth=1e15, fits={"convolution": {"e_v": 0.5}}))[0]
    assert slow == pytest.approx(115200 * (16 * 16 / 9) / 100e12, rel=1e-3)
    assert fast == pytest.approx(115200 / 0.5e15, rel=1e-3)


def test_a_training_step_is_three_passes_of_flop() -> None:
    g = made(CONV, NORM, RELU)
    one, step = run(graph.forward(g, p(batch=4.0)), machine()), run(graph.step(g, p(batch=4.0)), machine())
    assert step.flop[0] == 3 * one.flop[0]
    norms = graph.step(made(Layer(**{**NORM.__dict__, "fused": 0.0})), p())
    assert norms[0].moved[0] == 2 * (12800 + 256)  # a batch norm in training needs its batch: it is not folded


def test_rows_of_a_large_table_come_from_other_devices() -> None:
    """8 lookups of 16 elements of a table of two million rows: lines of 64 B; from 4 devices three quarters of what is found."""
    layer = Layer("gather", {"rows": 8, "width": 16, "table": 32e6}, read=8, written=128, parameters=32e6)
    (alone,) = graph.forward(made(layer), p())
    assert alone.moved[0] == 8 * 64 + 128 * 2 and graph.tables(made(layer)) == 32e6
    looked, exchange = graph.forward(made(layer), p(batch=3.0, ways=4.0))
    assert exchange.kind == "collective" and exchange.shape["volume"][0] == 0.75 * 3 * 128 * 2
    assert looked.moved[0] == 3 * alone.moved[0]


def test_many_candidates_are_each_of_their_own() -> None:
    """Row i of several is what it is alone."""
    g = made(CONV, ADD, NORM)
    together = Columns(batch=np.array([1.0, 8.0, 64.0]), weight=2.0, activation=np.array([2.0, 1.0, 4.0]), fused=1.0)
    seconds = run(graph.forward(g, together), machine(3)).seconds
    for i in range(3):
        assert seconds[i] == run(graph.forward(g, together.take([i])), machine()).seconds[0]


def test_tokens_are_rows_looked_up_one_by_one_where_one_query_attends() -> None:
    """A decoder of 32 layers and 86 tokens; the same look-ups without attention of one query are no tokens, nor are the 196
    positions that an encoder looks up at once.
    """
    row = Layer("gather", {"rows": 1, "width": 8, "table": 800}, count=86, written=8, parameters=800)
    places = Layer("gather", {"rows": 196, "width": 8, "table": 1568}, written=1568, parameters=1568)
    one = Layer("attention", {"batch": 1, "heads": 2, "query": 1, "context": 43, "dim": 4}, count=86 * 32, variant="full")
    assert graph.tokens(made(places, row, one)) == 86
    assert graph.tokens(made(places, row, CONV)) == graph.tokens(made(CONV)) == 0

"""ONNX files as graphs: shapes by hand, a symbolic batch, and every kind of broken, hostile or unknown file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from planner.catalogue.onnx_checks import DEEPEST
from planner.catalogue.onnx_file import read
from planner.errors import InputError
from planner.model.fusion import workload
from planner.schema.graph import Graph, total_flop

Refused = Callable[..., InputError]


def weights(name: str, *shape: int) -> TensorProto:
    return numpy_helper.from_array(np.zeros(shape, np.float32), name)


def model(nodes: list[Any], initial: list[Any], shape: list[Any], *, opset: int = 17, output: str = "y") -> onnx.ModelProto:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "net", inputs, outputs, initial)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def small(batch: Any = "batch") -> onnx.ModelProto:
    """A convolution with its activation, a pool, and a classifier."""
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "v"], ["y"], transB=1),
    ]
    return model(nodes, [weights("w", 8, 3, 3, 3), weights("b", 8), weights("v", 10, 8)], [batch, 3, 32, 32])


@pytest.fixture
def save(tmp_path: Path) -> Callable[[onnx.ModelProto], Path]:
    def write(proto: onnx.ModelProto) -> Path:
        path = tmp_path / "m.onnx"
        path.write_bytes(proto.SerializeToString())
        return path

    return write


def graph(path: Path, **dims: int) -> Graph:
    made = workload(read(path, dims)).graph
    assert made is not None
    return made


@pytest.mark.parametrize("batch", ["batch", "N", None, 1])
def test_a_network_by_hand(batch: Any, save: Callable[..., Path]) -> None:
    """16 x 16 places of 8 filters of 27: 2 x 256 x 8 x 27 FLOP; ten classes of 8: 160. 216 + 8 + 80 parameters."""
    found = graph(save(small(batch)))
    conv, relu, pool, product = found.operations
    assert conv.shape == {"batch": 1, "places": 256, "cin": 3, "cout": 8, "taps": 9, "stride": 2, "groups": 1}
    assert (conv.read, conv.written, conv.parameters) == (3 * 1024, 8 * 256, 224)
    assert (relu.variant, relu.fused, pool.op, pool.written) == ("relu", 0, "pooling", 8)
    assert product.shape == {"batch": 1, "m": 1, "n": 10, "k": 8}
    assert total_flop(found.operations) == 2 * 256 * 8 * 27 + 160 and found.parameters.value == 304
    assert found.input == "3x32x32"


def test_two_products_with_a_softmax_are_attention(save: Callable[..., Path]) -> None:
    """q kᵀ/8 + mask, softmax, times v: one attention of 2 heads, 6 queries, that writes no scores; FLOP stay the same."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2]),
        helper.make_node("MatMul", ["x", "t"], ["s"]),
        helper.make_node("Mul", ["s", "scale"], ["m"]),
        helper.make_node("Softmax", ["m"], ["a"], axis=-1),
        helper.make_node("MatMul", ["a", "x"], ["y"]),
    ]
    found = graph(save(model(nodes, [weights("scale", 1)], ["batch", 2, 6, 4])))
    (core,) = (o for o in found.operations if o.op == "attention")
    assert core.shape == {"batch": 1, "heads": 2, "query": 6, "context": 6, "dim": 4}
    assert total_flop(found.operations) == 2 * (2 * 2 * 6 * 6 * 4)
    assert not [o for o in found.operations if o.op in ("matmul", "normalization")]


def test_a_recurrent_layer(save: Callable[..., Path]) -> None:
    """7 steps of one sample: 4 x 5 gates of 3 inputs and 5 states."""
    nodes = [helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=5)]
    found = graph(save(model(nodes, [weights("w", 1, 20, 3), weights("r", 1, 20, 5)], [7, 1, 3])))
    assert total_flop(found.operations) == 2 * 7 * 20 * (3 + 5) and found.parameters.value == 160


def test_what_no_rule_knows_is_named_and_the_rest_is_there(save: Callable[..., Path]) -> None:
    proto = small()
    proto.graph.node.append(helper.make_node("Strange", ["r"], ["z"], domain="acme.ai"))
    proto.opset_import.append(helper.make_opsetid("acme.ai", 1))
    proto.graph.node.append(helper.make_node("Relu", ["z"], ["zz"]))
    made = workload(read(save(proto), {}))
    assert made.graph and made.graph.unknown == {"acme.ai.Strange": 1, "Relu (shapes unknown)": 1}
    assert total_flop(made.graph.operations) == total_flop(graph(save(small())).operations)
    assert "acme.ai.Strange (1)" in made.notes and "2 of 6 nodes (33.3 %)" in made.notes


def test_an_opset_from_the_future_is_read_as_the_newest(save: Callable[..., Path]) -> None:
    proto = small()
    proto.opset_import[0].version = 999
    assert "opset 999 is not known" in workload(read(save(proto), {})).notes


def test_a_length_must_be_given_and_a_batch_need_not(save: Callable[..., Path], refused: Refused) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    path = save(model(nodes, [weights("w", 4, 4)], ["batch", "sequence", 4]))
    error = refused(read, path, {})
    assert "sequence (axis 1 of 'x')" in error.what and "--dim 'sequence=128'" in error.hint
    assert total_flop(graph(path, sequence=9).operations) == 2 * 9 * 16
    assert "has no symbolic size 'tokens'" in refused(read, path, {"sequence": 9, "tokens": 4}).what
    first = save(model(nodes, [weights("w", 4, 4)], ["sequence", "batch", 4]))
    assert "sequence (axis 0 of 'x'), batch (axis 1 of 'x')" in refused(read, first, {}).what


@pytest.mark.parametrize("location", ["/etc/passwd", "../w.bin", "a/../../w.bin", "C:\\w.bin", "..\\w.bin", "w\0.bin"])
def test_weights_outside_the_folder_are_refused(location: str, save: Callable[..., Path], refused: Refused) -> None:
    proto = small()
    tensor = proto.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    assert "lie outside its folder" in refused(read, save(proto), {}).what


def test_weights_beside_the_file_are_not_even_read(save: Callable[..., Path]) -> None:
    proto = small()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="not-there.bin")
    assert graph(save(proto)).operations == graph(save(small())).operations


def test_a_cycle_is_refused_and_a_wrong_order_is_put_right(save: Callable[..., Path], refused: Refused) -> None:
    proto = small()
    proto.graph.node[0].input[0] = "r"
    assert "form a cycle" in refused(read, save(proto), {}).what
    proto, nodes = small(), list(small().graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(reversed(nodes))
    assert graph(save(proto)).operations == graph(save(small())).operations


def test_graphs_inside_graphs_have_an_end(save: Callable[..., Path], refused: Refused) -> None:
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [], [])
    for _ in range(DEEPEST + 2):
        inner = helper.make_graph([helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)], "g", [], [])
        if inner.ByteSize() > 2_000_000:
            break
    proto = small()
    proto.graph.node.extend(inner.node)
    assert "inside graphs" in refused(read, save(proto), {}).what


def test_sizes_beyond_any_network_are_refused(save: Callable[..., Path], refused: Refused) -> None:
    proto = small()
    proto.graph.initializer[0].dims[0] = 2**60
    proto.graph.initializer[0].ClearField("raw_data")
    assert "impossible shape" in refused(read, save(proto), {}).what


@pytest.mark.parametrize("raw", [b"", b"\x00" * 10, b"nonsense" * 1000, b"\x80\x04cposix\nsystem\n"])
def test_what_is_no_onnx_file_is_refused(raw: bytes, tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(raw)
    assert refused(read, path, {})


def test_a_missing_file(tmp_path: Path, refused: Refused) -> None:
    assert "cannot read the file" in refused(read, tmp_path / "none.onnx", {}).what
    assert refused(read, tmp_path, {})


WHOLE = small().SerializeToString()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(WHOLE) - 1), with_=st.binary(min_size=0, max_size=6), gone=st.integers(0, 40))
def test_any_damage_is_an_answer_or_a_message(at: int, with_: bytes, gone: int, tmp_path: Path) -> None:
    """Bytes replaced anywhere: a graph of some work, or one InputError; never anything else."""
    path = tmp_path / "m.onnx"
    path.write_bytes(WHOLE[:at] + with_ + WHOLE[at + gone :])
    try:
        found = workload(read(path, {})).graph
    except InputError:
        return
    assert found and found.operations


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_a_message(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(raw)
    try:
        assert read(path, {}).nodes
    except InputError:
        return

"""What an ONNX node is, in the planner's words: one rule an operator, from the shapes of what it takes and makes.

Operators and their attributes: https://onnx.ai/onnx/operators (opset 1 to 26), and those of ONNX Runtime's com.microsoft.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from planner.schema.graph import Layer

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Operands:
    """A node's shapes: None where an operand is left out or its shape is not known. constant: which inputs are weights."""

    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape, ...]
    constant: tuple[bool, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def read(self) -> float:
        """Elements of activations that are read."""
        return float(sum(prod(s) for s, c in zip(self.inputs, self.constant, strict=True) if s is not None and not c))

    @property
    def weights(self) -> float:
        """Elements of weights that are read."""
        return float(sum(prod(s) for s, c in zip(self.inputs, self.constant, strict=True) if s is not None and c))

    @property
    def written(self) -> float:
        """Elements of the largest output."""
        return float(max(prod(s) for s in self.outputs))

    def of(self, index: int) -> Shape:
        """The shape of an input; ValueError where it is not known."""
        shape = self.inputs[index] if index < len(self.inputs) else None
        if shape is None:
            raise ValueError("the shape of an input is not known")
        return shape


Rule = Callable[[Operands], list[Layer]]


def _one(o: Operands, op: Any, variant: str, shape: dict[str, float], parameters: float | None = None) -> list[Layer]:
    held = o.weights if parameters is None else parameters
    return [Layer(op, {k: float(v) for k, v in shape.items()}, variant=variant, read=o.read, written=o.written, parameters=held)]


def _convolution(weight: int) -> Rule:
    def rule(o: Operands) -> list[Layer]:
        x, w, out = o.of(0), o.of(weight), o.outputs[0]
        groups = int(o.attributes.get("group", 1))
        kind = "depthwise" if groups == x[1] and groups > 1 else "grouped" if groups > 1 else "dense"
        stride = next(iter(o.attributes.get("strides", [1])), 1)
        return _one(o, "convolution", kind, {
            "batch": out[0], "places": prod(out[2:]), "cin": x[1], "cout": w[0], "taps": prod(w[2:]), "stride": stride,
            "groups": groups,
        })  # fmt: skip

    return rule


def _transposed(o: Operands) -> list[Layer]:
    """Every place of the image in is multiplied with the whole filter; the sums land on the image out."""
    x, w = o.of(0), o.of(1)
    groups = int(o.attributes.get("group", 1))
    return _one(o, "convolution", "transposed", {
        "batch": x[0], "places": prod(x[2:]), "cin": x[1], "cout": w[1] * groups, "taps": prod(w[2:]), "stride": 1,
        "groups": groups,
    })  # fmt: skip


def _matmul(right: int) -> Rule:
    def rule(o: Operands) -> list[Layer]:
        a, b = o.of(0), o.of(right)
        a, b = (a if len(a) > 1 else (1, *a)), (b if len(b) > 1 else (*b, 1))
        outer, weights = prod(o.outputs[0]) / (a[-2] * b[-1]), o.constant[right] or o.constant[0]
        flat = weights and len(b) == 2  # every row of every sample meets the same weights
        shape = {"batch": 1 if flat else outer, "m": a[-2] * (outer if flat else 1), "n": b[-1], "k": a[-1]}
        return _one(o, "matmul", "", shape)

    return rule


def _gemm(o: Operands) -> list[Layer]:
    a, b = o.of(0), o.of(1)
    m, k = reversed(a) if o.attributes.get("transA") else a
    n = b[0] if o.attributes.get("transB") else b[1]
    return _one(o, "matmul", "", {"batch": 1, "m": m, "n": n, "k": k})


def _attention(o: Operands) -> list[Layer]:
    """Attention of opset 23: queries, keys and values by head, or side by side with the number of heads as attributes."""
    q, k = o.of(0), o.of(1)
    heads = q[1] if len(q) == 4 else int(o.attributes.get("q_num_heads", o.attributes.get("num_heads", 1)))
    query, context = q[-2], k[-2]
    shape = {"batch": q[0], "heads": heads, "query": query, "context": context, "dim": q[-1] if len(q) == 4 else q[-1] / heads}
    return _one(o, "attention", "causal" if o.attributes.get("is_causal") else "full", shape)


def _recurrent(gates: int) -> Rule:
    """A layer of LSTM, GRU or RNN: all steps of its input in one product, then a product a step with the state."""

    def rule(o: Operands) -> list[Layer]:
        x, w, r = o.of(0), o.of(1), o.of(2)
        steps, batch = (x[1], x[0]) if o.attributes.get("layout") else (x[0], x[1])
        directions, inner = w[0], r[2]
        into, state = w[1] * w[2], r[1] * r[2]
        across = {"batch": 1.0, "m": float(steps * batch), "n": float(gates * inner), "k": float(x[2])}
        each = {"batch": 1.0, "m": float(batch), "n": float(gates * inner), "k": float(inner)}
        wide = float(gates * inner * batch)
        return [
            Layer("matmul", across, directions, read=float(prod(x)), written=steps * wide, parameters=float(into)),
            Layer("matmul", each, float(directions * steps), read=float(inner * batch), written=wide, parameters=float(state)),
            Layer("elementwise", {"elements": wide}, float(directions * steps), read=2 * wide, written=float(inner * batch)),
        ]

    return rule


def _gather(o: Operands) -> list[Layer]:
    table = o.of(0)
    width = prod(table[1:]) if not o.attributes.get("axis") else 1
    rows = prod(o.of(1)) if o.constant[0] else o.written / max(width, 1)
    held = float(prod(table)) if o.constant[0] else 0.0
    shape = {"rows": max(rows, 1), "width": max(width, 1), "table": prod(table)}
    return [Layer("gather", {k: float(v) for k, v in shape.items()}, variant="embedding", read=float(rows), written=o.written,
                  parameters=held)]  # fmt: skip


def _normalization(variant: str) -> Rule:
    def rule(o: Operands) -> list[Layer]:
        x = o.of(0)
        width = x[1] if variant.startswith("batch_norm") and len(x) > 1 else x[-1]
        return _one(o, "normalization", variant, {"elements": prod(x), "width": width})

    return rule


def _plain(op: str, variant: str) -> Rule:
    def rule(o: Operands) -> list[Layer]:
        elements = max([o.written, *(float(prod(s)) for s in o.inputs if s is not None)])
        held = o.weights if o.weights <= elements else 0.0
        return _one(o, op, variant, {"elements": elements}, held)

    return rule


VIEWS = frozenset(
    "Reshape Flatten Squeeze Unsqueeze Identity Dropout Slice Split Transpose Optional OptionalGetElement".split()  # noqa: SIM905
)
"""What moves nothing, as torch has it: its output is its first input seen otherwise, or a part of it."""
CONSTANT = frozenset("Constant Shape Size ConstantOfShape Range EyeLike RandomNormal RandomUniform".split())  # noqa: SIM905
"""What is known before the first sample: values of the file, or of shapes alone."""
ELEMENTWISE = (
    "Abs Acos Add And Asin Atan BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu Clip Cos Cosh CumSum "
    "DequantizeLinear Div DynamicQuantizeLinear Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish "
    "IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow QuantizeLinear Reciprocal Relu "
    "Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where Xor FastGelu "
    "BiasGelu QuickGelu QLinearAdd QLinearMul QLinearSigmoid QLinearLeakyRelu RotaryEmbedding Trilu"
)
MOVES = (
    "Concat DepthToSpace Expand GatherElements GatherND Pad Resize ReverseSequence ScatterElements ScatterND SpaceToDepth "
    "Tile TopK Upsample OneHot NonZero Compress Unique GridSample Col2Im QLinearConcat CenterCropPad"
)
"""What only puts elements elsewhere."""
POOLING = (
    "AveragePool GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool MaxRoiPool RoiAlign QLinearAveragePool "
    "ArgMax ArgMin QLinearGlobalAveragePool ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin "
    "ReduceProd ReduceSum ReduceSumSquare"
)
NORMS = {
    "BatchNormalization": "batch_norm eval", "LayerNormalization": "layer_norm", "InstanceNormalization": "instance_norm",
    "GroupNormalization": "group_norm", "RMSNormalization": "rms_norm", "SimplifiedLayerNormalization": "rms_norm",
    "SkipLayerNormalization": "layer_norm", "SkipSimplifiedLayerNormalization": "rms_norm", "Softmax": "softmax",
    "LogSoftmax": "log_softmax", "LpNormalization": "lp_norm", "LRN": "lrn", "MeanVarianceNormalization": "layer_norm",
    "Hardmax": "softmax",
}  # fmt: skip
RULES: dict[str, Rule] = {
    **{name: _plain("elementwise", name.lower()) for name in (*ELEMENTWISE.split(), *MOVES.split())},
    **{name: _plain("pooling", "") for name in POOLING.split()},
    **{name: _normalization(variant) for name, variant in NORMS.items()},
    "Conv": _convolution(1), "FusedConv": _convolution(1), "ConvInteger": _convolution(1), "QLinearConv": _convolution(3),
    "ConvTranspose": _transposed, "MatMul": _matmul(1), "FusedMatMul": _matmul(1), "MatMulInteger": _matmul(1),
    "QLinearMatMul": _matmul(3), "Gemm": _gemm, "QGemm": _gemm, "Attention": _attention, "LSTM": _recurrent(4),
    "GRU": _recurrent(3), "RNN": _recurrent(1), "Gather": _gather,
}  # fmt: skip

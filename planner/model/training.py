"""One optimizer step of a transformer on many devices: micro-batches through pipeline stages, gradients, the update.

``p`` holds, each (N,): tp, sp [1 where norms are split over tp too: sequence parallelism], cp, ring [1 where context ranks pass
keys and values around, 0 where they exchange heads], balanced [1 where they share causal work evenly], pp, dp, ep, schedule
[index of policy.SCHEDULES], virtual [stages a device], micro_batch [sequences], num_micro, sequence [tokens], zero_stage,
shard [data-parallel ranks that share one copy], recompute [index of policy.RECOMPUTE], optimizer [index of policy.OPTIMIZERS],
offload_optimizer, offload_activations [0 or 1], lora_rank [0 trains every parameter], overlap [1 where
communication among tensor ranks and between stages runs beside products], weight, stored, gradient [bytes],
fused, fused_loss, flash. Activations' memory: ``planner.model.training_memory``.
"""

from dataclasses import dataclass, replace

import numpy as np

from planner.model import policy
from planner.model.columns import Array, Columns
from planner.model.families import transformer
from planner.model.families.transformer_size import adapter_width
from planner.model.operation import Machine, Op
from planner.model.ops import collective
from planner.model.passes import Pass, run
from planner.model.training_exchange import exchange, sends, shard, shared
from planner.model.training_memory import activations, stage_share

BACKWARD_ATTENTION = 2.5  # five products instead of two: FlashAttention (arXiv:2205.14135), appendix B
ENDS = ("embedding", "logits", "loss")
MICRO = (
    "tp", "sp", "cp", "ring", "balanced", "ep", "micro_batch", "sequence", "recompute", "lora_rank", "overlap", "weight",
    "activation", "kv", "fused", "fused_loss", "flash",
)  # fmt: skip
"""The columns that a micro-batch's time depends on, beside the model and the machine."""


@dataclass(frozen=True)
class Micro:
    """A micro-batch through the whole model on one tp × cp group, each (N,): its passes, and what the parts of them take.

    body: layers, forward and backward. ends: embedding and logits. forward, weights: seconds of the body's forward pass and of
    its gradients of weights. flop: those the model asks for, of one device.
    """

    body: Pass
    ends: Pass
    forward: Array
    weights: Array
    flop: Array

    def take(self, index: Array) -> "Micro":
        """Rows by index."""
        passes = (self.body.take(index), self.ends.take(index))
        return Micro(*passes, self.forward[index], self.weights[index], self.flop[index])


@dataclass(frozen=True)
class Step:
    """A step's passes (N,): ``whole`` with seconds by part, and model FLOP of all devices."""

    whole: Pass
    model_flop: Array

    @property
    def seconds(self) -> Array:
        """The whole step (N,) [s]."""
        return self.whole.seconds


def step(a: Columns, p: Columns, size: Columns, machine: Machine) -> Step:
    """Time of one optimizer step; size: parameters by part (layers, experts, embeddings)."""
    return assemble(a, p, size, machine, micro(a, p, machine), exchange(size, a, p, machine), sends(a, p, machine))


def micro(a: Columns, p: Columns, machine: Machine) -> Micro:
    """The time of one micro-batch in every layer, from the columns MICRO of ``p`` alone."""
    ops = operators(a, p)
    body, ends = [o for o in ops if o.name not in ENDS], [o for o in ops if o.name in ENDS]
    body = [_causal(o, p) for o in body]
    ahead = run(body, machine)
    inputs, weights = run(backward(body, "inputs"), machine), run(backward(body, "weights"), machine)
    weights = weights.times(np.where(p.lora_rank > 0, 0.0, 1.0))
    again = run([replace(o, count=o.count * policy.again(o.name, o.part, a, p)) for o in body], machine)
    extra = run(_adapters(a, p), machine)
    tail = run(ends, machine)
    flop = np.where(p.lora_rank > 0, 2.0, 3.0) * _useful(ahead, body, p) + 3 * tail.flop
    whole = _overlapped(ahead.and_(inputs).and_(weights).and_(again).and_(extra), p)
    whole = whole.plus("context", _context(a, p, machine, ahead))
    return Micro(whole, tail.and_(run(backward(ends), machine)), ahead.seconds, weights.seconds, flop)


def operators(a: Columns, p: Columns) -> list[Op]:
    """What one micro-batch computes on its way ahead."""
    ahead_of = _pass(a, p)
    return [*transformer.forward(a, ahead_of, decode=False), transformer.loss(a, ahead_of)]


def assemble(
    a: Columns, p: Columns, size: Columns, machine: Machine, one: Micro, exchanged: tuple[Array, Array], sent: Array
) -> Step:
    """The step of layouts of which a micro-batch, an exchange of gradients and a send between stages are known."""
    stage = one.body.times(stage_share(a, p))
    work = stage.and_(one.ends)
    whole = work.times(p.num_micro).plus(
        "pipeline", _bubble(stage.seconds, one.weights * stage_share(a, p), p) + _sent(sent, work.seconds, p)
    )
    each, once = exchanged
    shown = (p.num_micro - 1) * _exposed(each, work.seconds) + _exposed(each + once, work.seconds)
    whole = whole.plus("communication", shown)
    whole = whole.plus("optimizer", _update(size, a, p, machine)).plus("offload", _offload(a, p, machine, stage.seconds))
    engine = machine.laws["engine"]
    domains = np.maximum(1.0, p.tp * p.cp * p.pp * p.dp / machine.device.up_size)  # nodes, racks, slices
    whole = whole.plus("stragglers", whole.seconds * engine.straggle * np.log2(domains))
    whole = whole.plus("overhead", engine.training_step)
    return Step(whole, one.flop * p.num_micro * p.tp * p.cp * p.dp)


def _pass(a: Columns, p: Columns) -> Columns:
    """The forward pass of one micro-batch on one device."""
    causal = np.asarray(a.causal) > 0
    n = np.ones(len(p))
    return p.with_(
        batch=p.micro_batch, query=p.sequence / p.cp, context=np.where(causal, p.sequence / 2, p.sequence),
        cached=p.sequence, logits=p.micro_batch * p.sequence / p.cp, expert_tp=n, pooled=p.ep,
        head_weight=2 * n, activation=2 * n, kv=2 * n, split_norms=np.where(p.sp > 0, p.tp, 1.0), even=n,
    )  # fmt: skip


def _causal(op: Op, p: Columns) -> Op:
    """Attention of the context rank that has most to do: the last one, where ranks hold consecutive tokens.

    Of the n blocks of keys its queries see all n - 1/2, the average being n / 2.
    """
    if op.part != "attention":
        return op
    more = np.where((p.cp > 1) & (p.ring > 0) & (p.balanced == 0), 2 - 1 / p.cp, 1.0)
    return replace(op, count=op.count * more)


def _overlapped(body: Pass, p: Columns) -> Pass:
    """With the sums over tensor ranks beside the products they belong to, where a stack runs them so."""
    sums = body.parts.get("communication", np.zeros(len(p)))
    beside = _exposed(sums, body.parts.get("matmul", np.zeros(len(p))))
    return replace(body, parts={**body.parts, "communication": np.where(p.overlap > 0, beside, sums)})


def _useful(ahead: Pass, body: list[Op], p: Columns) -> Array:
    """FLOP of the forward pass without what an uneven split of causal work adds (N,)."""
    more = np.where((p.cp > 1) & (p.ring > 0) & (p.balanced == 0), 2 - 1 / p.cp, 1.0)
    of_attention = sum((o.count * o.flop for o in body if o.part == "attention"), np.zeros(len(p)))
    return ahead.flop - of_attention * (1 - 1 / more)


def backward(ops: list[Op], of: str = "all") -> list[Op]:
    """Operators of the backward pass: two products for each product, twice the traffic of the rest.

    ``of``: "weights" are the products that give gradients of weights, "inputs" all others, "all" both.
    """
    inputs: list[Op] = []
    weights: list[Op] = []
    for op in ops:
        s = op.shape
        if op.kind == "matmul":
            inputs.append(replace(op, name=f"{op.name}, input gradient", shape={**s, "n": s["k"], "k": s["n"]}))
            weights.append(replace(op, name=f"{op.name}, weight gradient", shape={**s, "m": s["n"], "n": s["k"], "k": s["m"]}))
        elif op.kind in ("experts", "convolution"):  # gradients of inputs and of weights are each the same products
            inputs.append(op)
            weights.append(op)
        elif op.kind in ("attention", "mla"):
            longer = {**s, "products": s["products"] * BACKWARD_ATTENTION}
            inputs.append(replace(op, shape=longer, flop=op.flop * BACKWARD_ATTENTION, activation_bytes=2 * op.activation_bytes))
        elif op.kind == "stream":
            inputs.append(replace(op, activation_bytes=2 * op.activation_bytes))
        else:
            inputs.append(op)
    return {"inputs": inputs, "weights": weights, "all": inputs + weights}[of]


ADAPTER_KERNELS = 42
"""Of a layer: two small products beside each of seven, three times."""


def _adapters(a: Columns, p: Columns) -> list[Op]:
    """Low-rank adapters: three passes over what goes into and comes out of every product they sit beside."""
    if not np.any(p.lora_rank > 0):
        return []
    tokens = p.micro_batch * p.sequence / p.cp
    width = adapter_width(a) / p.tp
    flop = 6 * tokens * p.lora_rank * adapter_width(a) / p.tp
    moved = 3 * tokens * width * 2
    return [
        Op(
            "adapters",
            "stream",
            "elementwise",
            np.where(p.lora_rank > 0, 1.0, 0.0),
            {"kernels": ADAPTER_KERNELS * a.num_layers},
            flop,
            activation_bytes=moved,
        )
    ]


def _context(a: Columns, p: Columns, machine: Machine, ahead: Pass) -> Array:
    """Exchange among context ranks that attention does not hide, forward and backward (N,) [s].

    A ring passes a rank's keys and values on cp - 1 times while attention works on those before (arXiv:2310.01889), and twice
    that with their gradients backward. Exchanging heads for tokens moves queries, keys, values and outputs (arXiv:2309.14509),
    and hides behind nothing.
    """
    if not np.any(p.cp > 1):
        return np.zeros(len(p))
    tokens = p.micro_batch * p.sequence / p.cp
    latent = a.kv_lora_rank > 0
    kv = np.where(latent, a.kv_lora_rank + a.qk_rope_head_dim, 2 * np.maximum(1.0, a.num_kv_heads / p.tp) * a.head_dim)
    link = collective.bandwidth(machine.device, p.cp, p.tp)
    passed = (p.cp - 1) * collective.between("send", np.where(p.cp > 1, 2.0, 1.0), tokens * kv * 2, link, machine)
    around = a.num_layers * 3 * passed
    heads = tokens * (2 * a.num_heads * a.head_dim / p.tp + kv) * 2
    swapped = a.num_layers * 3 * shared("all_to_all", heads, p.cp, link, machine)
    beside = ahead.parts.get("attention", np.zeros(len(p))) * (1 + BACKWARD_ATTENTION)
    return np.where(p.ring > 0, _exposed(around, beside), swapped)


def _exposed(time: Array, beside: Array) -> Array:
    """What of ``time`` shows when it runs beside other work (N,) [s]."""
    return np.asarray((beside**4 + time**4) ** 0.25 - beside)


def _bubble(stage: Array, weights: Array, p: Columns) -> Array:
    """Idle time of the pipeline (N,) [s] (arXiv:2104.04473, section 2.2; ZB-H1 of arXiv:2401.10241, section 2.3)."""
    filled = np.where(p.schedule == policy.ZERO_BUBBLE, 2 * weights, 0.0)
    return (p.pp - 1) / p.virtual * np.maximum(stage - filled, 0.0)


def _sent(one: Array, work: Array, p: Columns) -> Array:
    """Sends between stages in a step (N,) [s]: beside the work in an interleaved schedule, but for its ends."""
    all_of_them = 2 * p.virtual * p.num_micro * one
    hidden = _exposed(all_of_them, work * p.num_micro) + 2 * (p.pp - 1) * one
    return np.where((p.overlap > 0) & (p.virtual > 1), np.minimum(hidden, all_of_them), all_of_them)


def _update(size: Columns, a: Columns, p: Columns, machine: Machine) -> Array:
    """The optimizer over this device's shard (N,) [s]: its bytes; the products of an orthogonalisation; or the host's work."""
    own, kind = shard(size, a, p), policy.optimizer(p)
    moved = kind.moved * own / (machine.device.bandwidth * machine.laws["stream"].e_b)
    # an iteration takes at most 6 n m^2 FLOP of a matrix (m, n): 6 m a parameter, m the narrower side
    products = 6 * kind.iterations * a.hidden_size * own / machine.device.peak_half
    beside = np.minimum(machine.device.node, p.tp * p.cp * p.pp * p.dp)
    return np.where(p.offload_optimizer > 0, own * beside * HOST_UPDATE, moved + products)


HOST_UPDATE = 2.5e-9
"""Seconds that a host takes for AdamW on a parameter of its node, transfers included: a step of LLaMA-7B under ZeRO 3 took 31.2
in place of 14.4 s on eight A800 with two Xeon 8358 (gist.github.com/chenyaofo/d4cd6a20ab4b95cb3a49491747e2139a)."""


def _offload(a: Columns, p: Columns, machine: Machine, stage: Array) -> Array:
    """Activations to the host and back, as far as the stage's work does not hide them (N,) [s]."""
    if not np.any(p.offload_activations > 0):
        return np.zeros(len(p))
    kept, _ = activations(a, p)
    bytes_ = 2 * a.num_layers * stage_share(a, p) * kept
    shown = _exposed(bytes_ / machine.device.host_link, stage)
    return np.where(p.offload_activations > 0, shown * p.num_micro, 0.0)

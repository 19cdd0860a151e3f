"""A Hugging Face ``config.json`` of an encoder, vision or speech model as a graph, from its numbers: nothing of it is executed.

What each ``model_type`` is made of is that of its published implementation (huggingface/transformers, models/<type>).
"""

import json
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path

from planner.catalogue.document import read_text
from planner.catalogue.layer_builder import Builder, Tensor
from planner.catalogue.layers_file import layer
from planner.catalogue.models import ConfigFields
from planner.errors import InputError, printable, unknown
from planner.schema.graph import Found, Layer
from planner.schema.layers import Transformer

Maker = Callable[[ConfigFields, Builder, int], str]
MOST_LAYERS = 1000


def read(path: Path, tokens: int) -> Found:
    """The graph of a configuration, over one sample of ``tokens`` tokens or one image. Raises InputError."""
    file = path / "config.json" if path.is_dir() else path
    text = read_text(file)
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError("is not valid JSON", where=f"{file}{line}") from None
    if not isinstance(raw, dict):
        raise InputError(f"expected a model configuration, found {type(raw).__name__}", where=str(file))
    kind = str(raw.get("model_type", "")).lower()
    if kind not in _MAKERS:
        hint = "A language model that generates text needs no import: planner estimate path/to/config.json …"
        raise unknown("model_type", kind, _MAKERS, where=str(file), listing=hint)
    builder = Builder()
    config = ConfigFields(raw, file)
    try:
        sample = _MAKERS[kind](config, builder, tokens)
    except (ZeroDivisionError, ValueError) as error:
        raise InputError(f"its sizes do not fit each other: {error}", where=str(file)) from None
    name = printable(str(raw.get("_name_or_path") or file.parent.name or kind)) or kind
    source = f"{printable(file.name)} of a {kind} (Hugging Face), its layers from its numbers"
    return Found(name, source, tuple(builder.nodes), builder.parameters, sample)


def _blocks(c: ConfigFields, b: Builder, x: Tensor, t: Transformer) -> Tensor:
    if t.layers > MOST_LAYERS or t.heads < 1 or x.channels % t.heads:
        raise InputError(f"{t.layers} layers of {x.channels} channels by {t.heads} heads are no transformer", where=str(c.path))
    for _ in range(t.layers):
        x = layer(b, x, t)
    return x


def _text(c: ConfigFields, b: Builder, tokens: int) -> str:
    """BERT and its kin: a table of tokens, positions and types, layers, a pooler."""
    longest = c.size("max_position_embeddings", default=512)
    if tokens > longest:
        raise InputError(f"{tokens:,} tokens are more than it allows: {longest:,}", where=str(c.path), hint="--tokens")
    width = c.size("hidden_size", "dim")
    inner = c.size("embedding_size", default=width)
    kind = str(c.fields.get("model_type", ""))
    x = b.embedding(c.size("vocab_size"), inner, tokens)
    tables = [longest, *([c.size("type_vocab_size", default=2)] if kind != "distilbert" else [])]
    for rows in tables:
        x = b.add_(x, b.embedding(rows, inner, tokens))
    x = b.norm(x, "layer_norm")
    x = b.linear(x, width) if inner != width else x
    t = Transformer(c.size("num_hidden_layers", "n_layers"), c.size("num_attention_heads", "n_heads"),
                    c.size("intermediate_size", "hidden_dim", default=4 * width))  # fmt: skip
    shared = c.size("num_hidden_groups", default=0, least=0)
    before = b.parameters
    x = _blocks(c, b, x, t)
    if shared:  # ALBERT: every layer of a group has the same weights
        b.parameters = before + (b.parameters - before) * shared / t.layers
    if kind in ("bert", "roberta", "xlm-roberta", "albert"):
        b.activation(b.linear(Tensor(x.name, (width, 1)), width), "tanh")
    return str(tokens)


def _image(c: ConfigFields) -> tuple[int, int, int]:
    side, channels = c.size("image_size", default=224), c.size("num_channels", default=3)
    patch = c.size("patch_size", default=16)
    if side < patch or (side // patch) ** 2 > 10**6:
        raise InputError(f"an image of {side} by patches of {patch}", where=str(c.path))
    return side, channels, patch


def _sizes(c: ConfigFields, name: str, default: list[int]) -> list[int]:
    """A list of sizes, ``default`` where it is absent."""
    given = c.items(name) or default
    if not all(isinstance(size, int) and not isinstance(size, bool) and 0 < size < 10**6 for size in given):
        raise InputError(f"'{name}' must be a list of positive whole numbers", where=str(c.path))
    return given


def _labels(c: ConfigFields) -> int:
    """Classes of an image's classifier; none where the configuration names none."""
    given = c.fields.get("id2label")
    return len(given) if isinstance(given, dict) else c.size("num_labels", default=0, least=0)


def _vit(c: ConfigFields, b: Builder, tokens: int) -> str:
    """ViT, DeiT, BEiT, DINOv2: patches as tokens, and one that stands for the image."""
    side, channels, patch = _image(c)
    width = c.size("hidden_size")
    x = b.convolution(Tensor("input", (channels, side, side)), width, patch, patch, bias=True, same=False)
    extra = 2 if str(c.fields.get("model_type", "")) == "deit" else 1
    x = Tensor(x.name, (width, x.places + extra))
    b.parameters += width * (x.places + extra)
    t = Transformer(c.size("num_hidden_layers"), c.size("num_attention_heads"), c.size("intermediate_size", default=4 * width))
    x = b.norm(_blocks(c, b, x, t), "layer_norm")
    labels = _labels(c)
    if labels:
        b.linear(Tensor(x.name, (width, 1)), labels)
    return f"{channels}x{side}x{side}"


def _convnext(c: ConfigFields, b: Builder, tokens: int) -> str:
    """ConvNeXt (arXiv:2201.03545): depthwise 7×7, norm, two products with GELU between, scaled and added."""
    side, channels = c.size("image_size", default=224), c.size("num_channels", default=3)
    widths = _sizes(c, "hidden_sizes", [96, 192, 384, 768])
    depths = _sizes(c, "depths", [3, 3, 9, 3])
    if len(widths) != len(depths) or sum(depths) > MOST_LAYERS or min(widths + depths) < 1:
        raise InputError("its hidden_sizes and depths do not fit each other", where=str(c.path))
    patch = c.size("patch_size", default=4)
    x = b.norm(b.convolution(Tensor("input", (channels, side, side)), widths[0], patch, patch, bias=True), "layer_norm")
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        if stage:
            x = b.convolution(b.norm(x, "layer_norm"), width, 2, 2, bias=True)
        for _ in range(depth):
            y = b.norm(b.convolution(x, width, 7, groups=width, bias=True), "layer_norm")
            y = b.linear(b.activation(b.linear(y, 4 * width), "gelu"), width)
            b.parameters += width
            x = b.add_(b.activation(y, "mul"), x)
    x = b.norm(b.pool(x, 0, 1), "layer_norm")
    labels = _labels(c)
    if labels:
        b.linear(Tensor(x.name, (widths[-1], 1)), labels)
    return f"{channels}x{side}x{side}"


def _swin(c: ConfigFields, b: Builder, tokens: int) -> str:
    """Swin (arXiv:2103.14030): attention in windows, every other one shifted; patches merged between stages."""
    side, channels, patch = c.size("image_size", default=224), c.size("num_channels", default=3), c.size("patch_size", default=4)
    width, window = c.size("embed_dim", default=96), c.size("window_size", default=7)
    depths = _sizes(c, "depths", [2, 2, 6, 2])
    heads = _sizes(c, "num_heads", [3, 6, 12, 24])
    if len(heads) != len(depths) or sum(depths) > MOST_LAYERS or min(heads + depths) < 1:
        raise InputError("its num_heads and depths do not fit each other", where=str(c.path))
    x = b.norm(b.convolution(Tensor("input", (channels, side, side)), width, patch, patch, bias=True), "layer_norm")
    for stage, (depth, h) in enumerate(zip(depths, heads, strict=True)):
        if stage:
            merged = Tensor(x.name, (4 * x.channels, *(n // 2 for n in x.shape[1:])))
            x = b.linear(b.norm(merged, "layer_norm"), 2 * x.channels, bias=False)
        for _ in range(depth):
            x = _window_layer(b, x, h, window, c)
    b.pool(b.norm(x, "layer_norm"), 0, 1)
    labels = _labels(c)
    if labels:
        b.linear(Tensor(x.name, (x.channels, 1)), labels)
    return f"{channels}x{side}x{side}"


def _window_layer(b: Builder, x: Tensor, heads: int, window: int, c: ConfigFields) -> Tensor:
    width, across = x.channels, x.shape[1:]
    if width % heads or min(across) < 1:
        raise InputError(f"{width} channels by {heads} heads on {across}", where=str(c.path))
    windows = prod(-(-n // window) for n in across)
    seen = window * window
    padded = Tensor(x.name, (width, windows * seen))
    qkv = b.linear(b.norm(padded, "layer_norm"), 3 * width)
    table = (2 * window - 1) ** 2 * heads
    shape = {"batch": float(windows), "heads": float(heads), "query": float(seen), "context": float(seen), "dim": width / heads}
    core = Layer("attention", shape, variant="full", read=qkv.elements, written=padded.elements, parameters=float(table))
    mixed = b.add(core, [qkv], padded.shape)
    x = b.add_(Tensor(b.linear(mixed, width).name, x.shape), x)
    y = b.linear(b.activation(b.linear(b.norm(x, "layer_norm"), 4 * width), "gelu"), width)
    return b.add_(y, x)


def _whisper(c: ConfigFields, b: Builder, tokens: int) -> str:
    """Whisper (arXiv:2212.04356): two convolutions over 30 s of a spectrogram, an encoder, and ``tokens`` steps of a decoder."""
    width, mels = c.size("d_model"), c.size("num_mel_bins", default=80)
    frames = 2 * c.size("max_source_positions", default=1500)
    x = b.activation(b.convolution(Tensor("input", (mels, frames)), width, 3, bias=True), "gelu")
    x = b.activation(b.convolution(x, width, 3, 2, bias=True), "gelu")
    t = Transformer(c.size("encoder_layers"), c.size("encoder_attention_heads"), c.size("encoder_ffn_dim"))
    x = b.norm(_blocks(c, b, x, t), "layer_norm")
    own = Transformer(c.size("decoder_layers"), c.size("decoder_attention_heads"), c.size("decoder_ffn_dim"))
    _decoder(c, b, x, tokens, own)
    b.parameters += (c.size("max_target_positions", default=448) + frames // 2) * width
    return f"{mels}x{frames}"


def _t5(c: ConfigFields, b: Builder, tokens: int) -> str:
    """T5 (arXiv:1910.10683): an encoder over ``tokens`` tokens, and as many steps of a decoder."""
    width, heads = c.size("d_model"), c.size("num_heads")
    gated = "gated" in str(c.fields.get("feed_forward_proj", ""))
    t = Transformer(c.size("num_layers"), heads, c.size("d_ff"), gated=gated, norm="rms_norm", bias=False)
    x = b.norm(_blocks(c, b, b.embedding(c.size("vocab_size"), width, tokens), t), "rms_norm")
    layers = c.size("num_decoder_layers", default=t.layers)
    _decoder(c, b, x, tokens, replace(t, layers=layers), shared=True)
    return str(tokens)


def _decoder(c: ConfigFields, b: Builder, memory: Tensor, steps: int, t: Transformer, *, shared: bool = False) -> None:
    """``steps`` tokens one after another over the keys of those before (half of them on average) and of the encoder's result.

    shared: whether its table of tokens is the encoder's too.
    """
    width, vocab = memory.channels, c.size("vocab_size")
    kept = b.linear(memory, 2 * width * t.layers, bias=t.bias)  # keys and values of the encoder's result, once for all steps
    b.parameters -= kept.channels * (width + t.bias)  # each layer counts its own below
    at = len(b.nodes)
    own = replace(t, context=max(1, steps // 2), cross=memory.places, cross_kept=True)
    x = b.norm(_blocks(c, b, b.embedding(vocab, width, 1), own), t.norm)
    b.linear(x, vocab, bias=False)
    b.parameters -= vocab * width * (2 if shared else 1)  # the output's table is the input's
    for i in range(at, len(b.nodes)):
        b.nodes[i] = replace(b.nodes[i], layer=replace(b.nodes[i].layer, count=b.nodes[i].layer.count * steps))


def _clip(c: ConfigFields, b: Builder, tokens: int) -> str:
    """CLIP (arXiv:2103.00020): an image and a text, each through a transformer of its own."""
    text, vision = c.fields.get("text_config"), c.fields.get("vision_config")
    if not isinstance(text, dict) or not isinstance(vision, dict):
        raise InputError("has no text_config and vision_config", where=str(c.path))
    shared = c.size("projection_dim", default=512)
    v, t = ConfigFields(vision, c.path), ConfigFields(text, c.path)
    sample = _vit(v, b, tokens)
    b.linear(Tensor(f"t{len(b.nodes) - 1}", (v.size("hidden_size"), 1)), shared, bias=False)
    width = t.size("hidden_size", default=512)
    length = min(tokens, t.size("max_position_embeddings", default=77))
    x = b.embedding(t.size("vocab_size", default=49408), width, length)
    x = b.add_(x, b.embedding(t.size("max_position_embeddings", default=77), width, length))
    blocks = Transformer(t.size("num_hidden_layers", default=12), t.size("num_attention_heads", default=8),
                         t.size("intermediate_size", default=4 * width), causal=True)  # fmt: skip
    x = b.norm(_blocks(t, b, x, blocks), "layer_norm")
    b.linear(Tensor(x.name, (width, 1)), shared, bias=False)
    return f"{sample}, {length}"


def _wav2vec2(c: ConfigFields, b: Builder, tokens: int) -> str:
    """wav2vec 2.0 and HuBERT (arXiv:2006.11477) over ``tokens`` seconds of sound at 16 kHz."""
    samples = 16_000 * min(tokens, 60)
    widths = _sizes(c, "conv_dim", [512] * 7)
    kernels = _sizes(c, "conv_kernel", [10, 3, 3, 3, 3, 2, 2])
    strides = _sizes(c, "conv_stride", [5, 2, 2, 2, 2, 2, 2])
    x = Tensor("input", (1, samples))
    for w, k, s in zip(widths, kernels, strides, strict=True):
        x = b.activation(b.convolution(x, w, k, s, same=False), "gelu")
    width = c.size("hidden_size")
    x = b.linear(b.norm(x, "layer_norm"), width)
    x = b.add_(b.convolution(x, width, c.size("num_conv_pos_embeddings", default=128),
                             groups=c.size("num_conv_pos_embedding_groups", default=16), bias=True), x)  # fmt: skip
    t = Transformer(c.size("num_hidden_layers"), c.size("num_attention_heads"), c.size("intermediate_size"))
    _blocks(c, b, x, t)
    return f"1x{samples}"


_MAKERS: dict[str, Maker] = {
    **dict.fromkeys(("bert", "roberta", "xlm-roberta", "distilbert", "electra", "mpnet", "albert"), _text),
    **dict.fromkeys(("vit", "deit", "beit", "dinov2", "clip_vision_model"), _vit), "convnext": _convnext, "swin": _swin,
    "whisper": _whisper, "t5": _t5, "clip": _clip, "wav2vec2": _wav2vec2, "hubert": _wav2vec2,
}  # fmt: skip

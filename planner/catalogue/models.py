"""A model by name: a zoo id, a workload YAML, or a Hugging Face ``config.json``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from planner.catalogue.document import adapter, read, read_text
from planner.catalogue.profiles import ID, LISTING, Profiles
from planner.errors import InputError, printable, unknown
from planner.schema.workload import Architecture, Workload

ENCODERS = ("bert", "roberta", "distilbert", "xlm-roberta", "electra", "mpnet")
WITH_QKV_BIAS = ("qwen2", "qwen2_moe", "bert", "roberta", "distilbert", "gpt2", "opt", "gpt_neox", "phi")
WITH_QK_NORM = ("qwen3", "qwen3_moe")
UNGATED = ("gpt2", "opt", "gpt_neox", "falcon", "mpt", "gptj", "bloom", "phi", "starcoder2", "nemotron", *ENCODERS)
FULL_NORM = ("gpt2", "opt", "gpt_neox", "falcon", "gptj", "bloom", "phi", "starcoder2", "nemotron", *ENCODERS)
LEARNED = ("gpt2", "opt", *ENCODERS)


def find_workload(name: str, profiles: Profiles, folder: Path, where: str = "") -> Workload:
    """The workload a plan or option names; a path is taken relative to ``folder``. Raises InputError."""
    if name in profiles.files["workload"]:
        workload = profiles.workload(name)
        return profiles.workload(workload.of) if workload.of else workload
    looks_like_path = name.endswith((".json", ".yaml", ".yml")) or "/" in name or "\\" in name
    if not looks_like_path:
        raise unknown("model", name, profiles.files["workload"], where=where, listing=LISTING["workload"])
    path = folder / name
    if path.is_dir():
        path = path / "config.json"
    if not path.exists():
        hint = "Download the model's config.json from its page on the hub, or take a zoo id: 'planner workloads list'."
        raise InputError(f"the file {printable(name)} does not exist", where=where, hint=hint)
    if path.suffix == ".json":
        return from_config(path)
    return read(path, Workload, id=path.stem if ID.fullmatch(path.stem) else "workload")


def from_config(path: Path) -> Workload:
    """A transformer from a Hugging Face ``config.json``. Nothing of it is executed; unknown fields are ignored."""
    text = read_text(path)
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError("is not valid JSON", where=f"{path}{line}") from None
    if not isinstance(raw, dict):
        raise InputError(f"expected a model configuration, found {type(raw).__name__}", where=str(path))
    inner = raw.get("text_config")  # models of several senses keep their language model's sizes apart
    config = {**raw, **inner} if isinstance(inner, dict) else raw
    try:
        architecture: Architecture = adapter(Architecture).validate_python(_architecture(config, path))
    except ValueError as error:
        lines = str(error).splitlines()
        detail = printable(": ".join(x.strip() for x in lines[1:3]).split(" [type")[0], 200)
        raise InputError(f"is not a usable configuration: {detail}", where=str(path)) from None
    _sane(architecture, path)
    name = printable(str(raw.get("_name_or_path") or path.parent.name or "model"))
    return Workload(id=path.parent.name or "model", name=name, sources={"config": str(path.name)}, architecture=architecture)


def _architecture(c: Mapping[str, Any], path: Path) -> dict[str, Any]:
    kind = str(c.get("model_type", "")).lower()
    hidden = _whole(_first(c, "hidden_size", "n_embd", "d_model", "dim"), "hidden_size", path)
    heads = _whole(_first(c, "num_attention_heads", "n_head", "n_heads"), "num_attention_heads", path)
    gated = kind not in UNGATED
    shape: dict[str, Any] = {
        "hidden_size": hidden,
        "num_layers": _whole(_first(c, "num_hidden_layers", "n_layer", "n_layers"), "num_hidden_layers", path),
        "num_heads": heads,
        "num_kv_heads": _first(c, "num_key_value_heads", "n_head_kv") or (1 if c.get("multi_query") else heads),
        "head_dim": _first(c, "head_dim") or hidden // heads,
        "ffn_size": _first(c, "intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "hidden_dim") or 4 * hidden,
        "vocab_size": _whole(_first(c, "vocab_size"), "vocab_size", path),
        "max_context": _first(c, "max_position_embeddings", "n_positions", "max_seq_len", "n_ctx") or 2048,
        "gated_ffn": gated,
        "tied_embeddings": bool(c.get("tie_word_embeddings", kind in ("gpt2", *ENCODERS, "gemma", "gemma2"))),
        "causal": kind not in ENCODERS,
        "norm": "layer" if kind in FULL_NORM else "rms",
        "positions": "learned" if kind in LEARNED else "rope",
        "qkv_bias": bool(c.get("attention_bias", kind in WITH_QKV_BIAS)),
        "output_bias": bool(c.get("attention_bias", kind in WITH_QKV_BIAS and kind not in ("qwen2", "qwen2_moe"))),
        "ffn_bias": (not gated and kind not in ("falcon", "nemotron")) or bool(c.get("mlp_bias")),
        "qk_norm": kind in WITH_QK_NORM,
    }
    return shape | _moe(c, shape) | _mla(c) | _window(c, shape)


def _first(c: Mapping[str, Any], *names: str) -> Any:
    """The first of the names that holds a number: families spell the same size differently."""
    numbers = (c[n] for n in names if isinstance(c.get(n), (int, float)) and not isinstance(c.get(n), bool))
    return next(numbers, None)


def _moe(c: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
    experts = next((c[n] for n in ("num_local_experts", "num_experts", "n_routed_experts") if c.get(n)), 0)
    if not experts:
        return {}
    each = c.get("moe_intermediate_size") or shape["ffn_size"]
    shared = c.get("shared_expert_intermediate_size") or int(c.get("n_shared_experts") or 0) * int(each)
    per_token = c.get("num_experts_per_tok") or c.get("moe_topk") or c.get("top_k") or 2
    dense = c.get("first_k_dense_replace") or len(c.get("mlp_only_layers") or [])
    moe = {
        "num_experts": experts,
        "experts_per_token": per_token,
        "expert_ffn_size": each,
        "shared_ffn_size": shared,
        "dense_layers": dense,
    }
    return {"moe": {**moe, "shared_gate": c.get("model_type") == "qwen2_moe", "router_bias": c.get("topk_method") == "noaux_tc"}}


def _mla(c: Mapping[str, Any]) -> dict[str, Any]:
    if not c.get("kv_lora_rank"):
        return {}
    names = ("q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")
    return {"mla": {n: c.get(n) or 0 for n in names}}


def _window(c: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
    size = c.get("sliding_window")
    kinds = c.get("layer_types")
    if not isinstance(size, int) or size <= 0 or c.get("use_sliding_window") is False:
        return {}
    layers = sum(k == "sliding_attention" for k in kinds) if isinstance(kinds, list) else shape["num_layers"]
    return {"window": {"size": size, "layers": layers}} if layers else {}


def _whole(value: Any, name: str, path: Path) -> int:
    if value is None:
        raise InputError(f"has no '{name}': it does not describe a transformer", where=str(path))
    if value != int(value) or not 0 < value < 10**9:
        raise InputError(f"'{name}' is {value!r}; it must be a positive whole number", where=str(path))
    return int(value)


def _sane(a: Architecture, path: Path) -> None:
    for name in ("num_kv_heads", "head_dim", "ffn_size", "vocab_size", "max_context"):
        _whole(getattr(a, name), name, path)
    if a.num_layers > 10_000 or a.hidden_size > 1_000_000 or a.vocab_size > 100_000_000:
        raise InputError("its sizes are beyond any transformer's", where=str(path))
    if a.moe and a.moe.experts_per_token > a.moe.num_experts:
        raise InputError("routes a token to more experts than there are", where=str(path))

"""A model by name: a zoo id, a workload YAML, or a Hugging Face ``config.json``."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.catalogue.document import adapter, read, read_text, why
from planner.catalogue.graphs import whole
from planner.catalogue.profiles import ID, LISTING, Profiles
from planner.catalogue.sizes import sound
from planner.errors import InputError, printable, unknown
from planner.schema.workload import Architecture, Workload

ENCODERS = ("bert", "roberta", "distilbert", "xlm-roberta", "electra", "mpnet")
WITH_QKV_BIAS = ("qwen2", "qwen2_moe", "bert", "roberta", "distilbert", "gpt2", "opt", "gpt_neox", "phi")
WITH_QK_NORM = ("qwen3", "qwen3_moe", "gemma3_text")
UNGATED = ("gpt2", "opt", "gpt_neox", "falcon", "mpt", "gptj", "bloom", "phi", "starcoder2", "nemotron", *ENCODERS)
FULL_NORM = ("gpt2", "opt", "gpt_neox", "falcon", "gptj", "bloom", "phi", "starcoder2", "nemotron", *ENCODERS)
LEARNED = ("gpt2", "opt", *ENCODERS)
TIED = ("gpt2", "opt", "bloom", "falcon", "mpt", "gemma", "gemma2", "gemma3_text", *ENCODERS)
FOUR_NORMS = ("gemma2", "gemma3_text")


def find_workload(name: str, profiles: Profiles, folder: Path, where: str = "") -> Workload:
    """The workload a plan or option names; a path is taken relative to ``folder``. Raises InputError."""
    if name in profiles.files["workload"]:
        workload = profiles.workload(name)
        return profiles.workload(workload.of, where=f"{profiles.files['workload'][name]} of") if workload.of else workload
    looks_like_path = name.endswith((".json", ".yaml", ".yml")) or "/" in name or "\\" in name
    if not looks_like_path:
        raise unknown("model", name, profiles.files["workload"], where=where, listing=LISTING["workload"])
    path = folder / name
    if os.path.isdir(path):  # noqa: PTH112  Path.is_dir and Path.exists raise on a name too long
        path = path / "config.json"
    if not os.path.exists(path):  # noqa: PTH110
        hint = "Download the model's config.json from its page on the hub, or take a zoo id: 'planner workloads list'."
        raise InputError(f"the file {printable(name)} does not exist", where=where, hint=hint)
    if path.suffix == ".json":
        return from_config(path)
    workload = read(path, Workload, id=path.stem if ID.fullmatch(path.stem) else "workload")
    sound(workload, path)
    workload = whole(workload, profiles.workload, path)
    return profiles.workload(workload.of, where=f"{path} of") if workload.of else profiles.with_sums(workload)


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
    config = ConfigFields({**raw, **inner} if isinstance(inner, dict) else raw, path)
    try:
        architecture: Architecture = adapter(Architecture).validate_python(_architecture(config))
    except ValueError as error:
        raise InputError(f"is not a usable configuration: {why(error)}", where=str(path)) from None
    name = printable(str(raw.get("_name_or_path") or path.parent.name or "model"))
    id = printable(path.parent.name or "model")
    workload = Workload(id=id, name=name, sources={"config": str(path.name)}, architecture=architecture)
    sound(workload, path)
    return workload


@dataclass(frozen=True)
class ConfigFields:
    """A configuration's fields, each of the type it must have; families spell the same size differently."""

    fields: Mapping[str, Any]
    path: Path

    def given(self, *names: str) -> str | None:
        """The first of the names that has a value."""
        return next((n for n in names if self.fields.get(n) is not None), None)

    def size(self, *names: str, default: int | None = None, least: int = 1) -> int:
        """A whole number, ``default`` where it is absent."""
        name = self.given(*names)
        if name is None:
            if default is None:
                raise InputError(f"has no '{names[0]}': it does not describe a transformer", where=str(self.path))
            return default
        value = self.fields[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < 10**9 or value % 1:
            what = "positive whole number" if least else "whole number that is not negative"
            raise self.wrong(name, f"a {what}")
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """True or false, ``default`` where it is absent."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return default if value is None else value

    def items(self, name: str) -> list[Any]:
        """A list, empty where it is absent."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, list):
            raise self.wrong(name, "a list")
        return value or []

    def wrong(self, name: str, wanted: str) -> InputError:
        """The error of a field that has another type."""
        return InputError(f"'{name}' is {json.dumps(self.fields[name])[:60]}; it must be {wanted}", where=str(self.path))


def _architecture(c: ConfigFields) -> dict[str, Any]:
    kind = str(c.fields.get("model_type", "")).lower()
    hidden = c.size("hidden_size", "n_embd", "d_model", "dim")
    heads = c.size("num_attention_heads", "n_head", "n_heads")
    if not c.given("head_dim", "kv_lora_rank") and hidden % heads:
        raise InputError(f"'hidden_size' {hidden} is not a multiple of its {heads} attention heads", where=str(c.path))
    gated = kind not in UNGATED
    shape: dict[str, Any] = {
        "hidden_size": hidden,
        "num_layers": c.size("num_hidden_layers", "n_layer", "n_layers"),
        "num_heads": heads,
        "num_kv_heads": c.size("num_key_value_heads", "n_head_kv", default=1 if c.flag("multi_query", False) else heads),
        "head_dim": c.size(*(("v_head_dim",) if c.given("kv_lora_rank") else ()), "head_dim", default=hidden // heads),
        "ffn_size": c.size("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "hidden_dim", default=4 * hidden),
        "vocab_size": c.size("vocab_size"),
        "max_context": c.size("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx", default=2048),
        "gated_ffn": gated,
        "tied_embeddings": c.flag("tie_word_embeddings", kind in TIED),
        "causal": kind not in ENCODERS,
        "norm": "layer" if kind in FULL_NORM else "rms",
        "norms_per_layer": 4 if kind in FOUR_NORMS else 2,
        "positions": "learned" if kind in LEARNED else "rope",
        "qkv_bias": c.flag("attention_bias", kind in WITH_QKV_BIAS),
        "output_bias": c.flag("attention_bias", kind in WITH_QKV_BIAS and kind not in ("qwen2", "qwen2_moe")),
        "ffn_bias": (not gated and kind not in ("falcon", "nemotron")) or c.flag("mlp_bias", False),
        "qk_norm": kind in WITH_QK_NORM,
        "attention_sinks": kind == "gpt_oss",
    }
    return shape | _moe(c, shape, kind) | _mla(c) | _window(c, shape)


def _moe(c: ConfigFields, shape: Mapping[str, Any], kind: str) -> dict[str, Any]:
    experts = c.size("num_local_experts", "num_experts", "n_routed_experts", default=0, least=0)
    if not experts:
        return {}
    each = c.size("moe_intermediate_size", default=shape["ffn_size"])
    every = c.size("decoder_sparse_step", default=1)  # of so many layers one routes
    dense = len(c.items("mlp_only_layers")) + shape["num_layers"] - shape["num_layers"] // every
    moe = {
        "num_experts": experts,
        "experts_per_token": c.size("num_experts_per_tok", "moe_topk", "top_k", default=2),
        "expert_ffn_size": each,
        "shared_ffn_size": c.size(
            "shared_expert_intermediate_size", default=each * c.size("n_shared_experts", default=0, least=0), least=0
        ),
        "dense_layers": c.size("first_k_dense_replace", default=dense, least=0),
        "shared_gate": kind == "qwen2_moe",
        "router_bias": c.fields.get("topk_method") == "noaux_tc" or kind == "gpt_oss",
        "expert_bias": kind == "gpt_oss",
        "fp8_blocks": _in_blocks(c.fields.get("quantization_config")),
    }
    return {"moe": moe}


def _in_blocks(quantization: Any) -> bool:
    """Whether the weights are stored in fp8 with a scale for each block of 128 by 128."""
    return isinstance(quantization, Mapping) and quantization.get("weight_block_size") == [128, 128]


def _mla(c: ConfigFields) -> dict[str, Any]:
    if not c.size("kv_lora_rank", default=0, least=0):
        return {}
    names = ("q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")
    return {"mla": {n: c.size(n, default=0, least=0) for n in names}}


def _window(c: ConfigFields, shape: Mapping[str, Any]) -> dict[str, Any]:
    size = c.size("sliding_window", default=0, least=0)
    if not size or not c.flag("use_sliding_window", True):
        return {}
    kinds = c.items("layer_types")
    layers = sum(k == "sliding_attention" for k in kinds) if kinds else shape["num_layers"]
    return {"window": {"size": size, "layers": layers}} if layers else {}

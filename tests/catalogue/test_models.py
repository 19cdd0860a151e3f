"""A Hugging Face config.json: published parameter counts to the last weight, and wrong ones refused."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.catalogue.models import find_workload, from_config
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.model.columns import Columns
from planner.model.families.transformer_size import flatten, parameters
from planner.schema.workload import Architecture

Refused = Callable[..., InputError]
LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 131072, "tie_word_embeddings": False,
    "attention_bias": False, "mlp_bias": False, "rope_scaling": {"factor": 8.0}, "eos_token_id": [128001, 128008],
    "architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16", "something_new": {"of": ["tomorrow"]},
}  # fmt: skip
MIXTRAL = {
    "model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "intermediate_size": 14336, "vocab_size": 32000, "max_position_embeddings": 32768, "num_local_experts": 8,
    "num_experts_per_tok": 2, "sliding_window": None, "tie_word_embeddings": False,
}  # fmt: skip
QWEN3_MOE = {
    "model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4,
    "head_dim": 128, "intermediate_size": 6144, "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8,
    "vocab_size": 151936, "max_position_embeddings": 40960, "mlp_only_layers": [], "decoder_sparse_step": 1,
    "sliding_window": None, "use_sliding_window": False, "tie_word_embeddings": False, "attention_bias": False,
}  # fmt: skip
DEEPSEEK_V3 = {
    "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128,
    "num_key_value_heads": 128, "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256,
    "n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3, "moe_layer_freq": 1, "q_lora_rank": 1536,
    "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "vocab_size": 129280,
    "max_position_embeddings": 163840, "topk_method": "noaux_tc", "tie_word_embeddings": False,
    "quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]},
}  # fmt: skip
GPT_OSS = {
    "model_type": "gpt_oss", "hidden_size": 2880, "num_hidden_layers": 24, "num_attention_heads": 64, "num_key_value_heads": 8,
    "head_dim": 64, "intermediate_size": 2880, "num_local_experts": 32, "num_experts_per_tok": 4, "vocab_size": 201088,
    "max_position_embeddings": 131072, "attention_bias": True, "sliding_window": 128, "tie_word_embeddings": False,
    "layer_types": ["sliding_attention", "full_attention"] * 12,
}  # fmt: skip
GPT2 = {
    "model_type": "gpt2",
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "n_positions": 1024,
    "n_inner": None,
    "vocab_size": 50257,
}
QWEN2 = {
    "model_type": "qwen2", "hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
    "intermediate_size": 18944, "vocab_size": 152064, "max_position_embeddings": 131072, "tie_word_embeddings": False,
    "sliding_window": 131072, "use_sliding_window": False,
}  # fmt: skip


def total(architecture: Architecture | None) -> int:
    assert architecture is not None
    return int(parameters(cast(Columns, SimpleNamespace(**flatten(architecture))))["total"])


def config(folder: Path, content: Any) -> Path:
    path = folder / "some-model" / "config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("content", "published"),
    [
        (LLAMA, 8_030_261_248),
        (
            LLAMA | {"hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64, "intermediate_size": 28672},
            70_553_706_496,
        ),
        ({"model_type": "mllama", "text_config": LLAMA, "vision_config": {"hidden_size": 1280}}, 8_030_261_248),
        (MIXTRAL, 46_702_792_704),
        (QWEN3_MOE, 30_532_122_624),
        (DEEPSEEK_V3, 671_026_419_200),
        (GPT_OSS, 20_914_757_184),
        (GPT2, 124_439_808),
        (QWEN2, 7_615_616_512),
    ],
    ids=["llama-8b", "llama-70b", "text_config", "mixtral", "qwen3-moe", "deepseek-v3", "gpt-oss", "gpt2", "qwen2"],
)
def test_published_parameter_counts(content: dict[str, Any], published: int, tmp_path: Path) -> None:
    assert total(from_config(config(tmp_path, content)).architecture) == published


@pytest.mark.parametrize(
    ("id", "content"),
    [("deepseek-v3", DEEPSEEK_V3), ("qwen3-30b-a3b", QWEN3_MOE), ("gpt-oss-20b", GPT_OSS), ("llama-3.1-8b", LLAMA)],
)
def test_a_config_gives_what_the_zoo_has(id: str, content: dict[str, Any], tmp_path: Path) -> None:
    assert from_config(config(tmp_path, content)).architecture == Profiles().workload(id).architecture


@pytest.mark.parametrize("quantization", [None, "fp8", {}, {"weight_block_size": None}, {"weight_block_size": [1, 32]}])
def test_experts_without_blocks_of_128_are_not_in_fp8_blocks(quantization: object, tmp_path: Path) -> None:
    read = from_config(config(tmp_path, DEEPSEEK_V3 | {"quantization_config": quantization})).architecture
    assert read is not None and read.moe is not None and not read.moe.fp8_blocks


def test_a_window_is_in_the_layers_that_use_it(tmp_path: Path) -> None:
    def window(**more: Any) -> tuple[int, int] | None:
        found = from_config(config(tmp_path, LLAMA | more)).architecture
        assert found is not None
        return (found.window.size, found.window.layers) if found.window else None

    assert window(sliding_window=4096) == (4096, 32)
    assert window(sliding_window=4096, layer_types=["sliding_attention", "full_attention"] * 16) == (4096, 16)
    assert window(sliding_window=4096, layer_types=["full_attention"] * 32) is None
    assert window(sliding_window=4096, use_sliding_window=False) is None
    assert window(sliding_window=None) is None


def test_of_every_two_layers_one_routes(tmp_path: Path) -> None:
    found = from_config(config(tmp_path, QWEN3_MOE | {"decoder_sparse_step": 2})).architecture
    assert found is not None and found.moe is not None and found.moe.dense_layers == 24


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is not valid JSON"),
        ("{", "is not valid JSON"),
        ("{'a': 1}", "is not valid JSON"),
        ("[1, 2]", "found list"),
        ("null", "found NoneType"),
        ('"text"', "found str"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"a":' * 100_000, "is not valid JSON"),
        ('{"hidden_size": ' + "9" * 5000 + "}", "is not valid JSON"),
        ("{}", "has no 'hidden_size'"),
        ({"model_type": "resnet", "hidden_sizes": [256]}, "has no 'hidden_size'"),
        ({"text_config": {"model_type": "llama"}}, "has no 'hidden_size'"),
        ({"text_config": "llama"}, "has no 'hidden_size'"),
        (LLAMA | {"hidden_size": None}, "has no 'hidden_size'"),
        (LLAMA | {"hidden_size": "4096"}, "'hidden_size' is \"4096\"; it must be a positive whole number"),
        (LLAMA | {"hidden_size": -4096}, "'hidden_size' is -4096"),
        (LLAMA | {"hidden_size": 4096.5}, "'hidden_size' is 4096.5"),
        (LLAMA | {"hidden_size": True}, "'hidden_size' is true"),
        (LLAMA | {"hidden_size": [4096]}, "'hidden_size' is [4096]"),
        (LLAMA | {"hidden_size": {}}, "'hidden_size' is {}"),
        (LLAMA | {"hidden_size": 10**400}, "'hidden_size' is 1000"),
        (LLAMA | {"hidden_size": float("nan")}, "'hidden_size' is NaN"),
        (LLAMA | {"hidden_size": float("inf")}, "'hidden_size' is Inf"),
        (LLAMA | {"hidden_size": 4097}, "'hidden_size' 4097 is not a multiple of its 32 attention heads"),
        (LLAMA | {"hidden_size": 2**29}, "beyond any transformer's"),
        (LLAMA | {"num_hidden_layers": 20_000}, "beyond any transformer's"),
        (LLAMA | {"num_attention_heads": 0}, "'num_attention_heads' is 0"),
        (LLAMA | {"num_key_value_heads": 0}, "'num_key_value_heads' is 0"),
        (LLAMA | {"num_key_value_heads": 7}, "32 attention heads cannot share 7 key-value heads"),
        (LLAMA | {"num_key_value_heads": 64}, "cannot share 64"),
        (LLAMA | {"head_dim": 0}, "'head_dim' is 0"),
        (LLAMA | {"intermediate_size": [1, 2]}, "'intermediate_size' is [1, 2]"),
        (LLAMA | {"vocab_size": 0}, "'vocab_size' is 0"),
        (LLAMA | {"max_position_embeddings": "128k"}, "'max_position_embeddings' is \"128k\""),
        (LLAMA | {"tie_word_embeddings": "false"}, "must be true or false"),
        (LLAMA | {"attention_bias": 0}, "must be true or false"),
        (LLAMA | {"sliding_window": "all"}, "'sliding_window'"),
        (LLAMA | {"sliding_window": 8, "layer_types": "full"}, "must be a list"),
        (MIXTRAL | {"num_local_experts": "8"}, "'num_local_experts' is \"8\""),
        (MIXTRAL | {"num_local_experts": [8]}, "is [8]"),
        (MIXTRAL | {"num_experts_per_tok": 9}, "routes a token to 9 of 8 experts"),
        (MIXTRAL | {"num_experts_per_tok": 0}, "is 0"),
        (QWEN3_MOE | {"mlp_only_layers": 3}, "'mlp_only_layers' is 3; it must be a list"),
        (QWEN3_MOE | {"mlp_only_layers": [0] * 49}, "49 of its 48 layers are dense"),
        (DEEPSEEK_V3 | {"n_shared_experts": [1]}, "'n_shared_experts' is [1]"),
        (DEEPSEEK_V3 | {"first_k_dense_replace": 62}, "62 of its 61"),
        (DEEPSEEK_V3 | {"kv_lora_rank": "512"}, "'kv_lora_rank'"),
        (DEEPSEEK_V3 | {"v_head_dim": 0}, "'v_head_dim' is 0"),
        (DEEPSEEK_V3 | {"q_lora_rank": -1}, "'q_lora_rank' is -1; it must be a whole number that is not negative"),
        (DEEPSEEK_V3 | {"qk_nope_head_dim": None, "qk_rope_head_dim": None}, "latent attention"),
    ],
)
def test_wrong_configurations(content: Any, says: str, tmp_path: Path, refused: Refused) -> None:
    path = config(tmp_path, content)
    error = refused(from_config, path)
    assert says in error.what
    assert error.where.startswith(str(path))


def test_a_huge_file_is_not_read(tmp_path: Path, refused: Refused) -> None:
    path = config(tmp_path, "{}")
    with path.open("ab") as file:
        file.truncate(100_000_000)
    assert "larger than 8 MB" in refused(from_config, path).what


def test_a_hostile_name_cannot_reach_the_terminal(tmp_path: Path) -> None:
    path = config(tmp_path, LLAMA | {"_name_or_path": "\x1b[31mred\u202e" + "x" * 10_000})
    workload = from_config(path)
    assert workload.name.isprintable() and len(workload.name) < 100
    odd = tmp_path / "\x1b]0;title\x07"
    odd.mkdir()
    assert from_config(path.rename(odd / "config.json")).id.isprintable()


SIZES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(sorted({*LLAMA, *DEEPSEEK_V3, *QWEN3_MOE, *GPT_OSS, *GPT2})), SIZES, max_size=4),
    st.booleans(),
)
def test_any_change_of_a_field_is_a_transformer_or_an_input_error(tmp_path: Path, changed: dict[str, Any], moe: bool) -> None:
    path = config(tmp_path, (DEEPSEEK_V3 if moe else LLAMA) | changed)
    try:
        architecture = from_config(path).architecture
    except InputError as error:
        assert error.what and str(path) in error.where
    else:
        assert total(architecture) > 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(), st.text().map(str.encode), st.text('{}[],:"0123456789.eE-+ntrufalse \n').map(str.encode)))
def test_any_bytes_are_refused(tmp_path: Path, raw: bytes) -> None:
    path = config(tmp_path, "")
    path.write_bytes(raw)
    with pytest.raises(InputError):
        from_config(path)


def test_a_model_by_folder_by_file_and_by_id(tmp_path: Path, refused: Refused) -> None:
    profiles = Profiles()
    path = config(tmp_path, LLAMA)
    assert find_workload("./some-model/", profiles, tmp_path) == find_workload(str(path), profiles, Path()) == from_config(path)
    assert find_workload("mlperf-llama3.1-8b", profiles, tmp_path) == profiles.workload("llama-3.1-8b")
    error = refused(find_workload, "lama-3.1-8b", profiles, tmp_path, "plan.yaml workload.model")
    assert (
        "unknown model 'lama-3.1-8b'" in error.what and "llama-3.1-8b" in error.hint and error.where == "plan.yaml workload.model"
    )
    assert "does not exist" in refused(find_workload, "none/config.json", profiles, tmp_path).what
    assert "does not exist" in refused(find_workload, "a\0b.json", profiles, tmp_path).what
    assert "does not exist" in refused(find_workload, "x" * 10_000 + ".json", profiles, tmp_path).what
    assert "unknown model" in refused(find_workload, "x" * 10_000, profiles, tmp_path).what
    assert "unknown model" in refused(find_workload, "", profiles, tmp_path).what
    assert refused(find_workload, "../../../../../../etc/passwd", profiles, tmp_path).where


ZOO = "name: Mine\nsources: {here: made up}\n"
SIZED = (
    "architecture: {hidden_size: 8, num_layers: 2, num_heads: 4, num_kv_heads: 2, head_dim: 2, ffn_size: 16, "
    "vocab_size: 100, max_context: 32"
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ZOO, "needs exactly one of architecture, network, graph, parts and of"),
        (ZOO + SIZED + "}\nof: gpt2\n", "needs exactly one"),
        (ZOO + "of: gpt3\n", "unknown workload 'gpt3'"),
        (ZOO + SIZED.replace("num_kv_heads: 2", "num_kv_heads: 3") + "}", "cannot share 3"),
        (ZOO + SIZED.replace("num_heads: 4", "num_heads: 0") + "}", "'num_heads' is 0"),
        (ZOO + SIZED.replace("ffn_size: 16", "ffn_size: 0") + "}", "'ffn_size' is 0"),
        (ZOO + SIZED.replace("ffn_size: 16", "ffn_size: 1.5") + "}", "whole number"),
        (ZOO + SIZED + ", window: {size: 4, layers: 3}}", "window in 3 of 2 layers"),
        (ZOO + SIZED + ", moe: {num_experts: 0, experts_per_token: 0, expert_ffn_size: 8}}", "routes a token to 0 of 0"),
        (ZOO + "network: {parameters: {value: 0, source: here}, macs: {value: 1, source: here}}", "must be above 0"),
    ],
)
def test_a_wrong_workload_file(text: str, says: str, tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    error = refused(find_workload, "./mine.yaml", Profiles(), tmp_path)
    assert says in error.what and str(path) in error.where


def test_a_workload_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(ZOO + SIZED + "}\n")
    workload = find_workload("./mine.yaml", Profiles(), tmp_path)
    assert workload.id == "mine" and total(workload.architecture) > 0
    (tmp_path / "alias.yml").write_text(ZOO + "of: gpt2\n")
    assert find_workload("./alias.yml", Profiles(), tmp_path).id == "gpt2"

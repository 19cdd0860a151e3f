"""Layers as a person writes them, and configurations: shapes, FLOP and parameters by hand and as published."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from planner.catalogue import config_graph
from planner.catalogue.layers_file import read
from planner.errors import InputError
from planner.schema.graph import total_flop

Refused = Callable[..., InputError]


def file(folder: Path, *layers: Any, input: str = "3x32x32", **more: Any) -> Path:
    path = folder / "net.yaml"
    path.write_text(yaml.safe_dump({"name": "net", "input": input, "layers": list(layers), **more}))
    return path


def flop(path: Path) -> float:
    return total_flop(tuple(node.layer for node in read(path).nodes))


def test_a_network_by_hand(tmp_path: Path) -> None:
    """16 x 16 places of 8 filters of 27, a norm of 16 numbers, a mean, ten classes of 8."""
    path = file(tmp_path, {"conv": {"channels": 8, "stride": 2, "norm": "batch_norm", "activation": "relu"}}, {"pool": {}},
                {"linear": {"width": 10}})  # fmt: skip
    found = read(path)
    assert [n.layer.op for n in found.nodes] == ["convolution", "normalization", "elementwise", "pooling", "matmul"]
    assert flop(path) == 2 * 256 * 8 * 27 + 2 * 80 and found.parameters == 216 + 16 + 90


def test_blocks_branches_and_results_kept(tmp_path: Path) -> None:
    """A residual block of two, twice; two branches side by side; a result kept and put beside what there is later."""
    block = {"residual": [{"conv": {"channels": 4}}, {"conv": {"channels": 4}}]}
    path = file(tmp_path, {"conv": {"channels": 4}}, {"save": "wide"}, {"repeat": {"times": 2, "layers": [block]}},
                {"branches": [[{"conv": {"channels": 4, "kernel": 1}}], [{"pool": {"kernel": 3}}]]}, {"cat": "wide"},
                {"conv": {"channels": 2, "kernel": 1}})  # fmt: skip
    places = 32 * 32
    assert flop(path) == 2 * places * (4 * 27 + 4 * 4 * 36 + 4 * 4 + 2 * 12)


def test_a_transformer_is_twelve_width_squared_a_token(tmp_path: Path) -> None:
    """2 x 12 x 64² x 10 for the products of a layer and 4 x 10² x 64 for its attention."""
    path = file(tmp_path, {"transformer": {"layers": 1, "heads": 4, "ffn": 256}}, input="64x10")
    assert flop(path) == 2 * 12 * 64**2 * 10 + 4 * 10**2 * 64
    assert read(path).parameters == 12 * 64**2 + 4 * 64 + 256 + 64 + 4 * 64  # biases and two norms


def test_trees_tables_and_recurrence(tmp_path: Path) -> None:
    path = file(tmp_path, {"trees": {"trees": 100, "depth": 6, "features": 30}}, input="30")
    (forest,) = (n.layer for n in read(path).nodes)
    assert forest.shape == {"rows": 600, "width": 4, "table": 100 * 127 * 4}
    path = file(tmp_path, {"recurrent": {"width": 20, "layers": 2}}, input="12x5")
    assert flop(path) == 2 * 5 * 80 * (12 + 20) + 2 * 5 * 80 * (20 + 20)
    bags = {"rows": 1000, "width": 8, "lookups": 3, "summed": True, "tables": 4}
    path = file(tmp_path, {"embedding": bags}, {"interaction": True}, input="1")
    assert [n.layer.op for n in read(path).nodes] == ["gather"] * 4 + ["matmul"]


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([{"conv": {"channels": 8, "kernal": 3}}], "unknown field 'kernal'"),
        ([{"conv": {"channels": 8, "groups": 2}}], "3 channels in, 8 out, 2 groups"),
        ([{"conv": {"channels": 8}, "pool": {}}], "conv and pool: a layer is one thing"),
        ([{}], "nothing: a layer is one thing"),
        ([{"cat": "there"}], "unknown saved result 'there'"),
        ([{"save": "a"}, {"conv": {"channels": 4, "stride": 2}}, {"cat": "a"}], "'a' is 3×32×32"),
        ([{"transformer": {"layers": 1, "heads": 2, "ffn": 4}}], "3 channels by 2 heads"),
        ([{"repeat": {"times": 100_000, "layers": [{"conv": {"channels": 4}}]}}], "more than 50,000 operations"),
        ([{"conv": {"channels": 8, "kernel": 64, "padding": "valid"}}], "leaves 8×-31×-31"),
        ([{"upsample": 100_000_000}], "leaves"),
    ],
)
def test_what_does_not_fit_says_where(layers: list[Any], says: str, tmp_path: Path, refused: Refused) -> None:
    error = refused(read, file(tmp_path, *layers))
    assert says in error.what and "net.yaml" in error.where


@pytest.mark.parametrize("input", ["", "x", "3x0x3", "-1x2", "3x224x224x1x1x1", "9" * 30])
def test_an_input_that_is_no_shape(input: str, tmp_path: Path, refused: Refused) -> None:
    assert "input is" in refused(read, file(tmp_path, {"pool": {}}, input=input)).what


LABELS = {str(i): str(i) for i in range(1000)}
BERT = {"model_type": "bert", "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "intermediate_size": 3072, "max_position_embeddings": 512, "type_vocab_size": 2}  # fmt: skip
CONFIGS: dict[str, tuple[dict[str, Any], float]] = {
    "bert-base-uncased": (BERT, 109_482_240),
    "distilbert-base-uncased": ({"model_type": "distilbert", "vocab_size": 30522, "dim": 768, "n_layers": 6, "n_heads": 12,
                                 "hidden_dim": 3072, "max_position_embeddings": 512}, 66_362_880),
    "vit-base-patch16-224": ({"model_type": "vit", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
                              "intermediate_size": 3072, "id2label": LABELS}, 86_567_656),
    "convnext-tiny-224": ({"model_type": "convnext", "hidden_sizes": [96, 192, 384, 768], "depths": [3, 3, 9, 3],
                           "id2label": LABELS}, 28_589_128),
    "swin-tiny-patch4-window7-224": ({"model_type": "swin", "id2label": LABELS}, 28_288_354),
    "t5-base": ({"model_type": "t5", "d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12, "vocab_size": 32128},
                222_903_552),
    "whisper-tiny": ({"model_type": "whisper", "d_model": 384, "encoder_layers": 4, "encoder_attention_heads": 6,
                      "encoder_ffn_dim": 1536, "decoder_layers": 4, "decoder_attention_heads": 6, "decoder_ffn_dim": 1536,
                      "vocab_size": 51865}, 37_760_640),
    "clip-vit-base-patch32": ({"model_type": "clip", "text_config": {"hidden_size": 512, "num_hidden_layers": 12},
                               "vision_config": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
                                                 "patch_size": 32}}, 151_277_313),
    "wav2vec2-base": ({"model_type": "wav2vec2", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
                       "intermediate_size": 3072}, 94_371_712),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_has_the_published_parameters(name: str, tmp_path: Path) -> None:
    """What ``num_parameters()`` of transformers says of each model."""
    raw, parameters = CONFIGS[name]
    (tmp_path / "config.json").write_text(json.dumps(raw))
    assert config_graph.read(tmp_path, 50).parameters == pytest.approx(parameters, rel=0.002)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("[]", "found list"),
        ("{", "not valid JSON"),
        ('{"model_type": "llama"}', "unknown model_type 'llama'"),
        (json.dumps({**BERT, "num_attention_heads": 7}), "by 7 heads"),
        (json.dumps({**BERT, "hidden_size": "768"}), "'hidden_size' is \"768\""),
        (json.dumps({**BERT, "num_hidden_layers": 10**8}), "100000000 layers"),
        (json.dumps({"model_type": "swin", "depths": [2], "num_heads": [3, 6]}), "do not fit each other"),
        (json.dumps({"model_type": "vit", "hidden_size": 768, "image_size": 8}), "an image of 8"),
        (
            json.dumps({"model_type": "convnext", "depths": [[1]], "hidden_sizes": [2]}),
            "'depths' must be a list of positive whole numbers",
        ),
    ],
)
def test_a_configuration_that_is_none(raw: str, says: str, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "config.json").write_text(raw)
    assert says in refused(config_graph.read, tmp_path, 50).what

"""Rows of published tables to stacks: what the row says of its software decides, never the name of its model."""

from pathlib import Path

import pandas as pd
import pytest

from planner.catalogue.profiles import Profiles
from planner.schema.claim import REQUIRED, TEXTS
from planner.validate.tables import translated


@pytest.mark.parametrize(
    ("row", "stack"),
    [
        ({"software": "vLLM 0.9"}, "vllm"),
        ({"software": "NeMo 25.02"}, "megatron"),
        ({"workload": "nemotron-4-340b"}, "default"),
        ({"workload": "mistral-nemo-12b"}, "default"),
        ({"workload": "megatron-22b"}, "default"),
        ({"workload": "gpt3-175b", "source": "arXiv:2205.05198"}, "megatron-2022"),
        ({"workload": "timm/resnet50"}, "timm"),
        ({"workload": "acme/nemo", "notes": "SGLang"}, "sglang"),
    ],
)
def test_a_stack_is_what_a_row_says_of_its_software(row: dict[str, str], stack: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    pd.DataFrame([dict.fromkeys((*REQUIRED, *TEXTS), "") | {"value": "1"} | row]).to_csv(path, index=False)
    assert translated(path, Profiles()).table["stack"].tolist() == [stack]

"""CSV tables of published measurements and architectures, as anyone may write them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.catalogue import kernels
from planner.catalogue.claims import architectures_beside, read_claims
from planner.errors import InputError
from planner.schema.claim import NUMBERS, REQUIRED, TEXTS

Refused = Callable[..., InputError]
HEADER = ",".join(REQUIRED) + ",tp,devices\n"
ROW = "a,inference,offline,llama-3.1-8b,acme-one,bf16,output_tokens_per_s,{value},{tp},{devices}\n"


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("", "", "is not a CSV table"),
        ("\n\n\n", "", "is not a CSV table"),
        ("nothing here\n", ":1", "has no column 'case'"),
        (HEADER.replace("scenario", "scenaro"), ":1", "has no column 'scenario'"),
        (HEADER.replace(",", ";"), ":1", "has no column 'case'"),
        (HEADER.replace("tp", "value"), ":1", "has the column 'value' twice"),
        (HEADER + "x," * 20 + "\n", ":2", "more fields than its header"),
        (HEADER + ROW.format(value=1, tp=1, devices=1) + "x," * 20 + "\n", "", "Expected 10 fields in line 3"),
        (HEADER + '"never closed,1\n' * 3, "", "EOF inside string"),
        (HEADER.encode() + b"\0\n", ":2", "NUL bytes"),
        (HEADER.encode() + b"caf\xe9\n", ":2", "not UTF-8"),
        (bytes(range(1, 256)) * 50, ":2", "not UTF-8"),
    ],
)
def test_what_is_no_table(text: str | bytes, where: str, says: str, tmp_path: Path, refused: Refused) -> None:
    path = table(tmp_path, text)
    error = refused(read_claims, path)
    assert says in error.what and error.where == f"{path}{where}"


def test_a_missing_column_is_guessed(tmp_path: Path, refused: Refused) -> None:
    assert "'scenaro'" in refused(read_claims, table(tmp_path, HEADER.replace("scenario", "scenaro"))).hint


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_column_is_there_whatever_the_file_has(newline: str, mark: str, tmp_path: Path) -> None:
    text = (mark + HEADER + ROW.format(value="1,5", tp="", devices=8).replace("1,5", '"1,5"')).replace("\n", newline)
    t = read_claims(table(tmp_path, text))
    assert {*NUMBERS, *TEXTS, "wrong"} == set(t.columns) and len(t) == 1
    assert t["case"][0] == "a" and t["devices"][0] == 8 and t["batch"].isna().all() and t["notes"][0] == ""


def test_only_a_header_is_an_empty_table(tmp_path: Path) -> None:
    assert len(read_claims(table(tmp_path, HEADER))) == 0


def test_a_short_row_is_filled_with_nothing(tmp_path: Path) -> None:
    t = read_claims(table(tmp_path, HEADER + "a,b\n"))
    assert t["metric"][0] == "" and t["value"].isna()[0] and t["wrong"][0] == ""


@pytest.mark.parametrize("cell", ["abc", "-1", "inf", "-inf", "1e308", "1e13", "=1+1", "1 000", "0x1G", "--"])
def test_a_size_that_is_none_is_said(cell: str, tmp_path: Path) -> None:
    t = read_claims(table(tmp_path, HEADER + ROW.format(value=5, tp=cell, devices=8)))
    assert t["wrong"][0] == "'tp' is not a size" and t["value"][0] == 5


@pytest.mark.parametrize("cell", ["", " ", "nan", "NaN", "None", "0", "8", " 8 ", "1e3"])
def test_a_size_that_is_absent_or_right_is_not_wrong(cell: str, tmp_path: Path) -> None:
    assert read_claims(table(tmp_path, HEADER + ROW.format(value=5, tp=cell, devices=8)))["wrong"][0] == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=300), st.text(',"\n\r;=a1', max_size=100).map(lambda rows: (HEADER + rows).encode())))
def test_any_bytes_are_a_table_or_an_input_error(tmp_path: Path, raw: bytes) -> None:
    try:
        t = read_claims(table(tmp_path, raw))
    except InputError as error:
        assert error.what and str(tmp_path) in error.where
    else:
        assert set(REQUIRED) <= set(t.columns)


SIZES = "hidden_size,num_layers,num_heads,num_kv_heads,head_dim,ffn_size,gated_ffn,vocab_size,max_sequence"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a CSV table"),
        ("a,b\n1,2\n", "has no column 'workload'"),
        (bytes(range(1, 256)), "not UTF-8"),
        ("workload,hidden_size\nm\n", "'m', is not usable: hidden_size"),
        ("workload,hidden_size\nm,abc\n", "hidden_size: 'abc' is not"),
        (f"workload,{SIZES}\nm,4096,32,0,8,128,1,true,5,5\n", "'num_heads' is 0"),
        (f"workload,{SIZES}\nm,4096,32,32,7,128,1,true,5,5\n", "cannot share 7"),
        (f"workload,{SIZES}\nm,-1,32,32,8,128,1,true,5,5\n", "hidden_size: '-1' must be at least 0"),
        (f"workload,{SIZES}\nm,1.5,32,32,8,128,1,true,5,5\n", "hidden_size"),
        ('workload,x\n"' + "x" * 300_000 + '",1\n', "is not usable"),
        ('workload,x\n"never closed', "is not a CSV table"),
        ("workload,workload\nm,n\n", "twice"),
    ],
)
def test_broken_architectures_beside(text: str | bytes, says: str, tmp_path: Path, refused: Refused) -> None:
    beside = tmp_path / "architectures.csv"
    beside.write_bytes(text if isinstance(text, bytes) else text.encode())
    error = refused(architectures_beside, tmp_path / "table.csv")
    assert says in error.what and error.where.startswith(str(beside))


def test_architectures_beside(tmp_path: Path) -> None:
    assert architectures_beside(tmp_path / "table.csv") == {}
    beside = tmp_path / "architectures.csv"
    beside.write_text(f"workload,{SIZES},source\nm,64,2,4,2,16,128,false,100,512,made up\n")
    found = architectures_beside(tmp_path / "table.csv")["m"]
    assert (found.hidden_size, found.max_context, found.gated_ffn, found.norm) == (64, 512, False, "layer")
    assert architectures_beside(beside) == {}


def test_kernel_tables_that_are_none(tmp_path: Path, refused: Refused) -> None:
    assert "not a folder" in refused(kernels.read, "h100_sxm", "matmul", tmp_path / "none").what
    assert "unknown system" in refused(kernels.read, "h100_sxm", "matmul", tmp_path).what
    folder = tmp_path / "h100_sxm" / "gemm" / "trtllm" / "1.0"
    folder.mkdir(parents=True)
    assert kernels.read("h100_sxm", "attention", tmp_path) is None
    (folder / "gemm_perf.parquet").write_bytes(b"PAR1 this is none")
    assert "not a parquet table" in refused(kernels.read, "h100_sxm", "matmul", tmp_path).what
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"latency": [1.0]}), folder / "gemm_perf.parquet")
    assert "has no column" in refused(kernels.read, "h100_sxm", "matmul", tmp_path).what

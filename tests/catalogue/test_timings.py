"""Kernel timings from a CSV: what they say, and one clear message for what they cannot."""

from pathlib import Path

import numpy as np
import pytest

from planner.catalogue.timings import from_csv
from planner.errors import InputError

GOOD = """law,m,n,k,dtype,batch,heads,kv_heads,dim,query,microseconds
matmul,1,4096,4096,bf16,,,,,,9.8
matmul,128,4096,4096,bf16,,,,,,14.1
attention,,,,,2,32,8,128,1024,350
"""


def table(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "k.csv"
    file.write_text(text)
    return file


def test_laws_come_apart_and_units_are_seconds(tmp_path: Path) -> None:
    found = from_csv(table(tmp_path, GOOD))
    assert set(found) == {"matmul", "attention"}
    assert np.allclose(found["matmul"].columns["seconds"], [9.8e-6, 14.1e-6])
    assert found["attention"].columns["kv_heads"].tolist() == [8.0] and found["attention"].columns["window"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "no column of times"),
        ("law,m,n,k,dtype,us\nmatmul,1,2,3,bf16,4\n", 1, "no column of times"),
        ("law,m,n,k,dtype,seconds,milliseconds\n", 1, "which is it"),
        ("law,m,n,kk,dtype,seconds\nmatmul,1,2,3,bf16,1e-6\n", 1, "unknown column 'kk'"),
        ("law,m,n,k,dtype,seconds\nmatmull,1,2,3,bf16,1e-6\n", 2, "Did you mean matmul"),
        ("law,m,n,k,dtype,seconds\nmatmul,1,2,3,bf16,1e-6\nmatmul,1,2,,bf16,1e-6\n", 3, "matmul needs k"),
        ("law,m,n,k,dtype,seconds\nmatmul,1,-2,3,bf16,1e-6\n", 2, "n: '-2' is not a number"),
        ("law,m,n,k,dtype,seconds\nmatmul,1,2,3,bf16,nan\n", 2, "seconds: 'nan' is not a number"),
        ("law,m,n,k,dtype,seconds\nmatmul,1,2,3,bf16,9800\n", 2, "Is the column really in seconds"),
        ("law,m,n,k,dtype,seconds\nmatmul,1,2\n", 2, "has fewer fields than the header"),
        ("law,m,n,k,dtype,seconds\nmatmul,1,2,3,bf16,1e-6,7\n", 2, "has more fields than the header"),
        ("law,m,n,m,dtype,seconds\nmatmul,1,2,3,bf16,1e-6\n", 1, "has the column 'm' twice"),
        ("m,n,k,dtype,seconds\n1,2,3,bf16,1e-6\n", 1, "has no column 'law'"),
        ("law,m,n,k,dtype,seconds\nmatmul,0,2,3,bf16,1e-6\n", 2, "m is 0"),
        ("law,m,n,k,dtype,seconds\nmatmul,1,2,3,float,1e-6\n", 2, "unknown dtype 'float'"),
        ("law,m,n,k,dtype,seconds\nmatmul,1,2,3,=cmd|' /C calc'!A0,1e-6\n", 2, "unknown dtype"),
        ("law,op,ranks,message,seconds\ncollective,all_redcue,8,1024,1e-4\n", 2, "Did you mean all_reduce"),
        ('law,m,n,k,dtype,seconds\nmatmul,1,2,3,bf16,1e-6\n"never closed,1\n"x,1\n', 4, "is not a CSV"),
        ("law,m,n,k,dtype,seconds\nmatmul,1,2,3,bf16,0\n", 2, "no single operation takes 0 s"),
        ("law,m,n,k,dtype,seconds\nmatmul,=1+1,2,3,bf16,1e-6\n", 2, "m: '=1+1' is not a number"),
    ],
)
def test_one_clear_message(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(InputError, match="k") as raised:
        from_csv(table(tmp_path, text))
    assert says in str(raised.value) and f"k.csv:{line}" in str(raised.value)


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no rows"):
        from_csv(table(tmp_path, "law,m,n,k,dtype,seconds\n"))

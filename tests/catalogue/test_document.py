"""YAML as anyone may write it: either a record, or one message with file, line and field."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalogue.document import build, decode, parse, plain, read, read_text
from planner.errors import InputError
from planner.schema.hardware import Device, Provider
from planner.schema.plan import Plan

Refused = Callable[..., InputError]
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [" + ", ".join(f"*{a}" for _ in range(10)) + "]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 5000))


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3:1", "'a' is given twice"),
        ("a: 2026-99-99\n", "f:1:4", "not a valid timestamp"),
        ("x: y\na: !!bool maybe\n", "f:2:4", "not a valid bool"),
        ("a: !!timestamp foo", "f:1:4", "not a valid timestamp"),
        ("a: !!int ''", "f:1:4", "not a valid int"),
        ("a: !!float abc", "f:1:4", "not a valid float"),
        ("a: " + "9" * 5000, "f:1:4", "not a valid int"),
        ("a: !!python/object/apply:os.system [x]", "f:1:4", "could not determine a constructor"),
        ("a: !!python/name:os.system", "f:1:4", "could not determine a constructor"),
        ("a: =", "f:1:4", "could not determine a constructor"),
        ("a:\n\t- b", "f:2:1", "cannot start any token"),
        ("a: 'b", "f:1:6", "unexpected end of stream"),
        ("a: *nobody", "f:1:4", "undefined alias"),
        ("--- a\n--- b", "f:2:1", "another document"),
        ("? [a]\n: b", "f:1:3", "unhashable key"),
        ("? !!map\n: b", "f:1:3", "expected fields"),
        ("a: !!set [b]", "f:1:4", "expected fields"),
        ("<<: 3", "f:1:5", "for merging"),
        ("a: b\nc: \x1b[31m", "f:2", "control characters"),
        ('a: "\\ud800"', "f:1:7", "invalid Unicode"),
        ("[" * 500, "f:1", "deeper than 60"),
        ("{a: " * 10_000, "f:1", "deeper than 60"),
        ("- " * 10_000, "f:1", "deeper than 60"),
        ("? " * 10_000, "f:1", "deeper than 60"),
        (LAUGHS, "f:6", "expands to more than 500,000"),
        (CHAIN, "f:59", "deeper than 60"),
        ("a: &a [*a]", "f:1", "deeper than 60"),
        ("a: &a\n  b: *a\n", "f:2", "deeper than 60"),
        ("a: &a {<<: *a}", "f:1", "deeper than 60"),
    ],
)
def test_what_is_not_sound_yaml_says_where(text: str, where: str, says: str, refused: Refused) -> None:
    error = refused(parse, text, "f")
    assert error.where == where
    assert says in error.what


@pytest.mark.parametrize(
    "text", ["a: b", "\ufeffa: b", "a: b\r\n", "a: b\n...\n", "# only this\na: b", "{a: b}", "x: &x b\na: *x"]
)
def test_what_is_sound_is_read(text: str) -> None:
    assert parse(text, "f")["a"] == "b"


def test_anchors_and_merges_work() -> None:
    assert parse("a: &a {x: 1}\nb: {<<: *a, y: 2}\n", "f") == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}


@given(st.one_of(st.text(), st.text(alphabet="[]{}:,-?&*!|>'\"%@`#\n\t ab01.<="), st.binary()))
def test_any_bytes_are_values_or_an_input_error(raw: str | bytes) -> None:
    try:
        text = raw if isinstance(raw, str) else decode(raw, "f")
        build(parse(text, "f"), Plan, "f", text)
    except InputError as error:
        assert error.what and error.where.startswith("f")
        assert str(error).replace("\n", "").isprintable()
    else:
        raise AssertionError("no such plan could be right")


KEYS = st.sampled_from(["title", "workload", "model", "serve", "tokens", "hardware", "kinds", "economics", "pue", "budget"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, st.integers()), inner, max_size=6)),
    max_leaves=20,
)


@given(st.dictionaries(st.one_of(KEYS, st.text(), st.integers(), st.none()), VALUES))
def test_any_values_are_a_plan_or_an_input_error(values: dict[object, object]) -> None:
    with pytest.raises(InputError):  # none of them can have all that a plan needs
        build(values, Plan, "f")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"a: \xff", "not UTF-8 text"), (b"a: b\n\0", "NUL bytes"), (b"\x7fELF\x02\x01\x01" + bytes(100), "NUL bytes"),
        (bytes(range(1, 256)) * 40, "not UTF-8 text"), (b"x" * 8_000_001, "larger than 8 MB"),
        ("a: é".encode("latin-1"), "not UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused(raw: bytes, says: str, tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(raw)
    error = refused(read_text, path)
    assert says in error.what and error.where.startswith(str(path))


def test_files_that_cannot_be_read(tmp_path: Path, refused: Refused) -> None:
    assert refused(read_text, tmp_path).what == "is a directory, not a file"
    assert "No such file" in refused(read_text, tmp_path / "none.yaml").what
    assert "name too long" in refused(read_text, tmp_path / ("x" * 10_000)).what
    assert "cannot be opened" in refused(read_text, Path("a\0b")).what
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "symbolic links" in refused(read_text, loop).what
    odd = refused(read_text, tmp_path / "\x1b[31mred\u202e")
    assert "\x1b" not in str(odd)


DEVICE = (Path(__file__).parent / "own" / "gpu" / "acme-one.yaml").read_text()
OFFERS = (Path(__file__).parent / "own" / "offers" / "acme.yaml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "where", "says", "hint"),
    [
        ("vendor: Acme", "vender: Acme", ":2:1 vender", "unknown field 'vender'", "Did you mean 'vendor'?"),
        ("vendor: Acme", "zzz: Acme", ":2:1 zzz", "unknown field 'zzz'", "Known here: "),
        ("vendor: Acme\n", "", " vendor", "the field 'vendor' is missing", ""),
        ("vendor: Acme", "vendor: 12:30:00", ":2:1 vendor", "expected text, found 45000", ""),
        ("vendor: Acme", "vendor: NO", ":2:1 vendor", "expected text, found False", ""),
        ("vendor: Acme", "vendor: [Acme]", ":2:1 vendor", "expected text, found a list", ""),
        ("vendor: Acme", "vendor:", ":2:1 vendor", "expected text, found nothing", ""),
        ("kind: gpu", "kind: gpuu", ":3:1 kind", "'gpuu' is not one of cpu, gpu, tpu, fpga, asic", "Did you mean 'gpu'?"),
        ("bf16: {value: 500 TFLOP/s", "bf16: {value: 500 TB/s", ":9:3 peak.bf16", "wrong unit; write it like '989 TFLOP/s'", ""),
        ("bf16: {value: 500 TFLOP/s", "bf16: {value: 1e12", ":9:3 peak.bf16", "has no unit", ""),
        ("bf16: {value: 500 TFLOP/s", "bf16: {value: -500 TFLOP/s", ":9:3 peak.bf16", "must be above 0", ""),
        ("bf16: {value: 500 TFLOP/s", "bf16: {value: .nan", ":9:3 peak.bf16", "has no unit", ""),
        ("bf16: {value: 500 TFLOP/s", "bf17: {value: 500 TFLOP/s", ":9:3 peak.bf17", "is not one of", "Did you mean 'bf16'"),
        (
            "bf16: {value: 500 TFLOP/s, source: sheet, note: dense}",
            "bf16: 500 TFLOP/s",
            ":9:3 peak.bf16",
            "value, source",
            "{value:",
        ),
        ("tdp: {value: 500 W, source: sheet}", "tdp: {value: 500 W}", ":16:1 tdp.source", "the field 'source' is missing", ""),
        ("tdp: {value: 500 W, source: sheet}", "tdp: [500 W]", ":16:1 tdp", "", ""),
        ("level: main", "level: man", ":12:5 memory.0.level", "'man' is not one of main, cache", "Did you mean 'main'?"),
        ("name: Acme One 80 GB", "id: other\nname: x", ":1:1", "'id' is not written in the file", ""),
        ("name: Acme One 80 GB", "name: x\nlaunch_date: 20230101", ":2:1 launch_date", "expected a date like 2026-01-31", ""),
        ("family: acme", 'family: "\\e[31m\\u202e"\nkind2: x', ":5:1 kind2", "unknown field", ""),
    ],
)
def test_a_wrong_device_names_line_and_field(
    old: str, new: str, where: str, says: str, hint: str, tmp_path: Path, refused: Refused
) -> None:
    assert DEVICE.count(old) == 1
    path = tmp_path / "acme-one.yaml"
    path.write_text(DEVICE.replace(old, new))
    error = refused(lambda: read(path, Device, id="acme-one"))
    assert error.where.startswith(f"{path}{where}")
    assert says in error.what and hint in error.hint


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("20 USD/h", "-20 USD/h", "is negative"), ("20 USD/h", "20 USD", "write it like '4.10 USD/h'"),
        ("20 USD/h", "20", "not a price"),
        ("20 USD/h", "20,5 USD/h", "not a price"), ("20 USD/h", "20 $/h", "not a price"),
        ("on_demand", "ondemand", "unknown field"),
        ("2026-01-01, source: list}\n      spot", "soon, source: list}\n      spot", "expected a date"),
    ],
)  # fmt: skip
def test_a_wrong_price_names_line_and_field(old: str, new: str, says: str, tmp_path: Path, refused: Refused) -> None:
    assert OFFERS.count(old) == 1
    path = tmp_path / "acme.yaml"
    path.write_text(OFFERS.replace(old, new))
    error = refused(lambda: read(path, Provider, id="acme"))
    assert error.where.startswith(f"{path}:9:") and "offers.0.prices" in error.where
    assert says in error.what


@pytest.mark.parametrize(
    ("text", "found"), [("", "nothing"), ("# no more\n", "nothing"), ("- a\n", "a list"), ("abc", "'abc'"), ("12", "12")]
)
def test_a_file_that_is_no_mapping(text: str, found: str, tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    error = refused(lambda: read(path, Device, id="x"))
    assert error.where == f"{path}:1" and error.what == f"expected fields like 'name: value', found {found}"


def test_further_problems_are_counted(refused: Refused) -> None:
    error = refused(build, {"title": "x", "a": 1, "b": 2, "c": 3}, Plan, "f")
    assert "more in this file" in error.hint


def test_a_record_survives_being_written_out() -> None:
    device = build(parse(DEVICE, "f"), Device, "f", DEVICE, id="acme-one")
    assert plain(device)["peak"]["bf16"] == {"value": 500e12, "source": "sheet", "note": "dense"}


def test_a_hundred_thousand_brackets_are_refused_by_whoever_counts_first(refused: Refused) -> None:
    """libyaml has a limit of its own in some releases, and meets it before the first event."""
    assert "nest" in refused(parse, "[" * 100_000, "f").what

"""Which importer reads a model, and what it was asked: nothing is loaded here that could run code of its own."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from planner.errors import InputError, printable
from planner.schema.graph import Asked, Found, total_flop
from planner.schema.workload import Workload

Way = Literal["onnx", "exported", "torch", "config", "layers"]
WAYS: dict[str, Way] = {".onnx": "onnx", ".pt2": "exported", ".json": "config", ".yaml": "layers", ".yml": "layers"}
PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".th", ".joblib", ".npy", ".tar")
WEIGHTS = (".safetensors", ".gguf", ".npz", ".h5", ".keras")
NAMED = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
EXPECTED = "It takes an ONNX file, an exported program (.pt2), package.module:name, a config.json or layers in YAML."
MOST_AXES, LARGEST_AXIS = 8, 10**7


def way(model: str) -> Way:
    """How a model is read, by what its name looks like; InputError for what would have to be unpickled, or holds no network."""
    path = Path(model)
    suffix = path.suffix.lower()
    if NAMED.fullmatch(model):
        return "torch"
    if suffix in PICKLES:
        what = f"is a pickle ({suffix}) or may be one: loading it could run code of its own"
        hint = "Export the model: torch.export.save(torch.export.export(…), 'model.pt2'), or to ONNX."
        raise InputError(what, where=model, hint=hint)
    if suffix in WEIGHTS:
        raise InputError(f"holds weights only ({suffix}), no network", where=model, hint=EXPECTED)
    try:
        folder = path.is_dir()
    except (OSError, ValueError):
        folder = False
    if folder or suffix in WAYS:
        return "config" if folder else WAYS[suffix]
    raise InputError(f"'{printable(model)}' is no kind of model that can be imported", hint=EXPECTED)


def asked(model: str, inputs: Sequence[str], dims: Sequence[str], settings: Sequence[str], tokens: int) -> Asked:
    """Options as they were written, checked. Raises InputError."""
    values = {name: _value(text) for name, text in map(_pair, settings)}
    sizes = {name: _size(text, f"--dim {name}") for name, text in map(_pair, dims)}
    return Asked(model, tuple(_shape(text) for text in inputs), sizes, values, tokens)


def read(asked: Asked) -> Found:
    """A model in a file that needs no torch."""
    path = Path(asked.model)
    kind = way(asked.model)
    if kind == "onnx":
        from planner.catalogue import onnx_file

        return onnx_file.read(path, asked.dims)
    if kind == "config":
        from planner.catalogue import config_graph

        return config_graph.read(path, asked.tokens)
    from planner.catalogue import layers_file

    return layers_file.read(path)


def summary(workload: Workload, nodes: int) -> str:
    """What was imported, for people."""
    from planner import units

    assert workload.graph is not None
    g = workload.graph
    work = units.show(total_flop(g.operations), "flop")
    weights, kinds = units.words(g.parameters.value), len(g.operations)
    line = f"{workload.name}: {nodes:,} operations, {kinds} different ones; {weights} parameters, {work} a sample of {g.input}."
    return "\n".join([line, *([workload.notes] if workload.notes else [])])


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise InputError(f"'{printable(text)}' is not NAME=VALUE")
    return name, value


def _size(text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LARGEST_AXIS or len(text) > 8:
        raise InputError(f"{printable(what)}: '{printable(text)}' is not a whole number from 1 to {LARGEST_AXIS:,}")
    return int(text)


def _shape(text: str) -> tuple[int, ...]:
    parts = text.split("x")
    if len(parts) > MOST_AXES:
        raise InputError(f"--input {printable(text)} has {len(parts)} axes; at most {MOST_AXES}")
    return tuple(_size(part, f"--input {text}") for part in parts)


def _value(text: str) -> str | int | float | bool | None:
    known: dict[str, bool | None] = {"true": True, "false": False, "none": None}
    if text.lower() in known:
        return known[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

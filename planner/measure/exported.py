"""An exported program (.pt2) read as a graph: its JSON only. Its weights and example inputs, which may be pickles, are not
opened.

The archive is a zip file with ``models/<name>.json``, the schema of ``torch._export.serde.schema``: nodes that name an operator
of ATen and their arguments. Each is run on fake tensors of one sample, so that shapes follow from the operators themselves.
"""

import json
import operator
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from planner.errors import InputError, printable
from planner.measure.importing import fake, listen
from planner.schema.graph import Found

LARGEST = 200_000_000
"""Bytes of the graph's JSON."""
DTYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64", 9: "complex32",
    10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16",
}  # fmt: skip
"""torch._export.serde.schema.ScalarType."""
NUMBERS: dict[str, Callable[..., Any]] = {
    name: getattr(operator, name)
    for name in ("add", "sub", "mul", "floordiv", "mod", "neg", "pow", "truediv", "eq", "ne", "lt", "le", "gt", "ge", "getitem")
}
BROKEN = (zipfile.BadZipFile, OSError, ValueError, RecursionError, NotImplementedError, RuntimeError, EOFError, zlib.error)
"""What reading a zip file or its JSON may raise."""
SPACES = ("aten", "prims")
MOST_NODES = 200_000


def read(path: Path, dims: Mapping[str, int]) -> Found:
    """The program's forward pass over one sample; ``dims``: values of symbolic sizes that are not the batch. InputError."""
    program = _program(path)
    try:
        return _Run(program, dims, path).found()
    except InputError as error:
        raise error if error.where else InputError(error.what, where=str(path), hint=error.hint) from None
    except Exception as error:  # whatever shapes that do not fit make an operator say
        first = next(iter(str(error).strip().splitlines()), "")
        what = f"its graph cannot be followed: {type(error).__name__}: {printable(first, 160)}"
        raise InputError(what, where=str(path)) from None


def _program(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [i for i in archive.infolist() if i.filename.endswith(".json") and "/models/" in f"/{i.filename}"]
            if not names:
                raise InputError("has no models/*.json: it is no exported program", where=str(path))
            if names[0].file_size > LARGEST:
                raise InputError(f"has a graph of more than {LARGEST // 10**6} MB", where=str(path))
            program = json.loads(archive.read(names[0]))
    except BROKEN as error:
        said = getattr(error, "strerror", None) or "it is cut off, or of another kind"
        raise InputError(f"is not an exported program: {said}", where=str(path)) from None
    if not isinstance(program, dict) or not isinstance(program.get("graph_module"), dict):
        raise InputError("is not an exported program: it has no graph", where=str(path))
    return program


class _Run:
    """The nodes of a program run on fake tensors, values by name."""

    def __init__(self, program: dict[str, Any], dims: Mapping[str, int], path: Path) -> None:
        module = program["graph_module"]
        self.graph, self.signature = module["graph"], module["signature"]
        self.path, self.dims, self.used = path, dims, set[str]()
        self.values: dict[str, Any] = {}
        self.symbols: dict[str, int] = {}
        self.unknown: dict[str, int] = {}
        if len(self.graph["nodes"]) > MOST_NODES:
            raise InputError(f"has more than {MOST_NODES:,} nodes")

    def found(self) -> Found:
        """Run it."""
        given: dict[str, list[str]] = {"parameter": [], "buffer": [], "tensor_constant": [], "user_input": []}
        for spec in self.signature["input_specs"]:
            (kind, body), *_ = spec.items()
            name = _name(body["arg"]) if kind in given else None
            if name in self.graph["tensor_values"]:
                given[kind].append(str(name))
        self._symbols(given["user_input"])
        unused = set(self.dims) - self.used
        if unused:
            raise InputError(f"has no symbolic size '{printable(min(unused))}'")
        with fake():
            tensors = {kind: [self._tensor(name) for name in names] for kind, names in given.items()}
            fixed = [t for kind in given if kind != "user_input" for t in tensors[kind]]
            total = float(sum(t.numel() for t in tensors["parameter"]))
            source = f"{printable(self.path.name)}, torch.export"
            found = listen(self._run, tensors["user_input"], fixed, total, printable(self.path.stem), source)
        return replace(found, unknown={**found.unknown, **self.unknown})

    def _symbols(self, inputs: list[str]) -> None:
        """A symbolic first size of an input is the batch, of which there is one sample; every other needs a value."""
        missing = dict[str, str]()
        for name in inputs:
            for axis, size in enumerate(self.graph["tensor_values"][name]["sizes"]):
                symbol = _symbol(size, f"{name}.{axis}")
                if symbol is None or symbol in self.symbols:
                    continue
                if symbol in self.dims or axis == 0:
                    self.symbols[symbol] = self.dims.get(symbol, 1)
                    self.used.add(symbol)
                else:
                    missing[symbol] = f"axis {axis} of '{printable(name)}'"
        if missing:
            what = ", ".join(f"{printable(s)} ({of})" for s, of in list(missing.items())[:6])
            hint = "Give each a value: " + " ".join(f"--dim '{printable(s)}=128'" for s in list(missing)[:6])
            raise InputError(f"sizes of its inputs are not fixed: {what}", hint=hint)

    def _tensor(self, name: str) -> torch.Tensor:
        meta = self.graph["tensor_values"][name]
        named = [(_symbol(size, f"{name}.{axis}"), size) for axis, size in enumerate(meta["sizes"])]
        sizes = [self.symbols[symbol] if symbol else int(size["as_int"]) for symbol, size in named]
        tensor = torch.empty(sizes, dtype=getattr(torch, DTYPES[int(meta["dtype"])]), device="cpu")
        self.values[name] = tensor
        return tensor

    def _run(self) -> Any:
        for node in self.graph["nodes"]:
            self._node(node)
        return [self.values.get(_name(output) or "") for output in self.graph["outputs"]]

    def _node(self, node: Mapping[str, Any]) -> None:
        target, places = str(node["target"]), node["outputs"]
        function = _function(target)
        if function is None:  # of a library: what comes out is known, what it does is not
            self.unknown[printable(target)] = self.unknown.get(printable(target), 0) + 1
            for place in places:
                self._tensor(str(_name(place)))
            return
        named = {i["name"]: self._value(i["arg"]) for i in node["inputs"]}
        out = function(**named) if hasattr(function, "_schema") else function(*named.values())
        several = len(places) > 1
        for value, place in zip(out if several else [out], places, strict=True):
            (kind, body), *_ = place.items()
            if kind == "as_tensors":
                self.values |= {one["name"]: given for one, given in zip(body, value, strict=True)}
            elif (name := _name(place)) is not None:
                self.values[name] = value

    def _value(self, arg: Mapping[str, Any]) -> Any:
        (kind, body), *_ = arg.items()
        if kind in _LISTS:
            return [self._value(one) for one in body]
        if kind in _NAMES:
            name = _name(arg)
            return self.values[name] if name is not None else self._value(body)
        if kind in _PLAIN:
            return _PLAIN[kind](body)
        raise InputError(f"has an argument of the kind '{printable(kind)}', which is not known")


_LISTS = ("as_tensors", "as_optional_tensors", "as_sym_ints", "as_sym_floats", "as_sym_bools")
_NAMES = ("as_tensor", "name", "as_name", "as_sym_int", "as_sym_float", "as_sym_bool")
_FORMATS = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d, 4: torch.preserve_format}
_PLAIN: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("as_int", "as_bool", "as_string", "as_ints", "as_floats", "as_bools", "as_strings"), lambda body: body),
    "as_none": lambda body: None, "as_float": float, "as_scalar_type": lambda body: getattr(torch, DTYPES[int(body)]),
    "as_device": lambda body: torch.device("cpu"), "as_layout": lambda body: torch.strided,
    "as_memory_format": lambda body: _FORMATS[int(body)],
}  # fmt: skip


def _function(target: str) -> Callable[..., Any] | None:
    """An operator by name: ATen's, or arithmetic of sizes. Nothing else is looked up."""
    parts = target.split(".")
    if parts[:2] == ["torch", "ops"] and len(parts) == 5 and parts[2] in SPACES:
        return getattr(getattr(getattr(torch.ops, parts[2]), parts[3], None), parts[4], None)
    if parts[0] in ("_operator", "operator") and len(parts) == 2:
        return NUMBERS.get(parts[1])
    return torch.sym_max if target == "torch.sym_max" else torch.sym_min if target == "torch.sym_min" else None


def _name(arg: Mapping[str, Any]) -> str | None:
    """What an argument or a place is called; None for a number."""
    (kind, body), *_ = arg.items()
    if kind in ("name", "as_name"):
        return str(body)
    return _name(body) if kind in _NAMES else None


def _symbol(size: Mapping[str, Any], otherwise: str) -> str | None:
    """The name of a symbolic size; ``otherwise`` for an expression; None for a number."""
    if "as_expr" not in size:
        return None
    text = str(size["as_expr"]["expr_str"])
    found = re.match(r"Symbol\('(\w+)'", text)
    return found[1] if found and text.count("(") == 1 else otherwise

"""Claims to rows: which device, model, stack and layout a published measurement is about, and why some cannot be used."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.errors import InputError
from planner.model.policy import ATTENTION, FULL, NONE, OPERATORS
from planner.schema import claim
from planner.schema.claim import BY_OPERATOR
from planner.schema.hardware import Device, System
from planner.schema.precision import RECIPES
from planner.schema.quantity import Figure
from planner.schema.workload import Architecture, Network, Requests, Workload
from planner.search.machines import Setting, arithmetic, in_fp8_blocks
from planner.search.networks import unsuited
from planner.validate.layouts import laid_out

STACK_COLUMNS = ["software", "source", "notes"]  # and the zoo that a workload comes from: what stands before its "/"
RECOMPUTE = {"": NONE, "none": NONE, "selective": ATTENTION, "selective+sequence_parallel": ATTENTION, "full": FULL}
RECOMPUTE["qkv_proj_offloaded"] = FULL
QUANTISED_CACHE = ("trtllm", "mlperf", "synapse")  # stacks whose published runs keep the KV cache in 8 bits where weights are
SEQUENCES_WITHOUT_LENGTH = 128.0  # tokens: what published encoder benchmarks use where they do not say


@dataclass(frozen=True)
class Lookup:
    """What the catalogue offers to a translation, as functions that raise InputError for an unknown id."""

    device: Callable[[str], Device]
    system: Callable[[str], System | None]
    workload: Callable[[str], Workload]
    network: Callable[[str, str, float], Network | None]
    described: Callable[[str, str, Network], Network]
    """The network by its name and image with what its graph does."""
    runs: Callable[[], pd.DataFrame]
    """How benchmarks laid out runs with prefill and decode apart (``catalogue.runs``)."""


@dataclass(frozen=True)
class Subject:
    """What a row's workload turned out to be."""

    architecture: Architecture | None = None
    network: Network | None = None
    requests: Requests | None = None
    operations: Workload | None = None
    """The workload, where it is known operation by operation."""

    @property
    def is_network(self) -> bool:
        """Whether it is a network rather than a language model."""
        return self.network is not None or self.operations is not None


@dataclass(frozen=True)
class Translated:
    """A table with ``skip`` (why a row cannot be estimated, or ""), ``setting``, ``subject`` and ``stack`` indices."""

    table: pd.DataFrame
    settings: list[Setting]
    subjects: list[Subject]

    def by_operations(self) -> NDArray[np.bool]:
        """Rows (N,) whose network is known operation by operation, on devices that can be asked for it so."""
        pairs = self.table[["subject", "setting"]].itertuples(index=False, name=None)
        return np.array([setting >= 0 and self._asked(int(subject), int(setting)) for subject, setting in pairs], bool)

    def _asked(self, subject: int, setting: int) -> bool:
        workload = self.subjects[subject].operations
        return workload is not None and not unsuited(workload, self.settings[setting].device)

    def of_device(self, name: str) -> "pd.Series[str]":
        """A field of each row's device (its ``kind``, its ``family``), "" where there is none."""
        values = np.array([str(getattr(s.device, name)) for s in self.settings] + [""])
        return pd.Series(values[np.maximum(self.table["setting"].to_numpy(), -1)], index=self.table.index)


def translate(table: pd.DataFrame, beside: Mapping[str, Architecture], lookup: Lookup) -> Translated:
    """Every row's subject and setting; unknown things become a reason to skip, never an error."""
    t = table.copy()
    t["skip"] = t["wrong"]
    zoo = t["workload"].str.extract(r"^([^/]*/)", expand=False).fillna("")
    t["stack"] = _distinct(zoo.str.cat(t[STACK_COLUMNS], sep=" "), claim.stack)
    both = (t["task"] == "training") & t["stack"].isin(claim.TRAINS_TOO)
    t["stack"] = t["stack"].where(~both, t["stack"] + "-train")
    t["precision"] = _distinct(t["precision"], claim.precision)
    _mark(t, ~(t["value"] > 0), "the value is not a positive number")
    _once(t)
    _split(t)
    t["devices"] = t["devices"].fillna(t["tp"]).fillna(1.0) * np.where(t["ref"].str.contains(claim.TWO_EACH), 2.0, 1.0)
    _mark(t, ~(t["devices"] >= 1), "the number of devices is not positive")
    subjects = _subjects(t, beside, lookup)
    network = np.array([s.is_network for s in subjects] or [False])[t["subject"].to_numpy()]
    t["stack"] = t["stack"].where(~(network & t["stack"].isin(claim.BOTH)), t["stack"] + claim.NETWORKS)
    generates = np.array([s.requests is not None for s in subjects] or [False])[t["subject"].to_numpy()]
    t["metric"] = t["metric"].where(~generates, t["metric"].replace(claim.SCORED))
    told = t["software"].str.cat(t["notes"], sep=" ")
    t["guessed"] = told.str.contains(claim.GUESSED) & (t["workload"] == "deepseek-r1")
    t["runs"] = pd.Series(laid_out(t, lookup.runs), index=t.index, dtype=object)
    settings = _settings(t, subjects, lookup)
    t["feeds"] = _feeds(t, subjects)
    return Translated(t, settings, subjects)


def _once(t: pd.DataFrame) -> None:
    """Ranks of runs whose table counts them squared (``claim.INFERENCEMAX``), once."""
    ep = t["ep"].fillna(1.0)
    twice = t["notes"].str.contains(claim.INFERENCEMAX) & (ep > 1) & (t["moe_tp"] == ep)
    twice &= (t["tp"].fillna(1.0) * t["attention_dp"].fillna(1.0) == ep**2) & (t["scenario"] == "concurrency")
    for name in ("tp", "attention_dp"):
        t.loc[twice & (t[name] > 1), name] /= ep
    t.loc[twice, "devices"] /= ep
    t.loc[twice, "moe_tp"] = 1.0


SPLIT = re.compile(r"Parallelism Type=(.*)", re.IGNORECASE)
WAYS = {"tp": r"\btp\b|tensor", "pp": r"\bpp\b|pipeline", "ep": r"\bep\b|expert"}


def _split(t: pd.DataFrame) -> None:
    """Degrees that only notes say: all of the devices in the one way they name, or in each of several as many as stand behind it.

    Experts that are dealt out whole lie on the ranks that share the rest by tensors.
    """
    for notes, rows in t.groupby(t["notes"].str.extract(SPLIT, expand=False)):
        said = {way: re.search(rf"(?:{name})\D*?(\d+)", notes, re.IGNORECASE) for way, name in WAYS.items()}
        named = [way for way, name in WAYS.items() if re.search(name, notes, re.IGNORECASE)]
        for way in named:
            number = said[way]
            t.loc[rows.index, way] = float(number[1]) if number and len(named) > 1 else rows["devices"]
        if "ep" in named:
            t.loc[rows.index, "tp"] = rows["devices"]


RUN = ["workload", "hardware", "devices", "precision", "batch", "micro_batch", "sequence_length", "input_tokens",
       "output_tokens", "tp", "concurrency", "stack"]  # fmt: skip


def _feeds(t: pd.DataFrame, subjects: list[Subject]) -> NDArray[np.bool]:
    """Rows that fits may use: a fifth of the networks by name, a third of the language models' runs by what they are."""
    network = np.array([s.is_network for s in subjects] or [False])[t["subject"].to_numpy()]
    pairs = t[["workload", "stack"]].itertuples(index=False, name=None)
    names = np.array([claim.feeds_fit(name, claim.FED_OF_FEW.get(stack, claim.FED)) for name, stack in pairs], bool)
    runs = [
        claim.feeds_fit(" ".join(map(str, run)), claim.FED_OF_FEW.get(run[-1], claim.FED_RUNS))
        for run in t[RUN].itertuples(index=False, name=None)
    ]
    by_name = network & ~t["stack"].str.endswith(claim.NETWORKS).to_numpy(bool)
    return np.where(by_name, names, np.array(runs, bool))


def _mark(t: pd.DataFrame, rows: "pd.Series[bool]", reason: str) -> None:
    t.loc[rows & (t["skip"] == ""), "skip"] = reason


def _distinct(column: "pd.Series[str]", function: Callable[[str], str]) -> "pd.Series[str]":
    return column.map({text: function(text) for text in column.unique()})


def _subjects(t: pd.DataFrame, beside: Mapping[str, Architecture], lookup: Lookup) -> list[Subject]:
    """Adds ``subject`` (an index); rows that carry their own three numbers are networks, whatever their name."""
    subjects: list[Subject] = []
    index: dict[tuple[object, ...], int] = {}
    codes = np.full(len(t), -1)
    columns = ["workload", "image_size", "params_m", "gmacs", "mactivations"]
    for i, key in enumerate(t[columns].fillna(0.0).itertuples(index=False, name=None)):
        if key not in index:
            index[key] = len(subjects)
            subjects.append(_subject(_Named(*key), beside, lookup))
        codes[i] = index[key]
    t["subject"] = codes
    unknown = np.array([s.architecture is None and not s.is_network for s in subjects] or [True])
    named = t["workload"].where(t["workload"].str.contains("/") == 0, t["workload"].str.split("/").str[0] + "/…")
    t.loc[unknown[codes] & (t["skip"] == ""), "skip"] = "unknown workload " + named
    return subjects


class _Named(NamedTuple):
    """What a row says of its workload: numbers in millions and 1e9, 0 where it has none."""

    workload: str
    image: str
    params_m: float
    gmacs: float
    mactivations: float


def _subject(row: _Named, beside: Mapping[str, Architecture], lookup: Lookup) -> Subject:
    if row.workload in beside:
        return Subject(architecture=beside[row.workload])
    if row.gmacs > 0:
        return Subject(network=lookup.described(row.workload, row.image, _network(row)))
    found = lookup.network(row.workload, row.image, row.params_m)
    if found is not None:
        return Subject(network=found)
    try:
        workload = lookup.workload(row.workload)
        requests = workload.requests
        if workload.of:
            workload = lookup.workload(workload.of)
    except InputError:
        return Subject()
    return Subject(workload.architecture, workload.network, requests, workload if workload.graph else None)


def _network(row: _Named) -> Network:
    given = "the row itself"
    activations = Figure(row.mactivations * 1e6, given) if row.mactivations > 0 else None
    return Network(Figure(row.params_m * 1e6, given), Figure(row.gmacs * 1e9, given), activations)


def _settings(t: pd.DataFrame, subjects: list[Subject], lookup: Lookup) -> list[Setting]:
    """Adds ``setting`` (an index); marks unknown hardware and precisions a device cannot compute."""
    settings: list[Setting] = []
    index: dict[tuple[str, str, str, bool, bool], int] = {}
    codes = np.full(len(t), -1)
    skips = t["skip"].to_numpy(copy=True)
    in_blocks = np.array([in_fp8_blocks(s.architecture) for s in subjects] or [False])[t["subject"].to_numpy()]
    blocks = in_blocks & (t["task"] == "inference").to_numpy()
    apart = (t["attention_dp"] > 1) | t["runs"].map(lambda runs: any(run.adp > 1 for run in runs))
    many = (t["precision"] == "fp8") & (apart | t["software"].str.contains(claim.FOR_MANY))
    many |= t["notes"].str.contains(claim.ATTENDS_APART, regex=False)
    named = zip(t["hardware"], t["precision"], t["stack"], blocks.tolist(), many.tolist(), strict=True)
    for i, key in enumerate(named):
        hardware, precision, *_ = key
        if key not in index:
            index[key] = _setting(key, settings, lookup)
        codes[i] = index[key]
        if codes[i] < 0 and not skips[i]:
            skips[i] = f"unknown hardware {hardware}" if codes[i] == -1 else f"{hardware} does not compute in {precision}"
    t["setting"], t["skip"] = codes, skips
    return settings


def _setting(key: tuple[str, str, str, bool, bool], settings: list[Setting], lookup: Lookup) -> int:
    hardware, precision, stack, blocks, many = key
    try:
        device = lookup.device(hardware)
    except InputError:
        return -1
    chosen = precision or next((p for p in ("bf16", "fp16", "int8", "fp32") if arithmetic(device, p)), "")
    if chosen not in RECIPES or not arithmetic(device, chosen):
        return -2
    stacks = (stack, *claim.UNNAMED.get(stack, ()))
    cache = stack in QUANTISED_CACHE
    settings.append(Setting(device, lookup.system(hardware), chosen, stacks, quantised_cache=cache, blocks=blocks, many=many))
    return len(settings) - 1


def virtual_stages(notes: str) -> float:
    """Interleaved pipeline stages a device, as notes say it (``VP=5``, ``stages per device 3``)."""
    match = re.search(r"\bVP=(\d+)|stages per device (\d+)", notes)
    return float(match[1] or match[2]) if match else 1.0


def recomputed(text: str, stack: str) -> int:
    """Index of policy.RECOMPUTE that a ``recompute`` text means under a stack."""
    return OPERATORS if text == "selective" and stack in BY_OPERATOR else RECOMPUTE.get(text, NONE)


def zero_stage(sharding: str) -> int:
    """ZeRO stage of a ``sharding`` text: 3 for full sharding, 1 for a distributed optimizer, 0 for plain data parallel."""
    text = sharding.lower()
    if "zero3" in text or text.startswith("fsdp"):
        return 3
    if "zero2" in text:
        return 2
    return 1 if "zero1" in text or "dist-opt" in text else 0

"""Published throughput to fits of the network law and of software stacks, by the same translation that scores it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.calibrate.fit import Range, least
from planner.calibrate.networks import fit_networks, way_of
from planner.catalogue.networks import family_of
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.model.families import network
from planner.schema.claim import FED_OF_FEW, FED_RUNS, NETWORKS
from planner.schema.coefficients import Calibration, Fit
from planner.schema.hardware import Device
from planner.validate.layouts import told
from planner.validate.predict import predict, published_batch
from planner.validate.rows import Rows
from planner.validate.tables import translated
from planner.validate.translate import Translated


def network_fits(path: Path, profiles: Profiles) -> dict[tuple[str, str], Fit]:
    """(device, stack) -> fit, for every device with enough multi-sample rows of a zoo in the table at ``path``."""
    found = translated(path, profiles)
    try:
        return _network_fits(found, found.table["feeds"].to_numpy(bool))
    except ValueError as error:
        raise InputError(str(error), where=str(path)) from None


def _network_fits(found: Translated, feeds: NDArray[np.bool]) -> dict[tuple[str, str], Fit]:
    """The same from the rows that ``feeds`` (N,) marks; raises ValueError where those are too few.

    Accelerators of one family share a fit: their zoos are small, and what differs between them stands in their datasheets.
    """
    t = found.table
    of_network = np.array([s.network is not None for s in found.subjects])[t["subject"]]
    usable = (t["skip"] == "") & of_network & t["metric"].isin(["samples_per_s", "queries_per_s"])
    usable &= t["scenario"] != "singlestream"
    fits: dict[tuple[str, str], Fit] = {}
    for (of, stack), rows in t[usable].groupby([_together(found)[usable], "stack"]):
        index = t.index.get_indexer(rows.index)
        r = Rows(found, index, lambda _: None)
        batch = published_batch(r)
        seconds = batch * r.number("devices") / rows["value"].to_numpy(float)
        pass_ = network.step if rows["task"].iloc[0] == "training" else network.forward
        ops = pass_(r.networks(), r.base.with_(batch=batch))
        source = f"{rows['source'].iloc[0]}, {rows['ref'].iloc[0].split('#')[0]}"
        latency = (rows["scenario"] == "single_thread").to_numpy()
        try:
            fit = fit_networks(ops, r.machine, seconds, feeds[index], latency, str(stack), source)
        except ValueError as error:
            raise ValueError(f"{of}: {error}") from None
        fits |= {(device, str(stack)): fit for device in rows["hardware"].unique()}
    return fits


FOLDS = 8


def families_left_out(path: Path, profiles: Profiles) -> pd.DataFrame:
    """Networks of a table, each estimated by fits that saw no network whose name begins with the same letters."""
    found = translated(path, profiles)
    t = found.table
    fold = t["workload"].map(lambda name: int.from_bytes(sha256(family_of(name).encode()).digest()[:8], "big") % FOLDS).to_numpy()
    done = []
    for held in sorted(set(fold)):
        fits = _network_fits(found, t["feeds"].to_numpy(bool) & (fold != held))
        rows = Translated(t[fold == held].copy(), found.settings, found.subjects)
        done.append(predict(rows, lambda id, fits=fits: _with_networks(profiles.calibration(id), id, fits)))  # type: ignore[misc]
    return pd.concat(done)


def _with_networks(plain: Calibration | None, id: str, fits: dict[tuple[str, str], Fit]) -> Calibration | None:
    """A calibration whose networks are those of the device's trial fits, and no others."""
    laws = {law: kept for law, kept in plain.laws.items() if law != "network"} if plain else {}
    own = {stack: fit for (device, stack), fit in fits.items() if device == id}
    return Calibration(id, "device" if own else plain.covers if plain else "kind", {}, {**laws, "network": own})


def _together(found: Translated) -> "pd.Series[str]":
    """Whose networks feed one fit: a device's; of zoos of few networks all of its family's, of still fewer its kind's."""
    t = found.table
    return t["hardware"].where(~t["stack"].map(lambda stack: way_of(stack).shared), _whose(found))


def _whose(found: Translated) -> "pd.Series[str]":
    """The family of each row's device, or its kind where runs of a stack are few."""
    return found.of_device("family").where(~found.table["stack"].str.endswith(NETWORKS), found.of_device("kind"))


TRAINING = ("compute", "straggle", "communication", "attention", "elementwise", "experts", "dispatch")
INFERENCE = (
    "compute", "decode_step", "sequence", "prefill_step", "experts", "attention", "dispatch", "arithmetic", "communication",
    "apart",
)  # fmt: skip
NETWORK = ("compute", "server", "decode")
SHARE = Range(0.95, 0.2, 1.5)
RANGES = {
    "sequence": Range(5e-6, 1e-8, 1e-3),
    "straggle": Range(5e-3, 1e-6, 0.1), "prefill_step": Range(2e-3, 1e-6, 0.05),
    "decode_step": Range(2e-3, 1e-6, 0.01),
}  # fmt: skip
SHARES = {"communication": Range(0.95, 0.2, 5.0)}
PULL = (
    0.5  # towards 1 for every share, in units of the loss (an error of 10 %) by square of the logarithm: few runs, no wild shares
)
ON_HOST = ("sequence", "prefill_step", "decode_step")
DRAG = 1.0
"""Down to what is usual for every time on the host, by square of the logarithm, in units of the loss of one run: a time that few
runs tell from the speed of kernels would take up what else is wrong with those. Usual is where the range starts."""
NEVER = np.log(5.0)
"""The error of a run that a trial's coefficients make impossible, as where no load keeps a latency limit."""
PULLS = {"decode": 0.05}
"""... where what stands for a kernel is known less well: attention of one query was timed in language models' kernels only."""
FAR = 3.0  # units of the loss from which an error counts ever less: published runs have a tail that no law is to bend to
EACH = 3
"""Runs that must feed a fit for each coefficient it may move."""


def engine_fits(paths: Sequence[Path], profiles: Profiles) -> dict[tuple[str, str], Fit]:
    """(family, stack) -> what that stack keeps of its kernels' speed, and its time on the host, from runs of language models and
    of networks known operation by operation; the runs of networks are so few that one set holds for a kind of device.

    A third of the runs, by the hash of what they are, feeds a fit; the error is that on the others. Stacks with fewer
    than EACH such runs have none.
    """
    fits = {key: _engine_fit(*key, runs, profiles) for key, runs in _runs(paths, profiles).items()}
    return {key: fit for key, fit in fits.items() if fit is not None}


def _token(profiles: Profiles) -> dict[str, float]:
    """What a token of a network that makes them one after another costs the host: what one of a sequence costs in vLLM, which
    serves such networks too, by the calibration with the most of language models' runs; networks' own are too few to tell.
    """
    engines = (c.laws.get("engine", {}) for c in map(profiles.calibration, profiles.ids("calibration")) if c)
    known = [e["vllm"] for e in engines if "vllm" in e and "sequence" in e["vllm"].coefficients]
    return {"sequence": max(known, key=lambda fit: fit.points).coefficients["sequence"]} if known else {}


def run_on(paths: Sequence[Path], profiles: Profiles) -> dict[str, list[Device]]:
    """Family -> the devices whose runs of language models could feed the fits of its stacks."""
    found: dict[str, dict[str, Device]] = {}
    for (family, stack), runs in _runs(paths, profiles).items():
        for f in runs if not stack.endswith(NETWORKS) else ():
            devices = [f.settings[i].device for i in f.table["setting"].unique()]
            found.setdefault(family, {}).update({d.id: d for d in devices})
    return {family: list(devices.values()) for family, devices in found.items()}


def runs_left_out(path: Path, profiles: Profiles, column: str) -> pd.DataFrame:
    """Language models' runs of a file, estimated by fits that saw none of the same value of ``column``; networks by family."""
    return families_left_out(path, profiles) if column == "family" else left_out(path, profiles, column)


def left_out(path: Path, profiles: Profiles, column: str) -> pd.DataFrame:
    """Runs of a table, each estimated with its stack's fit to the runs of all other values of ``column``; where those are too
    few for a fit, without one.
    """
    found = []
    for (family, stack), runs in _runs([path], profiles).items():
        for value in sorted({v for f in runs for v in f.table[column].unique()}):
            others = _where(runs, lambda t, v=value: t[column] != v)  # type: ignore[misc]
            fit = _engine_fit(family, stack, others, profiles) if others else None
            own = _where(runs, lambda t, v=value: t[column] == v)  # type: ignore[misc]
            found.append(_estimated(own, family, {stack: fit} if fit else {}, profiles))
    return pd.concat(found) if found else pd.DataFrame(columns=["value", "estimate"])


def _runs(paths: Sequence[Path], profiles: Profiles) -> dict[tuple[str, str], list[Translated]]:
    """(family or kind, stack) -> the runs that could feed its fit, table by table; not those of networks known by sums."""
    tables = [predict(translated(path, profiles), profiles.calibration) for path in paths]
    found = [translated(path, profiles) for path in paths]
    runs: dict[tuple[str, str], list[Translated]] = {}
    for t, f in zip(tables, found, strict=True):
        families = _whose(f)
        summed = t["kind"].isin(["network", "accelerator"]) & ~f.by_operations()
        usable = t["estimate"].notna() & ~summed & (t["stack"] != "default")
        whole = t["scenario"] != "concurrency_disaggregated"
        usable &= whole | (told(f.table) & (t["metric"] == "tpot_s"))  # what comes before decoding is not the engine's alone
        for key, rows in t[usable].groupby([families[usable], "stack"]):
            runs.setdefault((str(key[0]), str(key[1])), []).append(Translated(f.table.loc[rows.index], f.settings, f.subjects))
    return runs


def _engine_fit(family: str, stack: str, runs: list[Translated], profiles: Profiles) -> Fit | None:
    fixed = _token(profiles) if stack.endswith(NETWORKS) else {}
    timed = _where(runs, lambda t: t["metric"] != "ttft_s")
    fed, unseen = _where(timed, lambda t: t["feeds"]), _where(timed, lambda t: ~t["feeds"])
    training = any((f.table["task"] == "training").any() for f in timed)
    inference = NETWORK if stack.endswith(NETWORKS) else INFERENCE
    names = TRAINING if training else tuple(n for n in inference if n != "sequence" or _crowded(fed))

    def errors(values: dict[str, float], tables: list[Translated]) -> NDArray[Any]:
        t = _estimated(tables, family, {stack: Fit({**fixed, **values}, "trial")}, profiles)
        return np.nan_to_num(np.log((t["estimate"] / t["value"]).to_numpy(float)), nan=NEVER)

    if not fed:
        return None
    plain = errors({}, fed)
    names = tuple(name for name in names if not np.array_equal(errors({name: 0.5}, fed), plain))
    names = names[: sum(len(f.table) for f in fed) // EACH]
    if not names:
        return None

    ranges = [RANGES.get(name) or SHARES.get(name, SHARE) for name in names]
    pull = np.array([0.0 if name in RANGES else PULLS.get(name, PULL) for name in names])
    drag = np.array([DRAG if name in ON_HOST else 0.0 for name in names]) / sum(len(f.table) for f in fed)
    usual = np.log([r.start for r in ranges])

    def loss(x: NDArray[Any]) -> float:
        values = dict(zip(names, np.exp(x).tolist(), strict=True))
        each = [np.mean(FAR**2 * np.log1p((errors(values, [f]) / 0.1 / FAR) ** 2) / 2) for f in fed]
        told = np.sum(pull * x**2) + np.sum(drag * np.maximum(0.0, x - usual) ** 2)
        return float(np.average(each, weights=[np.sqrt(len(f.table)) for f in fed]) + told)

    best = least(loss, ranges)
    values = {**fixed, **{name: float(f"{value:.4g}") for name, value in zip(names, best, strict=True)}}
    off = np.abs(np.expm1(errors(values, unseen))) if unseen else np.zeros(1)
    first = _where(_where(runs, lambda t: t["metric"] == "ttft_s"), lambda t: t["feeds"])
    if sum(len(f.table) for f in first) >= EACH:
        values |= _first_token(lambda more: _estimated(first, family, {stack: Fit({**values, **more}, "trial")}, profiles))
    points, source = sum(len(f.table) for f in fed), "; ".join(sorted({str(f.table["source"].iloc[0]) for f in timed}))
    share = {2: "half", 3: "a third"}[FED_OF_FEW.get(stack, FED_RUNS)]
    taken = f"; {', '.join(fixed)} of vLLM's" if fixed else ""
    note = f"{share} of the runs; median error {np.median(off):.3f} on {len(off)} others{taken}"
    return Fit(values, source, points, round(float(np.mean(np.minimum(off, 5))), 4), note)


CROWD = 256.0
"""Sequences at once from which a cost for each shows: what small batches say of it is far off at large ones."""


def _crowded(runs: list[Translated]) -> bool:
    """Whether any run had a crowd: as many at once as fit, or a batch or so many clients of at least CROWD."""
    return any(
        (f.table["scenario"].isin(["offline", "server"]) | (f.table[["batch", "concurrency"]].max(axis=1) >= CROWD)).any()
        for f in runs
    )


def _where(runs: list[Translated], rows: Callable[[pd.DataFrame], "pd.Series[bool]"]) -> list[Translated]:
    """The rows of each table that a condition holds for; tables it leaves empty are dropped."""
    cut = [Translated(f.table[rows(f.table)], f.settings, f.subjects) for f in runs]
    return [f for f in cut if len(f.table)]


def _estimated(tables: list[Translated], family: str, engine: dict[str, Fit], profiles: Profiles) -> pd.DataFrame:
    """All rows estimated with ``engine`` in place of what the family's calibration says of stacks."""

    def trial(id: str) -> Calibration | None:
        plain = profiles.calibration(id)
        if id != family:  # what the shipped fits of stacks lend to devices alike would let the runs in again
            laws = {law: fits for law, fits in plain.laws.items() if law != "engine"} if plain else {}
            return replace(plain, laws=laws) if plain else None
        return Calibration(family, "family", {}, {**(plain.laws if plain else {}), "engine": engine})

    return pd.concat([predict(Translated(f.table.copy(), f.settings, f.subjects), trial) for f in tables])


REQUESTS = np.concatenate([[0.0], np.geomspace(1e-3, 0.5, 60)])
LAUNCHES = np.concatenate([[0.0], np.geomspace(1e-6, 3e-4, 40)])
BURSTS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.35, 0.5, 0.75, 1.0)


def _first_token(estimated: Callable[[dict[str, float]], pd.DataFrame]) -> dict[str, float]:
    """What brings estimated times to first token nearest to the published ones: the share of the requests that come at once,
    seconds before the first pass and for each kernel of it, which both add.
    """
    found = []
    for burst in BURSTS:
        t = estimated({"burst": burst})
        value, plain = (t[name].to_numpy(float)[:, None, None] for name in ("value", "estimate"))
        kernels = estimated({"burst": burst, "launch": 1.0})["estimate"].to_numpy(float)[:, None, None] - plain
        off = np.nanmean(np.abs(np.log((plain + REQUESTS[:, None] + LAUNCHES * kernels) / value)), axis=0)
        i, j = np.unravel_index(int(np.argmin(off)), off.shape)
        found.append((float(off.min()), burst, float(f"{REQUESTS[i]:.3g}"), float(f"{LAUNCHES[j]:.3g}")))
    return dict(zip(("burst", "request", "launch"), min(found)[1:], strict=True))

"""What a device without measurements borrows from others, and how far off that would be for those that were measured.

Coefficients are relative to datasheet peaks, bandwidth, cache and compute units, so that the borrower's own figures scale
them: waves move with its units, the step out of the cache with its cache; shares of the peaks stay, and times to start
kernels carry over. A surface corrects such a formula by size, and is borrowed like a coefficient.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from planner.calibrate.case import Case
from planner.schema.coefficients import EVERY, STEP, Calibration, Fit
from planner.schema.hardware import Device, Dtype

WHOLE = ("network", "engine")
"""Laws whose coefficients mean something only together: a borrower takes one member's set, the middle one's."""
POWERED: dict[str, Dtype] = {"default": "bf16", "fp16_sums": "fp16_sums"}
"""Variants of the law of power, and the peak that each goes by."""
TRAINING = "-train"
"""Behind the name of a stack that serves and trains: what it is in training is no default for serving."""
Member = tuple[Device, Calibration]


@dataclass(frozen=True)
class Transferred:
    """A law of a device predicted by others alone: mean and median absolute relative error on all of its measurements."""

    device: str
    law: str
    variant: str
    lender: str
    covers: str
    points: int
    error: float
    median: float


def lent(members: Sequence[Member]) -> list[Calibration]:
    """What families, devices alike (one vendor, one kind of memory), kinds, and all devices lend."""
    families = {name: borrowed(name, "family", some) for name, some in _grouped((d.family, c) for d, c in members).items()}
    families = {name: _powered(family, _kernels(name, members)) for name, family in families.items()}
    alike = _grouped((name, families[family]) for name, family in dict.fromkeys((d.alike, d.family) for d, _ in members))
    found = [*families.values(), *(borrowed(name, "kind", map(_operators, some)) for name, some in alike.items())]
    kinds = _grouped([(d.kind, c) for d, c in members] + [(EVERY, c) for _, c in members])
    lenders = {name: _hosted(borrowed(name, "kind", some), members) for name, some in kinds.items()}
    found += [_straight(c) if c.id == EVERY else c for c in lenders.values()]
    return [c for c in found if c.laws]


def _hosted(kind: Calibration, members: Sequence[Member]) -> Calibration:
    """With how a host's cards share its bus: the median of the hosts whose cards have nothing else between them."""
    own = [(d, c.laws.get("collective", {}).get("default")) for d, c in members if d.kind == kind.id]
    shares = [fit.coefficients["g"] for d, fit in own if fit and all(link.kind.startswith("PCIe") for link in d.links)]
    if not shares:
        return kind
    host = Fit({"g": float(f"{np.median(shares):.4g}")}, "siblings", len(shares))
    return replace(kind, laws={**kind.laws, "collective": {**kind.laws["collective"], "host": host}})


def _kernels(family: str, members: Sequence[Member]) -> list[Device]:
    """The family's devices whose kernels were timed; all of them where only whole networks were."""
    own = [(d, c) for d, c in members if d.family == family]
    return [d for d, c in own if set(c.laws) - set(WHOLE)] or [d for d, _ in own]


def _powered(family: Calibration, devices: Sequence[Device]) -> Calibration:
    products = family.laws.get("matmul", {}).get("bf16")
    law = power(devices, products.coefficients["e"] if products else 1.0)
    return replace(family, laws={**family.laws, "power": law}) if law else family


def power(devices: Sequence[Device], e: float) -> dict[str, Fit]:
    """The law of power by variant: what the devices measured for a family may draw for their peak, by their datasheets, of which
    their products reach a share ``e``.
    """
    most = {"most": float(f"{1 / e:.4g}")} if e < 1 else {}
    law = {}
    for variant, dtype in POWERED.items():
        given = [d.tdp.value / d.peak[dtype].value for d in devices if d.tdp and dtype in d.peak and d.kind == "gpu"]
        if given:
            law[variant] = Fit({"watts": float(f"{np.median(given):.4g}"), **most}, "siblings", len(given))
    return law


def shared_stacks(families: Sequence[tuple[Sequence[str], Calibration]]) -> list[Calibration]:
    """What a software stack keeps of its kernels where it was not measured: of the families it was, the middle one's set.

    families: the names that a family lends under (of devices alike, of their kind), and its calibration.
    """
    groups = _grouped((name, c) for names, c in families for name in names)
    found = []
    for name, members in groups.items():
        stacks = dict.fromkeys(stack for m in members for stack in m.laws.get("engine", {}) if stack != "default")
        fits = {s: _middle([m.laws["engine"][s] for m in members if s in m.laws.get("engine", {})]) for s in stacks}
        if fits:
            source = {"stacks": f"the middle one of the stack's fits on {', '.join(m.id for m in members if 'engine' in m.laws)}"}
            found.append(Calibration(name, "kind", source, {"engine": {s: f.cited("stacks") for s, f in fits.items()}}))
    return found


def _straight(every: Calibration) -> Calibration:
    """Formulas alone: surfaces are the ways of GPU kernels, and who borrows from all devices is another kind of chip."""
    return replace(every, laws={law: {v: replace(f, surface=()) for v, f in fits.items()} for law, fits in every.laws.items()})


def borrowed(name: str, covers: Literal["family", "kind"], members: Iterable[Calibration]) -> Calibration:
    """The median, over ``members``, of each coefficient and of each value of the surface, law by law."""
    members = list(members)
    laws: dict[str, dict[str, Fit]] = {}
    for law in dict.fromkeys(law for m in members for law in m.laws):
        for variant in dict.fromkeys(v for m in members for v in m.laws.get(law, {})):
            fits = [m.laws[law][variant] for m in members if variant in m.laws.get(law, {})]
            laws.setdefault(law, {})[variant] = _middle(fits) if law in WHOLE else _median(fits)
    for law in WHOLE:  # laws by software stack: a stack nobody measured here borrows from all of them
        if law in laws:
            laws[law]["default"] = _middle(
                [fit for m in members for stack, fit in m.laws.get(law, {}).items() if not stack.endswith(TRAINING)]
            )
    sources = {"siblings": f"median of the calibrations of {', '.join(m.id for m in members)}"}
    return Calibration(name, covers, sources, laws)


def transfer(members: Sequence[Member], cases: Mapping[str, Sequence[Case]]) -> list[Transferred]:
    """Every device (id -> its cases) predicted from all other members: from its family where it has siblings, and from its kind.

    Between the two, what devices alike lend is shown where no sibling lends.
    """
    found = []
    for device, _ in members:
        loans = {c.id: c for c in lent([m for m in members if m[0].id != device.id])}
        for case in cases.get(device.id, ()):
            able = [
                loans[id]
                for id in (device.family, device.alike, device.kind)
                if id in loans and case.variant in loans[id].laws.get(case.law, {})
            ]
            for lender in {c.id: c for c in (*able[:1], *able[-1:])}.values():
                fit = lender.laws[case.law][case.variant]
                off = case.off(fit.coefficients, fit.surface)
                error, median = float(off.mean()), float(np.median(off))
                found.append(Transferred(device.id, case.law, case.variant, lender.id, lender.covers, len(off), error, median))
    return found


def _grouped(pairs: Iterable[tuple[str, Calibration]]) -> dict[str, list[Calibration]]:
    groups: dict[str, list[Calibration]] = {}
    for name, calibration in pairs:
        groups.setdefault(name, []).append(calibration)
    return groups


def _operators(calibration: Calibration) -> Calibration:
    return replace(calibration, laws={law: fits for law, fits in calibration.laws.items() if law not in WHOLE})


def _middle(fits: list[Fit]) -> Fit:
    ordered = sorted(fits, key=lambda f: next(iter(f.coefficients.values())))
    return replace(_bare(fits), coefficients=ordered[len(ordered) // 2].coefficients)


def _median(fits: list[Fit]) -> Fit:
    names = [n for n in fits[0].coefficients if all(n in f.coefficients for f in fits)]
    middle = {n: float(f"{np.median([f.coefficients[n] for f in fits]):.4g}") for n in names}
    size = Counter(len(f.surface) for f in fits).most_common(1)[0][0]
    surface = np.median([f.surface for f in fits if len(f.surface) == size], axis=0)
    return replace(_bare(fits), coefficients=middle, surface=tuple((STEP * np.rint(surface / STEP)).astype(int).tolist()))


def _bare(fits: list[Fit]) -> Fit:
    return Fit({}, "siblings", sum(f.points for f in fits))

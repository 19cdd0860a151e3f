"""What changed between two decisions, and why: results as ``--format json`` writes them, as decoded JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LITTLE = 1e-6
"""Share below which two figures count as equal."""


@dataclass(frozen=True)
class Changed:
    """One option in both: its figures before and after (NaN where not known), why it is out, and which of its inputs changed."""

    label: str
    cost: tuple[float, float]
    throughput: tuple[float, float]
    rejected: tuple[str, str]
    rank: tuple[int, int]
    because: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """All that differs: the choice, what both were made from, and the options that changed, came and went."""

    choices: tuple[str, str]
    headlines: tuple[str, str]
    inputs: tuple[tuple[str, str, str], ...]
    """Name, before, after: versions, hashes, goal, currency."""
    changed: tuple[Changed, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing at all differs."""
        return not (self.inputs or self.changed or self.came or self.went or self.choices[0] != self.choices[1])


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """Of two results; options are the same where provider, offer and term are."""
    old, new = (_options(result) for result in (before, after))
    made = [_changed(old[key], new[key]) for key in new if key in old]
    changed = [c for c, differs in made if differs]
    changed.sort(key=lambda c: min(c.rank))
    verdicts = before["verdict"], after["verdict"]
    return Difference(
        (verdicts[0]["choice"], verdicts[1]["choice"]), (verdicts[0]["headline"], verdicts[1]["headline"]),
        tuple(_inputs(before, after)), tuple(changed),
        tuple(c["label"] for key, (c, _) in new.items() if key not in old),
        tuple(c["label"] for key, (c, _) in old.items() if key not in new),
    )  # fmt: skip


def _options(result: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[Mapping[str, Any], int]]:
    """Candidates with their rank; of those of one offer and term (in several regions) each by its region too."""
    found: dict[tuple[str, ...], tuple[Mapping[str, Any], int]] = {}
    for rank, c in enumerate(result["candidates"], 1):
        key = (c["provider"], c["offer"], c["term"])
        found[key if key not in found else (*key, c["region"], str(rank))] = (c, rank)
    return found


def _inputs(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    pairs: list[tuple[str, str, str]] = []
    for group in ("versions", "hashes"):
        names = dict.fromkeys([*before.get(group, {}), *after.get(group, {})])
        pairs += [(name, before.get(group, {}).get(name, ""), after.get(group, {}).get(name, "")) for name in names]
    pairs += [
        (name, str(before.get(name, "")), str(after.get(name, ""))) for name in ("goal", "workload", "currency", "cost_period")
    ]
    return [(name, one, other) for name, one, other in pairs if one != other]


def _changed(old: tuple[Mapping[str, Any], int], new: tuple[Mapping[str, Any], int]) -> tuple[Changed, bool]:
    (a, rank_a), (b, rank_b) = old, new
    cost, throughput = ((_figure(a[name]), _figure(b[name])) for name in ("cost", "throughput"))
    made = Changed(b["label"], cost, throughput, (a["rejected"], b["rejected"]), (rank_a, rank_b), tuple(_because(a, b)))
    differs = not (_equal(*cost) and _equal(*throughput)) or bool(a["rejected"]) != bool(b["rejected"])
    return made, differs


def _figure(estimate: Mapping[str, Any]) -> float:
    value = estimate["value"]
    return math.nan if value is None else float(value)


def _equal(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=LITTLE)


def _because(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """The cited inputs that differ, in words; layout and precision where the search now prefers another."""
    old, new = ({c["what"]: c for c in x["cited"]} for x in (a, b))
    said = []
    for what in dict.fromkeys([*old, *new]):
        one, other = old.get(what), new.get(what)
        if one and other and one["value"] == other["value"]:
            if what.startswith("coefficients of") and one != other:
                said.append(f"{what}: calibrated again")
            continue
        said.append(f"{what}: {one['value'] if one else 'not used'} → {other['value'] if other else 'not used'}")
    if a["precision"] != b["precision"]:
        said.append(f"precision: {a['precision'] or 'none'} → {b['precision'] or 'none'}")
    if a["layout"] != b["layout"]:
        said.append("another layout is the best now")
    if a["instances"] != b["instances"]:
        said.append(f"instances: {a['instances']} → {b['instances']}")
    return said

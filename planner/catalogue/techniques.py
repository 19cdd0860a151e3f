"""A plan asked again with each technique: ``planner/data/techniques.yaml`` merged into its text."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from planner.catalogue.document import parse
from planner.catalogue.models import find_workload
from planner.catalogue.plan import read_plan
from planner.catalogue.profiles import Profiles
from planner.catalogue.tables import techniques
from planner.errors import InputError, unknown
from planner.schema.inputs import Inputs
from planner.schema.technique import Technique, Variant

BASE: dict[str, dict[str, Any]] = {
    "workload": {"precision": ["bf16", "fp16"], "sparsity": ""},
    "serve": {"kv_cache": "bf16", "disaggregated": False, "prefix_hit": 0, "speculation": None},
}
"""What a plan is asked with before anything is done: 16 bits, nothing shared, nothing guessed."""
FALLBACK = ["fp8", "int8", "bf16", "fp16"]
"""Precisions of all techniques together, where a device lacks one."""
ALL = "all"
OWN = ("prefix_hit", "speculation")
"""What a plan may know better than the table of techniques."""


def variants(inputs: Inputs, path: Path, profiles: Profiles, wanted: Sequence[str]) -> list[Variant]:
    """The base, each technique of ``wanted`` alone ("all" for every one), smaller models, and what goes together.

    Where the plan itself says how much prompts share or what guesses hold, that is taken. InputError for an unknown one.
    """
    if inputs.plan.serve is None:
        raise InputError("techniques are compared for serving; the plan asks something else", where=str(path))
    known = techniques()
    for name in wanted:
        if name not in known.techniques and name != ALL:
            raise unknown("technique", name, [ALL, *known.techniques])
    raw = parse(inputs.plan_text, str(path))
    chosen = {id: _own(t, raw) for id, t in known.techniques.items() if ALL in wanted or id in wanted}
    base = Variant("base", "16 bits, nothing else", "", "", _asked(inputs, raw, path, BASE))
    made = [base]
    for id, t in chosen.items():
        asked = _asked(inputs, raw, path, BASE, t.changes)
        made.append(Variant(id, t.name, t.caution, t.source, asked, t.reverse))
    for s in known.smaller.get(inputs.workload.id, ()) if ALL in wanted else ():
        small = replace(base.inputs, workload=find_workload(s.model, profiles, path.parent))
        made.append(Variant(f"smaller-{s.model}", f"{small.workload.name} instead", s.score, s.source, small))
    joint = [t for t in chosen.values() if t.together]
    if len(joint) > 1:
        asked = _asked(inputs, raw, path, BASE, *(t.changes for t in joint), {"workload": {"precision": FALLBACK}})
        names = ", ".join(t.name for t in joint)
        made.append(Variant("together", "together", f"those of: {names}", "", asked))
    return made


def _own(technique: Technique, raw: dict[str, Any]) -> Technique:
    """The technique with the plan's own figures where it has them."""
    serve = raw.get("serve", {})
    given = {name: serve[name] for name in OWN if serve.get(name) and name in technique.changes.get("serve", {})}
    return (
        replace(technique, changes={**technique.changes, "serve": {**technique.changes["serve"], **given}})
        if given
        else technique
    )


def _asked(inputs: Inputs, raw: dict[str, Any], path: Path, *changes: dict[str, dict[str, Any]]) -> Inputs:
    merged = {k: dict(v) if isinstance(v, dict) else v for k, v in raw.items()}
    for change in changes:
        for part, fields in change.items():
            merged[part] = {**merged.get(part, {}), **fields}
    for part, fields in BASE.items():
        merged[part] = {k: v for k, v in merged[part].items() if v is not None or k not in fields}
    plan, _ = read_plan(path, yaml.safe_dump(merged, sort_keys=False))
    return replace(inputs, plan=plan)

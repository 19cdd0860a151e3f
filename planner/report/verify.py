"""Whether a report can be made again from the plan inside it, and where it differs if not."""

import json
import re
from dataclasses import dataclass
from typing import Any

from planner.errors import InputError
from planner.search.result import Result

_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)
_SECTION = re.compile(r'<section id="([a-z_]+)".*?</section>', re.DOTALL)
_CODE = re.compile(r"<style>.*?</style>|<script>.*?</script>|<meta http-equiv[^>]*>", re.DOTALL)
WHY = {
    "plan": "the plan in the page is not the one it was made from",
    "workload": "the model's description changed",
    "profiles": "profiles of devices or systems changed",
    "prices": "prices changed",
    "calibrations": "calibrations changed",
    "intervals": "the table of intervals changed",
}


@dataclass(frozen=True)
class Embedded:
    """What a page says it was made from."""

    plan: str
    versions: dict[str, str]
    hashes: dict[str, str]


def embedded(page: str, where: str) -> Embedded:
    """The plan and the provenance inside a page; raises InputError where it is no report of ours."""
    found = _DATA.search(page)
    try:
        data: Any = json.loads(found[1]) if found else None
        made = data["made"]
        texts = [data["plan"], *made["versions"].values(), *made["hashes"].values()]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError
        return Embedded(data["plan"], dict(made["versions"]), dict(made["hashes"]))
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError):
        hint = "Reports before schema version 2 hold no provenance: render them again."
        raise InputError("is no report that can be verified", where=where, hint=hint) from None


def differences(page: str, again: str, result: Result, said: Embedded) -> list[str]:
    """Why ``again``, made from the plan in ``page``, is not the same; empty where it is, byte for byte."""
    if page == again:
        return []
    reasons = [
        f"{name} was {said.versions.get(name, 'not recorded')}, is {version}"
        for name, version in result.versions.items()
        if said.versions.get(name) != version
    ]
    reasons += [WHY.get(name, f"{name} changed") for name, digest in result.hashes.items() if said.hashes.get(name) != digest]
    parts, others = ({m[1]: m[0] for m in _SECTION.finditer(text)} for text in (page, again))
    changed = [name for name in {**parts, **others} if parts.get(name) != others.get(name)]
    if not reasons:
        code = _CODE.sub("", page) == _CODE.sub("", again)
        reasons.append(
            "only the page's own style or scripts differ: another version of the planner's code rendered it"
            if code
            else "nothing it was made from changed: the page was edited, or another version of the planner's code rendered it"
        )
    return [*reasons, *([f"sections that differ: {', '.join(changed)}"] if changed else [])]

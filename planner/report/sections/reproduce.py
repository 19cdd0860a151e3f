"""How to make this report again."""

from planner.report.text import brief, visible
from planner.search.result import Result

ORDER = 110
TITLE = "Reproduce"
LIMIT = 60_000


def context(result: Result) -> dict[str, object]:
    """The plan as it was written, the command, versions and hashes."""
    plan = visible(result.plan_text)
    return {
        "plan": plan if len(plan) <= LIMIT else plan[:LIMIT] + "\n# … cut here: the plan is too long to show",
        "command": "planner report plan.yaml",
        "versions": [(brief(k, 60), brief(v, 80)) for k, v in result.versions.items()],
        "hashes": [(brief(k, 60), brief(v, 90)) for k, v in result.hashes.items()],
    }

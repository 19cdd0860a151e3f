"""``planner own``: renting against owning over the plan's horizon."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, about, answer, dump, plan_text, profiles, progress, table
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.search.result import Ownership, Result, Way

EXAMPLES = "Examples: planner own reports/own-64-h100/plan.yaml; planner own plan.yaml --format json"


def command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan (YAML) that allows several terms; - reads stdin.")],
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Compare renting with owning: present value, cost of an hour of use, and when owning has paid."""
    from dataclasses import asdict

    from planner.catalogue.plan import gather, read_plan
    from planner.decide.decision import decide

    text, path = plan_text(plan)
    read, _ = read_plan(path, text)
    with about(path), progress("layouts") as tick:
        result = decide(gather(read, text, path, profiles(profiles_dir)), tick)
    found = result.ownership
    if found is None:
        hint = "Allow more in hardware.terms: on_demand, spot, reserved_1y, reserved_3y, owned."
        raise InputError(
            "fewer than two terms have an offer that can do it, so there is nothing to compare", where=str(path), hint=hint
        )
    shown = {"schema_version": result.schema_version, "title": result.title, "currency": result.currency, **asdict(found)}
    answer(format, lambda: dump(shown), lambda: _text(result, found))


def _text(r: "Result", o: "Ownership") -> str:
    from planner import units

    money = [[units.money(x, r.currency) for x in (w.upfront, w.monthly, w.npv, w.per_hour)] for w in o.ways]
    whens = [("–" if w.break_even_month is None else str(w.break_even_month)) if w.term != "owned" else "" for w in o.ways]
    uses = [("–" if w.break_even_use is None else f"{100 * w.break_even_use:.0f} %") if w.term != "owned" else "" for w in o.ways]
    rows = [[w.label, w.provider, *m, when, use] for w, m, when, use in zip(o.ways, money, whens, uses, strict=True)]
    header = [
        "way",
        "provider",
        "at once",
        "a month",
        "present value",
        "a device hour",
        "owning pays from month",
        "from a use of",
    ]
    months = range(0, o.months + 1, max(1, o.months // 6))
    spent = [[w.label, *(units.money(w.cumulative[m], r.currency) for m in months)] for w in o.ways]
    made = _made(r, next((w for w in o.ways if w.label == o.owned), None))
    return "\n\n".join([
        f"{r.title}\n{r.goal}",
        table(header, rows, "llrrrrrr"),
        f"Spent by the end of a month, in today's money:\n{table(['way', *map(str, months)], spent, 'l' + 'r' * len(months))}",
        *made,
        "\n".join(o.said),
        "\n".join([*r.assumptions, *r.exclusions]),
    ])  # fmt: skip


def _made(r: "Result", way: "Way | None") -> list[str]:
    """What the owned way takes by part, as a table."""
    from planner import units

    if way is None:
        return []
    rows: list[list[str]] = []
    for title, parts in (("at once", way.once), ("a month", way.each)):
        amounts, total = units.addends(list(parts.values()), r.currency)
        rows += [[title if i == 0 else "", part, amount] for i, (part, amount) in enumerate(zip(parts, amounts, strict=True))]
        rows.append(["", "sum", total])
    return [f"{way.label}:\n" + table(["", "part", "amount"], rows, "llr")]

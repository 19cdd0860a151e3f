"""``planner lifetime``: how large a model should be that is trained once and then served for months."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.common import ProfilesOption, about, plan_text, profiles, progress, say, table, write
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.search.result import Result

EXAMPLES = """Examples: planner lifetime plan.yaml; planner lifetime --model llama-3.1-8b --queries '20 million' --months 24
--train-on nvidia-h100-sxm-x8 --serve-on nvidia-l40s-x8; planner init lifetime writes a plan; planner report makes the page."""
Texts = list[str] | None


class Kind(StrEnum):
    """How figures are printed."""

    table = "table"
    json = "json"
    csv = "csv"


def command(
    plan: Annotated[Path | None, typer.Argument(metavar="[PLAN]", help="A plan with 'lifetime:', - for stdin; or flags.")] = None,
    model: Annotated[str, typer.Option(help="The model to start from: a zoo id or config.json.")] = "",
    queries: Annotated[str, typer.Option(help="Queries a day, e.g. '5 million'.")] = "1 million",
    months: Annotated[str, typer.Option(help="How long the model serves.")] = "24",
    input: Annotated[int, typer.Option(help="Tokens in, a query.")] = 1000,
    output: Annotated[int, typer.Option(help="Tokens out, a query.")] = 300,
    tokens: Annotated[str, typer.Option(help="What the model is trained on; by default what suits its size best.")] = "",
    loss: Annotated[str, typer.Option(help="Loss to reach instead, nats a token.")] = "",
    trained: Annotated[bool, typer.Option("--trained", help="The model is there already: its training costs nothing.")] = False,
    law: Annotated[str, typer.Option(help="Law of loss: epoch, chinchilla or sardana.")] = "epoch",
    precision: Annotated[Texts, typer.Option(help="Serve in this precision; may be repeated, the model's own first.")] = None,
    quality: Annotated[str, typer.Option(help="Least share of its score that a compressed model keeps.")] = "99 %",
    train_on: Annotated[Texts, typer.Option(help="Only these systems for training; may be repeated.")] = None,
    serve_on: Annotated[Texts, typer.Option(help="Only these systems for serving; may be repeated.")] = None,
    term: Annotated[Texts, typer.Option(help="on_demand, spot, reserved_1y, reserved_3y, owned; may be repeated.")] = None,
    format: Annotated[Kind, typer.Option("--format", help="A table for people, JSON or CSV for programs.")] = Kind.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Total cost of training and serving over sizes, quantisation, pruning and distillation; from what traffic each pays."""
    from planner.catalogue.plan import gather, plan_from, read_plan
    from planner.decide.decision import decide
    from planner.report.export import csv_text, json_text

    if (plan is None) == (not model):
        raise InputError("give either a plan file or --model", hint=EXAMPLES)
    if plan is None:
        phases = {"training": _hardware(train_on, term), "serving": _hardware(serve_on, term)}
        given = {"tokens": tokens, "loss": loss, "trained": trained, "law": law, "quality": quality, **phases}
        life = {"queries_per_day": queries, "months": months, "input_tokens": input, "output_tokens": output, **given}
        life = {k: v for k, v in life.items() if v != ""}
        workload = {"model": model, "precision": precision or []}
        _, text, path = plan_from({"title": f"How large a model, from {model}?", "workload": workload, "lifetime": life})
        read, _ = read_plan(path, text)
    else:
        text, path = plan_text(plan)
        read, _ = read_plan(path, text)
    if read.lifetime is None:
        raise InputError(
            "has no 'lifetime:'", where=str(path), hint="planner init lifetime writes such a plan; else: planner report."
        )
    with about(path), progress("models") as tick:
        result = decide(gather(read, text, path, profiles(profiles_dir)), tick)
    if format is Kind.table:
        say(_text(result))
    else:
        write({Kind.json: json_text, Kind.csv: csv_text}[format](result), None)
    if not result.verdict.choice:
        raise typer.Exit(1)


def _hardware(systems: Texts, terms: Texts) -> dict[str, Any]:
    return {k: v for k, v in {"systems": systems, "terms": terms}.items() if v}


def _text(r: "Result") -> str:
    from planner import units
    from planner.decide.life_words import pays, steps

    assert r.life is not None
    rows = []
    for row in r.life.rows:
        money = [units.money(x, r.currency) for x in (sum(row.making.values()), row.monthly, row.total)]
        quality = f"{100 * row.quality:.1f} %" if row.quality == row.quality else "–"
        when = "(base)" if not row.pays else pays(row, r.life).replace(" queries a day", "").removesuffix(" on")
        rows.append([row.label, *money, when, quality, row.rejected or row.served_on])
    header = ["model", "making it", "serving, a month", f"{units.plainly(r.life.months)} months", "pays: queries a day",
              "quality", "served on, or why not"]  # fmt: skip
    v = r.verdict
    blocks = [f"{r.title}\n{r.goal}", table(header, rows, "lrrrlrl"), f"{v.headline}\n{v.why}"]
    blocks += ["\n".join(steps(r.life)), "\n".join(v.flips), "Mind:\n" + "\n".join(f"  {c}" for c in v.cautions)]
    return "\n\n".join(b for b in blocks if b and b != "Mind:\n")

"""``planner workloads``: the zoo of models."""

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, dump, profiles, say, table, write

app = typer.Typer(help="The models the planner knows: list and show them.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list", epilog="Example: planner workloads list")
def list_(format: FormatOption = Format.table, profiles_dir: ProfilesOption = None) -> None:
    """List the zoo with parameters and the longest context."""
    from planner.catalogue import listing
    from planner.search.work import summary

    catalogue = profiles(profiles_dir)
    rows = [summary(catalogue.workload(id)) for id in catalogue.ids("workload")]
    if format is Format.json:
        write(dump({"schema_version": 1, "rows": rows}), None)
        return
    header = list(rows[0])
    say(table(header, [[listing.cell(name, row[name]) for name in header] for row in rows], "llrrr"))


@app.command("show", epilog="Example: planner workloads show path/to/config.json")
def show(
    id: Annotated[str, typer.Argument(help="A zoo id, a config.json or a workload YAML.")],
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Show a model's sizes, its parameters by part, and the work of a prefill, a decode step and a training step."""
    from planner.catalogue.models import find_workload
    from planner.search.work import anatomy

    workload = find_workload(id, profiles(profiles_dir), Path())
    found = anatomy(workload)
    if format is Format.json:
        write(dump({"schema_version": 1, "id": workload.id, "name": workload.name, **found}), None)
        return
    from planner import units

    parts = [[k, f"{v:,.0f}"] for k, v in found["parameters"].items()]
    blocks = [workload.name, table(["parameters", ""], parts, "lr")]
    for phase, ops in found["phases"].items():
        rows = [
            [o["name"], o["kind"], f"{o['count']:,.0f}", " × ".join(f"{k} {v:,.0f}" for k, v in o["shape"].items())]
            + [
                units.show(o[k], d)
                for k, d in (("flop", "flop"), ("weight_bytes", "byte"), ("activation_bytes", "byte"), ("kv_bytes", "byte"))
            ]
            for o in ops
        ]
        blocks.append(
            f"{phase}\n"
            + table(["operator", "law", "runs", "shape", "FLOP", "weights", "activations", "KV cache"], rows, "llrlrrrr")
        )
    say("\n\n".join(blocks))

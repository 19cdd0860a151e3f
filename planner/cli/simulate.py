"""``planner simulate``: one serving configuration, request by request."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, answer, dump, profiles, progress, table
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.search.simulate import Outcome

EXAMPLES = """Examples: planner simulate llama-3.1-8b nvidia-h100-sxm-x8 --rate 10 --input 1000 --output 300;
planner simulate llama-3.3-70b nvidia-h100-sxm-x8 --tp 4 --concurrency 64;
planner simulate llama-3.1-8b nvidia-l40s --trace day.csv"""


def command(
    workload: Annotated[str, typer.Argument(help="A language model: zoo id, config.json or workload YAML.")],
    system: Annotated[str, typer.Argument(help="A system or device id: planner hardware list.")],
    tp: Annotated[int, typer.Option(min=1, help="Tensor parallel degree of the replica.")] = 1,
    precision: Annotated[str, typer.Option(help="By default fp8 where the device has it, else bf16.")] = "",
    rate: Annotated[float | None, typer.Option(min=1e-6, help="Requests a second, arriving at random (Poisson).")] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Instead: so many clients, each with one request at a time.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Instead: a CSV of arrival_time [s], input_tokens, output_tokens.")
    ] = None,
    input: Annotated[int, typer.Option(min=1, max=10_000_000, help="Tokens in, a request.")] = 1000,
    output: Annotated[int, typer.Option(min=1, max=1_000_000, help="Tokens out, a request.")] = 300,
    requests: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many to simulate.")] = 10_000,
    max_batch: Annotated[int, typer.Option(min=1, max=100_000, help="Requests in flight at most.")] = 256,
    max_tokens: Annotated[int, typer.Option(min=16, max=1_000_000, help="Tokens a step at most: the piece of a prompt.")] = 8192,
    seed: Annotated[int, typer.Option(min=0, help="Of the arrivals.")] = 0,
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Simulate one replica: mean and tail of latencies, beside the answer of the queueing law where arrivals are Poisson."""
    import numpy as np

    from planner.catalogue.subject import subject
    from planner.model.simulation import Requests
    from planner.search.simulate import Configuration, outcome, poisson, replica

    if sum(x is not None for x in (rate, concurrency, trace)) != 1:
        raise InputError(
            "give one of --rate, --concurrency and --trace",
            hint="For example: planner simulate llama-3.1-8b nvidia-h100-sxm-x8 --rate 10",
        )
    if rate is not None and not np.isfinite(rate):
        raise InputError(f"--rate is not a finite number: {rate}")
    catalogue = profiles(profiles_dir)
    about = subject(workload, system, catalogue)
    if trace:
        from planner.catalogue.traces import read_trace

        asked = Requests(*read_trace(trace))
    else:
        same = (np.full(requests, input), np.full(requests, output))
        asked = poisson(requests, rate, input, output, seed) if rate else Requests(np.zeros(requests), *same)
    one = replica(Configuration(precision, tp, max_batch, max_tokens), about, catalogue.calibration)
    with progress("requests") as tick:
        found = outcome(one, asked, concurrency or 0, (rate, input, output) if rate else None, tick)
    answer(format, lambda: dump({"schema_version": 1, **asdict(found)}), lambda: _text(found))


def _text(o: "Outcome") -> str:
    from planner import units

    names = ["mean", "p50", "p90", "p99"]
    rows = [[what, *(units.duration(values[n]) if values else "–" for n in names)] for what, values in
            (("time to first token", o.ttft), ("time per output token", o.tpot), ("whole request", o.e2e))]  # fmt: skip
    q = o.queue
    if q:
        for row, value in zip(rows, (q.ttft, q.tpot), strict=False):
            row.append(units.duration(value) if value < float("inf") else "without end")
        rows[2].append("")
    header = ["", *names, *(["queueing law, mean"] if q else [])]
    said = (
        f"{o.requests:,} requests in {o.precision}: {units.significant(o.rate)} requests/s, "
        f"{units.significant(o.output_tokens_per_s)} output tokens/s, busy {100 * o.utilisation:.0f} % of the time "
        f"({o.evidence})."
    )
    load = f"\nThe load is {100 * q.load:.0f} % of what the replica can do." if q else ""
    full = " More comes than it can serve: the queue grows as long as the run lasts." if q and q.load >= 1 else ""
    return f"{said}\n\n{table(header, rows, 'lrrrrr')}{load}{full}"

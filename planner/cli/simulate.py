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
    burstiness: Annotated[
        float, typer.Option(min=0.01, max=1000, help="With --rate: squared variation of the gaps between requests; 1 is Poisson.")
    ] = 1.0,
    input_cv: Annotated[
        float, typer.Option(min=0, max=10, help="With --rate: standard deviation over mean of tokens in (lognormal).")
    ] = 0.0,
    output_cv: Annotated[float, typer.Option(min=0, max=10, help="With --rate: the same of tokens out.")] = 0.0,
    max_batch: Annotated[int, typer.Option(min=1, max=100_000, help="Requests in flight at most.")] = 256,
    max_tokens: Annotated[int, typer.Option(min=16, max=1_000_000, help="Tokens a step at most: the piece of a prompt.")] = 8192,
    seed: Annotated[int, typer.Option(min=0, help="Of the arrivals.")] = 0,
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Simulate one replica: mean and tail of latencies, beside the answer of the queueing law where traffic is steady."""
    import numpy as np

    from planner.catalogue.subject import subject
    from planner.model.simulation import Requests, Steady
    from planner.search.simulate import Configuration, drawn, outcome, replica

    if sum(x is not None for x in (rate, concurrency, trace)) != 1:
        raise InputError(
            "give one of --rate, --concurrency and --trace",
            hint="For example: planner simulate llama-3.1-8b nvidia-h100-sxm-x8 --rate 10",
        )
    if rate is not None and not np.isfinite(rate):
        raise InputError(f"--rate is not a finite number: {rate}")
    catalogue = profiles(profiles_dir)
    about = subject(workload, system, catalogue)
    one = replica(Configuration(precision, tp, max_batch, max_tokens), about, catalogue.calibration)
    steady = Steady(rate, input, output, burstiness, input_cv, output_cv) if rate else None
    if trace:
        from planner.catalogue.traces import read_trace

        asked = Requests(*read_trace(trace))
    else:
        same = (np.full(requests, input), np.full(requests, output))
        asked = drawn(requests, steady, one.longest, seed) if steady else Requests(np.zeros(requests), *same)
    with progress("requests") as tick:
        found = outcome(one, asked, concurrency or 0, steady, tick)
    answer(format, lambda: dump({"schema_version": 1, **asdict(found)}), lambda: _text(found))


def _text(o: "Outcome") -> str:
    from planner import units

    names = ["mean", "p50", "p90", "p99"]
    rows = [[what, *(units.duration(values[n]) if values else "–" for n in names)] for what, values in
            (("time to first token", o.ttft), ("time per output token", o.tpot), ("whole request", o.e2e))]  # fmt: skip
    q = o.queue
    if q:
        law = [["  by the queueing law", *(_time(values.get(n)) for n in names)] for values in (q.ttft, q.tpot)]
        rows = [rows[0], law[0], rows[1], law[1], rows[2]]
    header = ["", *names]
    said = (
        f"{o.requests:,} requests in {o.precision}: {units.significant(o.rate)} requests/s, "
        f"{units.significant(o.output_tokens_per_s)} output tokens/s, busy {100 * o.utilisation:.0f} % of the time "
        f"({o.evidence})."
    )
    load = f"\nThe load is {100 * q.load:.0f} % of what the replica can do." if q else ""
    full = " More comes than it can serve: the queue grows as long as the run lasts." if q and q.load >= 1 else ""
    return f"{said}\n\n{table(header, rows, 'lrrrr')}{load}{full}"


def _time(seconds: float | None) -> str:
    from planner import units

    return "–" if seconds is None else units.duration(seconds) if seconds < float("inf") else "without end"

"""A Result for other programs: CSV of the candidates, JSON of everything."""

import csv
import io
import math
from dataclasses import asdict

from planner.report.text import dumps
from planner.search.candidate import Candidate, Estimate
from planner.search.result import Result

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def json_text(result: Result) -> str:
    """Everything in ``result`` as JSON with the field names of ``planner.search.result``; NaN becomes null."""
    return dumps(asdict(result), indent=2) + "\n"


def csv_text(result: Result) -> str:
    """One row a candidate, in ranked order; units stand in the column names, unknown figures stay empty.

    A spreadsheet runs a cell that begins with ``= + - @``, tab or carriage return, so text that does gets an apostrophe
    in front; numbers stay numbers.
    """
    rows = [_row(result, candidate) | _lived(result, candidate.label) for candidate in result.candidates]
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["label"]
    out = io.StringIO()
    writer = csv.writer(out)  # lines end in CRLF as RFC 4180 has it: with LF alone Python leaves a CR in a cell unquoted
    writer.writerow([_cell(name) for name in columns])
    for row in rows:
        writer.writerow([_cell(row.get(name, "")) for name in columns])
    return out.getvalue()


def _row(result: Result, c: Candidate) -> dict[str, str | int | float]:
    row: dict[str, str | int | float] = {
        "label": c.label,
        "feasible": "yes" if c.feasible else "no",
        "rejected_because": c.rejected,
        "on_front": "yes" if c.label in result.front else "no",
        "provider": c.provider,
        "region": c.region,
        "offer": c.offer,
        "term": c.term,
        "system": c.system,
        "device": c.device,
        "kind": c.kind,
        "instances": c.instances,
        "devices": c.devices,
        "precision": c.precision,
    }
    row |= {f"layout_{name}": value for name, value in c.layout.items()}
    row |= _estimate(f"cost_{result.currency}_per_{result.cost_period}", c.cost)
    row |= _estimate(f"{result.currency}_per_{result.work_unit}".replace(" ", "_"), c.unit_cost)
    row |= _estimate("throughput_" + result.throughput_unit.replace("/s", "_per_s").replace(" ", "_"), c.throughput)
    for name, latency in c.latency.items():
        row |= _estimate(f"{name}_s", latency)
    row |= {f"memory_{name}_byte": value for name, value in c.memory.items()} | {"memory_capacity_byte": c.memory_capacity}
    row |= {f"time_{name}_s": value for name, value in c.time.items()}
    row |= {f"cost_part_{name.replace(' ', '_')}": value for name, value in c.cost_parts.items()}
    if c.odds is not None:
        row |= {
            "share_cheapest": c.odds.cheapest,
            "share_within_limits": c.odds.keeps,
            f"mean_regret_{result.currency}": c.odds.regret,
            f"drawn_cost_{result.currency}_low": c.odds.low,
            f"drawn_cost_{result.currency}_high": c.odds.high,
        }
    row |= {
        "bottleneck": c.bottleneck,
        "mfu": c.mfu,
        "mbu": c.mbu,
        "power_w": c.power,
        "energy_j_per_unit": c.energy_per_unit,
    }
    return row


def _lived(result: Result, label: str) -> dict[str, str | int | float]:
    """What a lifetime says of a model beside its candidate."""
    lived = next((row for row in result.life.rows if row.label == label), None) if result.life else None
    if lived is None:
        return {}
    making = {f"making_{part}_{result.currency}": amount for part, amount in lived.making.items()}
    return {
        "model": lived.kind, "parameters": lived.parameters, "training_tokens": lived.tokens, **making,
        f"serving_{result.currency}_per_month": lived.monthly, "pays": lived.pays, "pays_queries_per_day": lived.pays_queries,
        "score_kept": lived.quality, "trained_on": lived.trained_on, "served_on": lived.served_on,
    }  # fmt: skip


def _estimate(name: str, estimate: Estimate) -> dict[str, str | int | float]:
    return {
        name: estimate.value,
        f"{name}_low": estimate.low,
        f"{name}_high": estimate.high,
        f"{name}_evidence": estimate.evidence,
    }


def _cell(value: str | int | float) -> str:
    if not isinstance(value, str):
        return f"{value:.6g}" if isinstance(value, float) and math.isfinite(value) else str(value) * math.isfinite(value)
    text = value.encode("utf-8", "replace").decode()
    return "'" + text if text.startswith(_FORMULA) else text

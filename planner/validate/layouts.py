"""How published runs with prefill and decode apart were laid out, where rows do not say it themselves."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from planner.schema.claim import LAID_OUT, Apart

UNSAID = "decode: workers None"
"""What the notes of such a row say where the number of workers is not known."""
LIKE = ["workload", "hardware", "precision", "input_tokens", "output_tokens", "concurrency", "ranks"]


def told(t: pd.DataFrame) -> "pd.Series[bool]":
    """Rows (N,) of such runs whose workers are known, by their notes or by the one layout that fits them."""
    return (t["scenario"] == "concurrency_disaggregated") & ((t["runs"].map(len) == 1) | ~_unsaid(t))


def _unsaid(t: pd.DataFrame) -> "pd.Series[bool]":
    return t["notes"].str.contains(UNSAID, regex=False)


def laid_out(t: pd.DataFrame, known: Callable[[], pd.DataFrame]) -> list[tuple[Apart, ...]]:
    """For each row the layouts of known runs that fit what it says, where its notes do not tell the workers; most often none.

    known: as ``catalogue.runs.disaggregated``. The ranks of experts that such rows name are those of prefill, and one also
    where prefill's ranks attend apart.
    """
    found: list[tuple[Apart, ...]] = [()] * len(t)
    asked = (t["scenario"] == "concurrency_disaggregated") & _unsaid(t)
    if not asked.any():
        return found
    rows = t.assign(ranks=t["tp"] * t["attention_dp"].fillna(1.0), place=np.arange(len(t)))
    rows = rows.loc[asked, [*LIKE, "ep", "notes", "place"]].rename(columns={"ep": "said_ep"})
    pairs = rows.merge(known(), on=LIKE)
    described = zip(pairs["image"], pairs["measured"], pairs["notes"], strict=True)
    pairs = pairs[np.array([_about(*line) for line in described], bool)]
    same = pairs["said_ep"] == pairs["prefill_ep"]
    same |= (pairs["said_ep"] == 1) & (pairs["prefill_attention_dp"] > 1) & ~same.groupby(pairs["place"]).transform("any")
    pairs = pairs[same]
    for place, run in zip(pairs["place"], pairs[list(LAID_OUT.values())].astype(float).itertuples(index=False), strict=True):
        found[place] = (*found[place], Apart(*run))
    return found


def _about(image: str, measured: str, notes: str) -> bool:
    """Whether notes name a run's image, and one of the days on which it was measured where only those count."""
    return f"{image};" in f"{notes};" and (not measured or any(day in notes for day in measured.split()))

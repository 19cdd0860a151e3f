"""How published benchmarks laid out their runs, from the tables beside data/runs/README.md."""

from functools import cache

import pandas as pd

from planner.catalogue.profiles import PACKAGE


@cache
def disaggregated() -> pd.DataFrame:
    """Runs with prefill and decode on workers of their own, one line for each concurrency; batch is NaN where it is not known."""
    table = pd.read_csv(PACKAGE / "data" / "runs" / "disaggregated.csv", dtype={"concurrency": str, "measured": str})
    table = table.assign(concurrency=table["concurrency"].str.split()).explode("concurrency", ignore_index=True)
    return table.assign(
        concurrency=table["concurrency"].astype(float),
        measured=table["measured"].fillna(""),
        ranks=table["tp"] * table["attention_dp"],
    )

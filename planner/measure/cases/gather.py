"""Rows out of tables: embeddings, bags of them, and their gradients."""

from collections.abc import Iterator

from planner.measure.case import Case, Target, of_call, t
from planner.schema.measurement import Tier

# rows read, width, rows of the table
LOOKUPS = ((1, 1024, 32_000), (160, 512, 32_000), (1024, 1024, 32_000), (8192, 128, 200_000))
BAGS = ((64, 64, 50_000), (256, 64, 50_000), (1024, 64, 50_000), (4096, 64, 50_000), (1024, 128, 200_000))
COLUMNS = ((64, 400, 800), (256, 400, 800), (2048, 400, 800))


def cases(tier: Tier, target: Target) -> Iterator[Case]:
    """From a few rows to thousands, out of tables larger than a cache."""
    for dtype in target.floats:
        for rows, width, table in LOOKUPS[1:2] if tier == "quick" else LOOKUPS:
            yield of_call("aten.embedding.default", t(dtype, table, width), t("int64", 1, rows), high=table)
        for rows, width, table in BAGS[1:2] if tier == "quick" else BAGS:
            yield of_call(
                "aten._embedding_bag.default", t(dtype, table, width), t("int64", rows), t("int64", rows), False, 0, False, None,
                high=table,
            )  # fmt: skip
        for rows, columns, wide in () if tier == "quick" else COLUMNS:
            yield of_call("aten.index_select.default", t(dtype, rows, wide), 1, t("int64", columns), high=wide)
        for rows, width, table in () if tier == "quick" else LOOKUPS[1:3]:
            grad = t(dtype, 1, rows, width)
            yield of_call("aten.embedding_dense_backward.default", grad, t("int64", 1, rows), table, -1, False, high=table)

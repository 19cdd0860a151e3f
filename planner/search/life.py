"""What the models of a lifetime cost by traffic: the record behind its table and its chart."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lived:
    """One model: what making it and a month of serving it cost at the plan's traffic, and when it pays."""

    label: str
    kind: str
    """base, size, quantised, pruned or distilled."""
    parameters: float
    tokens: float
    """It was trained on; 0 where it was there already."""
    precision: str
    making: dict[str, float]
    """Money by part: training, teacher, retraining, conversion."""
    trained_on: str
    served_on: str
    monthly: float
    total: float
    pays: str
    """from, until, always or never, against the base; empty for the base itself."""
    pays_queries: float
    """A day: where ``pays`` is from or until."""
    quality: float
    """Share of its score by a published example; 1 at the same loss; NaN where nothing is published."""
    scores: tuple[str, ...]
    """The published examples, with their sources."""
    rejected: str


@dataclass(frozen=True)
class Plain:
    """The same question by the count of FLOP alone (Sardana et al., arXiv:2401.00448): a check on the rest."""

    parameters: float
    tokens: float
    trained_parameters: float
    """What would be best were it never asked."""
    trained_tokens: float
    saved: float
    """Share of all FLOP that the first saves over the second."""


@dataclass(frozen=True)
class LifeTable:
    """Money in the result's currency; curves are totals by ``queries`` a day, infinity where nothing serves so many."""

    base: str
    months: float
    queries_per_day: float
    loss: float
    law: str
    rows: tuple[Lived, ...]
    queries: tuple[float, ...]
    curves: dict[str, tuple[float, ...]]
    ladder: tuple[tuple[float, str], ...]
    """From how many queries a day which of the models that may be chosen is the cheapest."""
    plain: Plain

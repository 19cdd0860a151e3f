"""What stands for an operation that was measured several times."""

from planner.measure.proof import beside, undisturbed
from planner.schema.measurement import Canary, Cell
from tests.measure.records import cell, operation

BEST = {"loop": 1.0, "product": 1.0, "triad": 1.0}
QUIET, NOISY, WORSE = (Canary(0, x, 1.0, 1.0) for x in (1.02, 1.5, 2.0))


def timed(median: float, variant: str = "add") -> Cell:
    return cell(operation(variant=variant), median)


def test_every_cell_stands_between_two_canaries() -> None:
    events = [QUIET, timed(1.0), ("odd", "no kernel"), timed(2.0), NOISY, timed(3.0), WORSE]
    assert [(c.median, pair) for c, pair in beside(events)] == [
        (1.0, (QUIET, NOISY)), (2.0, (QUIET, NOISY)), (3.0, (NOISY, WORSE)),
    ]  # fmt: skip


def test_the_middle_one_of_what_nothing_disturbed() -> None:
    """Not the fastest, which was lucky, and none between noisy canaries, however fast."""
    seen = [(timed(t), (QUIET, QUIET)) for t in (1.1, 0.9, 1.0)] + [(timed(0.5), (QUIET, NOISY))]
    (chosen,) = undisturbed(seen, BEST)
    assert chosen.median == 1.0


def test_the_least_disturbed_where_nothing_was_quiet() -> None:
    seen = [(timed(1.5), (QUIET, NOISY)), (timed(1.2), (WORSE, QUIET)), (timed(3.0, "mul"), (WORSE, WORSE))]
    assert [c.median for c in undisturbed(seen, BEST)] == [1.5, 3.0]

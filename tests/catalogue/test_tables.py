"""The small tables that ship: every figure has a source that the file names."""

from planner.catalogue.tables import compression


def test_every_way_to_compress_says_who_measured_it() -> None:
    table = compression()
    used = {s.source for m in table.methods.values() for s in (*m.scores, m.conversion, m.retraining) if s}
    assert used == set(table.sources)


def test_every_method_has_a_score_and_something_that_it_takes() -> None:
    for method in compression().methods.values():
        assert method.scores and all(0.5 < s.kept < 1.1 for s in method.scores)
        assert method.conversion or method.retraining
        assert (method.kind == "quantise") == (method.precision is not None)
        assert 0 < method.share <= 1


def test_a_precision_is_given_by_one_method() -> None:
    given = [m.precision for m in compression().methods.values() if m.precision]
    assert len(given) == len(set(given))

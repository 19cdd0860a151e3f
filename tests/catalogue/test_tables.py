"""The small tables that ship: every figure has a source that the file names."""

from planner.catalogue.tables import compression, techniques


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


def test_what_both_tables_name_is_the_same_thing() -> None:
    """A method under the id of a technique changes in a plan what that one changes."""
    methods, known = compression().methods, techniques().techniques
    both = methods.keys() & known.keys()
    assert both >= {m for m in methods if methods[m].precision or methods[m].sparsity}
    for name in both:
        changed = known[name].changes["workload"]
        assert changed.get("precision", [None]) == [methods[name].precision]
        assert changed.get("sparsity", "") == methods[name].sparsity

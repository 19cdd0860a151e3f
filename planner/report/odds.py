"""What the odds of a decision say in words: for the verdict, the section of its own, Markdown and the terminal."""

from planner.report.text import brief, plain
from planner.report.view import chosen, money_of
from planner.search.candidate import Candidate
from planner.search.result import Result


def share(odds: float) -> str:
    """A share of draws: draws are too few to tell small ones apart."""
    return "under 1 %" if 0 < odds < 0.01 else f"{100 * odds:.0f} %"


def least_regret(result: Result) -> Candidate | None:
    """The option that would be regretted least among those that keep the limits as planned."""
    drawn = [(c.odds.regret, rank, c) for rank, c in enumerate(result.candidates) if c.feasible and c.odds is not None]
    return min(drawn)[2] if drawn else None


def worth_measuring(result: Result) -> str:
    """What measuring first would save of the regret; empty where it would save nothing."""
    if not result.worth or chosen(result) is None:
        return ""
    form = money_of(result)
    first, *others = result.worth
    then = "".join(f"; on {brief(w.device_name, 60)}, {form(w.saves)}" for w in others)
    return f"Measuring it on {brief(first.device_name, 60)} first would save {form(first.saves)} of the mean regret{then}."


def safer(result: Result) -> str:
    """What to say where another option than the choice would be regretted least; empty where none would."""
    choice, best = chosen(result), least_regret(result)
    if choice is None or best is None or choice.odds is None or best.odds is None or best.label == choice.label:
        return ""
    form, period = money_of(result), "for the run" if result.cost_period == "run" else f"a {plain(result.cost_period)}"
    more = best.cost.value - choice.cost.value
    return (
        f"Safer is {brief(best.label, 80)}: {form(more)} {period} more as planned, but regretted by {form(best.odds.regret)} "
        f"on average instead of {form(choice.odds.regret)}."
    )

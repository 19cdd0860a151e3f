"""A lifetime in words: what was asked, which model to train, when the answer changes, and what to mind."""

import math

from planner import units
from planner.decide.life_options import Option
from planner.decide.life_setup import Setup, short, size
from planner.search.life import LifeTable, Lived
from planner.search.result import Verdict

LONG = 100.0
"""Tokens a parameter beyond which laws fitted at usual ratios promise too much (Sardana et al., abstract)."""


def goal(k: Setup) -> str:
    """What is asked, in one line."""
    life = k.life
    limits = [f"{name.upper()} under {units.duration(v)}" for name, v in (("ttft", life.ttft), ("tpot", life.tpot)) if v]
    length = f"{life.input_tokens:,.0f} tokens in and {life.output_tokens:,.0f} out"
    asked = f"{units.words(life.queries_per_day)} queries a day of {length} for {units.plainly(life.months)} months"
    loss = f"at the loss of {k.inputs.workload.name} on {units.words(k.tokens)} tokens ({k.target:.4f} nats a token)"
    return ", ".join([asked, *limits, loss])


def verdict(k: Setup, table: LifeTable) -> Verdict:
    """From rows ranked by total."""
    able = [r for r in table.rows if not r.rejected]
    if not able:
        nearest = table.rows[0]
        why = f"Nearest is {nearest.label}: {nearest.rejected}."
        return Verdict("", "", "Nothing fits: no model can be trained and served as the plan asks", why, "",
                       ("Relax the limit named above, allow more devices, or a lower quality.",), ())  # fmt: skip
    best, second = able[0], next(iter(able[1:]), None)
    money = units.money
    currency = k.inputs.plan.economics.currency
    made = sum(best.making.values())
    headline = f"Choose {best.label}: {money(best.total, currency)} over {units.plainly(table.months)} months"
    trained = f"Making it costs {money(made, currency)}" + (f" on {best.trained_on}" if best.tokens else "")
    why = f"{trained}, serving it {money(best.monthly, currency)} a month on {best.served_on}. {_beside(k, best, table)}"
    gap = ""
    if second:
        gap = f"{money(second.total - best.total, currency)} more ({100 * (second.total / best.total - 1):.0f} %)"
    flips = (*_moved(table), *_pays(k, table))
    return Verdict(best.label, second.label if second else "", headline, why, gap, flips, _cautions(k, best, table))


def _beside(k: Setup, best: Lived, table: LifeTable) -> str:
    base = next(r for r in table.rows if r.kind == "base")
    if best is base:
        return "No smaller or compressed model pays for its own making at this traffic."
    if not math.isfinite(base.total):
        return f"{base.label} cannot do it: {base.rejected}."
    saved = units.money(base.total - best.total, k.inputs.plan.economics.currency)
    return f"That is {saved} ({100 * (1 - best.total / base.total):.0f} %) less than {base.label}."


def steps(table: LifeTable) -> tuple[str, ...]:
    """Which model is the cheapest at which traffic, a sentence each."""
    said = []
    for i, (at, label) in enumerate(table.ladder):
        start = f"From {rounded(at)}" if i else "Up"
        until = f" to {rounded(table.ladder[i + 1][0])}" if i + 1 < len(table.ladder) else " on"
        when = f"{start}{until} queries a day" if len(table.ladder) > 1 else "At any traffic looked at"
        said.append(f"{when}, {label} is the cheapest.")
    return tuple(said)


def _moved(table: LifeTable) -> tuple[str, ...]:
    """What is the cheapest at the next lower and the next higher traffic."""
    here = sum(at <= table.queries_per_day for at, _ in table.ladder) - 1
    said = []
    if here > 0:
        said.append(f"Below {rounded(table.ladder[here][0])} queries a day, {table.ladder[here - 1][1]} is cheaper.")
    if here + 1 < len(table.ladder):
        at, label = table.ladder[here + 1]
        said.append(f"From {rounded(at)} queries a day on, {label} is cheaper.")
    return tuple(said)


def rounded(queries: float) -> str:
    """``1.2 million``: crossings on steps are not known to more digits."""
    return units.words(float(f"{queries:.2g}"))


def _pays(k: Setup, table: LifeTable) -> tuple[str, ...]:
    """The traffic from which the best of each kind pays for its making."""
    said = []
    kinds = {"size": "other sizes", "quantised": "coarser forms", "pruned": "pruned forms", "distilled": "distilled students"}
    for kind, what in kinds.items():
        row = next((r for r in table.rows if r.kind == kind and math.isfinite(r.total)), None)
        if row:
            said.append(f"Of {what}, the cheapest here is {row.label}: it pays for its making {pays(row, table)}.")
    return tuple(said)


def pays(row: Lived, table: LifeTable) -> str:
    """``from 1.2 million queries a day``."""
    at = rounded(row.pays_queries) if math.isfinite(row.pays_queries) else ""
    return {
        "from": f"from {at} queries a day on", "until": f"up to {at} queries a day", "always": "at any traffic",
        "never": f"at no traffic up to {rounded(table.queries[-1])} queries a day", "": "",
    }.get(row.pays, "")  # fmt: skip


def _cautions(k: Setup, best: Lived, table: LifeTable) -> tuple[str, ...]:
    said = []
    ratio = best.tokens / best.parameters if best.kind != "distilled" else 0.0
    if ratio > LONG:
        said.append(
            f"{ratio:,.0f} tokens a parameter: laws fitted at usual ratios promise too much of such long training "
            "(Sardana et al., arXiv:2401.00448). Fit the law to small runs on your own data first."
        )
    if best.quality < 1 or best.precision not in ("bf16", "fp16", "fp32", "tf32"):
        said += [f"{s}. Another model, smaller or trained for longer, may lose more: measure yours." for s in best.scores[:1]]
        if ratio > LONG:
            said.append("Models trained for long lose more by quantisation (Kumar et al., arXiv:2411.04330).")
    said.append("The law is of its own data and tokenizer: equal loss by it is not equal quality on your task.")
    p = table.plain
    said.append(
        f"By the count of FLOP alone (Sardana et al.), {short(p.parameters)} on {units.words(p.tokens)} tokens would be best, "
        f"{100 * p.saved:.0f} % below the {short(p.trained_parameters)} that is cheapest to train; hardware and prices move that."
    )
    return tuple(said)


def scores(k: Setup, o: Option) -> tuple[str, ...]:
    """What was published of such a model's quality."""
    assert k.inputs.life is not None
    if o.method is None:
        return (o.published or "No published score of this pair",) if o.kind == "distilled" else ("Same loss by the law",)
    sources = k.inputs.life.compression.sources
    m = o.method
    return tuple(f"{m.name}, {s.benchmark}: {s.before:g}, then {s.after:g} ({s.note}; {sources[s.source]})" for s in m.scores)


def assumptions(k: Setup) -> tuple[str, ...]:
    """What the figures take for granted."""
    life, e = k.life, k.inputs.plan.economics
    assert k.inputs.life is not None
    terms = {*k.inputs.plan.hardware.terms, *k.inputs.life.training.plan.hardware.terms}
    more = {
        "owned": "Owned machines are charged for the hours that a phase takes: they must have other work for the rest.",
        "spot": "Spot capacity is priced as if it were never taken back.",
    }
    return (
        f"Loss by parameters and tokens: {k.law.source}. All parameters count, embeddings too.",
        f"Other sizes keep the proportions of {k.inputs.workload.name} ({size(k.base) / 1e9:.2f} billion parameters); "
        "they are tried in steps, each searched on its own, none interpolated.",
        f"Each training run: {life.global_batch:,.0f} sequences a step, in {life.training_precision}"
        + (f", done within {units.duration(life.deadline)}." if life.deadline else ", in whatever time is cheapest."),
        f"Traffic is even over the day and the months; machines are loaded to at most {100 * e.utilisation:.0f} % of what they "
        "can do, and bought in whole instances.",
        "A teacher's answer to a token costs a third of a training step on it: its forward pass. Tokens of retraining and hours "
        "of conversion grow with the parameters, from the published examples.",
        f"A compressed model may be chosen if a published example kept {100 * life.quality:.4g} % of its score.",
        *(said for term, said in more.items() if term in terms),
    )


def exclusions() -> tuple[str, ...]:
    """What the figures leave out."""
    return (
        "Staff, data, storage, data transfer, support, tax; failed experiments, fine-tuning and evaluation.",
        "Growth of traffic, and prices that fall while the model serves.",
    )

"""A feed laid over the prices in force: what it knows is replaced, what it does not know stays, the impossible is left out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from statistics import median

from planner.catalogue.price_table import described, least
from planner.errors import InputError
from planner.schema.hardware import Instance, Provider, System
from planner.schema.quote import Quote, Table

FEWEST = 0.5
"""Share of the instances in force that a feed must price: one that has fewer was cut off, or is of somebody else."""
JUMP = 3.0
"""Prices do not triple, or fall to a third, between two days: their unit changed."""

FLOOR = 0.105
"""Share of the price on demand that a spot price sits at where nobody trades: Google discounts by at most 91 %, and SkyPilot's
list of AWS has a tenth for many zones. What nobody gets is no offer."""


@dataclass
class Taken:
    """What became of a feed."""

    table: Table
    left: Counter[str] = field(default_factory=Counter)
    """How many prices were left out, by why."""
    named: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """A few of the instances and regions of each."""

    def leave(self, why: str, name: str, prices: int = 1) -> None:
        """Count prices that were left out."""
        self.left[why] += prices
        if name not in self.named[why] and len(self.named[why]) < 3:
            self.named[why].append(name)


def merge(feed: Table, old: Table, provider: Provider, systems: Mapping[str, System], *, force: bool = False) -> Taken:
    """The table that shall be in force. Raises InputError where the feed cannot be right, unless ``force``.

    A region is covered where the feed prices anything in it. There, and for instances the feed knows, its prices replace the
    old; commitments, which most feeds lack, stay with their own date.
    """
    taken = Taken(Table(()))
    new = list(least(_usable(feed, provider, systems, taken)))
    if not new:
        raise InputError(f"has no price of an instance that '{provider.id}' is known for", hint=_why(taken))
    if not force:
        _plausible(new, old)
    terms = {t for q in new for t in q.prices}
    pairs = {(q.instance, q.region): q for q in new}
    known, covered = {q.instance for q in new}, {q.region for q in new} | {""}
    kept = []
    for q in old.quotes:
        now = pairs.get((q.instance, q.region))
        if now is None and q.instance in known and q.region in covered:
            continue
        if (what := described(q, provider.instances)) is None or what.system not in systems:
            taken.leave("in force of instances that the catalogue no longer knows", q.instance, len(q.prices))
            continue
        prices = {t: p for t, p in q.prices.items() if now is None or t not in terms}
        kept.append(replace(q, prices=prices, line=0))
    taken.table = Table(tuple(_possible([*kept, *new], taken)), {**old.sources, **feed.sources})
    return taken


def _why(taken: Taken) -> str:
    return " ".join(f"{n:,} prices {why}, like {', '.join(taken.named[why])}." for why, n in taken.left.items())


def _possible(quotes: list[Quote], taken: Taken) -> Iterator[Quote]:
    """Quotes without the prices that are above the one on demand of the same place, or a floor of it, and without empty ones."""
    base = {(q.instance, q.region, q.currency): q.prices["on_demand"] for q in quotes if "on_demand" in q.prices}
    for q in quotes:
        most = base.get((q.instance, q.region, q.currency), inf)
        prices = {t: p for t, p in q.prices.items() if p <= most}
        if len(prices) < len(q.prices):
            taken.leave("above the price on demand", q.instance, len(q.prices) - len(prices))
        if most < inf and prices.get("spot", inf) <= FLOOR * most:
            prices.pop("spot")
            taken.leave("of spot at a tenth of the price on demand, where nobody trades", q.instance)
        if prices:
            yield replace(q, prices=prices)


def _usable(feed: Table, provider: Provider, systems: Mapping[str, System], taken: Taken) -> Iterator[Quote]:
    """Quotes of known instances in known regions."""
    learnt = _learnt(feed.quotes, provider.instances, systems)
    regions = frozenset(provider.regions)
    for quote in feed.quotes:
        q, region = quote, _region(quote.region, regions)
        what = described(q, provider.instances) or _known_by(q, learnt, systems)
        if what is None or what.system not in systems:
            taken.leave("of instances that the catalogue does not know", q.instance, len(q.prices))
            continue
        if regions and region and region not in regions:
            taken.leave("in regions that the catalogue does not know", region, len(q.prices))
            continue
        if q.instance not in provider.instances:
            q = replace(q, system=what.system, devices=what.devices)
        yield replace(q, region=region, line=0, accelerator="", count=0.0)


def _region(name: str, regions: frozenset[str]) -> str:
    """The region of a zone, where a feed names zones: us-central1 of us-central1-a."""
    head, dash, tail = name.rpartition("-")
    return head if dash and name not in regions and head in regions and len(tail) == 1 else name


def _learnt(quotes: Iterable[Quote], instances: Mapping[str, Instance], systems: Mapping[str, System]) -> dict[str, set[str]]:
    """accelerator in the feed's words -> systems that the instances with it are known to be."""
    found: dict[str, set[str]] = {}
    for q in quotes:
        if q.accelerator and q.instance in instances and instances[q.instance].system in systems:
            found.setdefault(q.accelerator, set()).add(instances[q.instance].system)
    return found


def _known_by(quote: Quote, learnt: Mapping[str, set[str]], systems: Mapping[str, System]) -> Instance | None:
    """What a new instance is by its accelerator; None where that could be two devices, or is a share of one."""
    fitting = [systems[s] for s in learnt.get(quote.accelerator, ()) if systems[s].devices >= quote.count]
    if len({s.device for s in fitting}) != 1 or quote.count < 1 or quote.count % 1:
        return None
    system = min(fitting, key=lambda s: (len(s.tiers), s.id))  # of two networks the lesser: nobody said it has the other
    return Instance(system.id, int(quote.count) if quote.count < system.devices else None)


def _plausible(new: list[Quote], old: Table) -> None:
    """Raise InputError where the feed prices too few of the instances in force, or at another scale."""
    before, after = {q.instance for q in old.quotes}, {q.instance for q in new}
    hint = "--force takes it all the same."
    if len(before & after) < FEWEST * len(before):
        raise InputError(f"prices {len(before & after)} of the {len(before)} instances in force: it looks cut off", hint=hint)
    was = {(q.instance, q.region): q for q in old.quotes if "on_demand" in q.prices}
    pairs = ((q.prices["on_demand"], was.get((q.instance, q.region)), q.currency) for q in new if "on_demand" in q.prices)
    ratios = [price / o.prices["on_demand"] for price, o, currency in pairs if o is not None and o.currency == currency]
    if ratios and not 1 / JUMP <= median(ratios) <= JUMP:
        raise InputError(f"its prices are {median(ratios):.3g} times those in force: is it a price an hour?", hint=hint)

"""The exact operations of a network, traced once and measured alone."""

from collections.abc import Iterable

import torch

from planner.measure.call import Call
from planner.measure.case import traced
from planner.measure.run import Work, both, shuffled
from planner.measure.subjects import Subject, build, named
from planner.measure.trace import trace
from planner.schema.measurement import Traced


def network(subject: Subject, device: torch.device) -> tuple[Traced, dict[str, Call]]:
    """A subject's pass as operations, and the calls behind them by key."""
    return trace(subject.name, build(subject, device))


def work(pass_: Traced, calls: dict[str, Call], device: torch.device, done: Iterable[str] = ()) -> list[Work]:
    """Cells of every distinct operation, those already ``done`` (by key) left out."""
    known = set(done)
    keys = [o.key for o in pass_.operations if o.op != "view" and o.key not in known]
    return shuffled([item for key in keys for item in both(traced(calls[key], ("hot", "cold")), device)])


def work_of(names: Iterable[str], device: torch.device) -> list[Work]:
    """Cells of every distinct operation of the networks of these names."""
    found: dict[str, Work] = {}
    for name in names:
        for subject in named(name, device.type):
            for item in work(*network(subject, device), device):
                found.setdefault(" ".join(item.identity), item)
    return shuffled(list(found.values()))

"""What a search found: plain frozen records, the contract between search, decide, report and ``--format json``.

Times are seconds, sizes bytes, power watts, energy joules, money in ``Result.currency``. NaN stands for "not known"
inside the planner and becomes null in JSON.
"""

from dataclasses import dataclass, field

from planner.search.candidate import Candidate, Worth
from planner.search.life import LifeTable

SCHEMA_VERSION = 2


@dataclass(frozen=True)
class Verdict:
    """The answer in words and figures. ``choice`` and ``runner_up`` are labels; empty where nothing fits."""

    choice: str
    runner_up: str
    headline: str
    """``Choose 2 × p5.48xlarge (on demand) at $4,321 a month``, or what is nearest where nothing fits."""
    why: str
    gap: str
    flips: tuple[str, ...]
    """Conditions under which the answer changes, most likely first."""
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class Basis:
    """What the plan takes for granted that a reader may want to change, and the limits it sets."""

    moves: bool = False
    """Whether costs can be worked out again at all: not where devices themselves, or a model's life, are the goal."""
    ends: bool = False
    """Whether the work is done once; the instances are then loaded fully."""
    grows: bool = True
    """Whether more traffic takes more instances; a training run takes longer instead."""
    utilisation: float = 1.0
    sites: int = 1
    """Each with machines of its own."""
    electricity: float = 0.0
    """Money a kWh."""
    horizon: float = 0.0
    """Seconds over which what is owned is written off."""
    context: float = 0.0
    """Tokens a request or sequence."""
    limits: dict[str, float] = field(default_factory=dict)
    """By latency name [s], ``devices`` and ``budget`` [money]."""
    uncertainty: dict[str, float] = field(default_factory=dict)
    """|ln(truth / assumed)| that traffic, utilisation, electricity and each term's price should stay within nine times of ten."""
    shared: dict[str, float] = field(default_factory=dict)
    """Share of the variance of errors that all estimates of a workload, and those on one device, have in common."""


@dataclass(frozen=True)
class Swing:
    """What one input does to the answer, at a low and a high value of it."""

    lever: str
    label: str
    low: str
    high: str
    """The two values in words."""
    costs: tuple[float, float]
    """Cost of the choice at them; NaN where it breaks a limit."""
    winners: tuple[str, str]
    """Labels of the cheapest at them; empty where none keeps the limits."""


@dataclass(frozen=True)
class Break:
    """The cost of the best candidates over one lever: a curve each, and where the cheapest changes."""

    lever: str
    label: str
    unit: str
    values: tuple[float, ...]
    base: float
    costs: dict[str, tuple[float, ...]]
    """By label of the candidate; NaN where it breaks a limit."""
    crossings: tuple[tuple[float, str, str], ...]
    """Value, and who is the cheapest below and above it."""


@dataclass(frozen=True)
class Regret:
    """One state of the world and what each of a few choices costs in it beyond the best there."""

    state: str
    best: str
    costs: dict[str, float]
    """By label; NaN where the choice breaks a limit."""


@dataclass(frozen=True)
class Way:
    """One way of having the machines over the horizon: the best candidate of its term and provider."""

    label: str
    term: str
    provider: str
    device_name: str
    upfront: float
    """Paid at the order."""
    monthly: float
    """Paid each month of service."""
    resale: float
    """What comes back at the end."""
    npv: float
    """All of it over the horizon, discounted to the day of the order."""
    per_hour: float
    """Money for one hour of use of one device: the equal payment that is worth as much."""
    cumulative: tuple[float, ...]
    """Discounted money spent by the end of month 0, 1, … of the horizon; what comes back at the end is not in it."""
    by_use: tuple[float, ...]
    """Money a month, purchase included, where there is work for 0, 5, … 100 % of the time."""
    once: dict[str, float] = field(default_factory=dict)
    """``upfront`` by part."""
    each: dict[str, float] = field(default_factory=dict)
    """``monthly`` by part."""
    break_even_month: int | None = None
    """From the end of which month on the owned way has cost less than this one, what comes back at the end left aside."""
    break_even_use: float | None = None
    """From which share of the time with work on the owned way costs less a month than this one."""


@dataclass(frozen=True)
class Ownership:
    """Renting against owning over the horizon. Ways come by what they cost."""

    ways: tuple[Way, ...]
    owned: str
    """Label of the best owned way; empty where nothing is owned."""
    months: int
    rate: float
    """Cost of capital a year."""
    busy: float
    """Share of the hours that are used."""
    said: tuple[str, ...]
    """The comparison in words."""


@dataclass(frozen=True)
class Result:
    """Everything a report shows. Candidates come ranked: feasible ones by cost, then the rejected."""

    schema_version: int
    title: str
    scenario: str
    goal: str
    """One line: what is asked (``20 requests/s of 1,000 tokens in and 300 out, TTFT under 1 s, TPOT under 50 ms``)."""
    workload: str
    currency: str
    cost_period: str
    """``month`` or ``run``."""
    throughput_unit: str
    """``output tokens/s``, ``tokens/s`` or ``samples/s``."""
    work_unit: str
    """``million output tokens``, ``million tokens`` or ``million samples``."""
    demand: float
    """What the goal needs, in throughput_unit."""
    candidates: tuple[Candidate, ...]
    front: tuple[str, ...]
    """Labels of the candidates that no other beats in both cost and throughput."""
    verdict: Verdict
    assumptions: tuple[str, ...]
    exclusions: tuple[str, ...]
    """What the figures leave out."""
    accuracy: tuple[str, ...]
    """How far such estimates were from published measurements, in words."""
    oldest_price: str
    versions: dict[str, str]
    hashes: dict[str, str]
    plan_text: str
    """The plan as the user wrote it."""
    owner: str = ""
    date: str = ""
    status: str = ""
    ownership: Ownership | None = None
    """Where the plan allows several ways of having machines."""
    life: LifeTable | None = None
    """Of a plan with ``lifetime``: its candidates are models, each served by what serves it for the least."""
    basis: Basis = field(default_factory=Basis)
    swings: tuple[Swing, ...] = ()
    """The largest first."""
    breaks: tuple[Break, ...] = ()
    regrets: tuple[Regret, ...] = ()
    draws: int = 0
    """Of the Monte Carlo behind every candidate's odds."""
    worth: tuple[Worth, ...] = ()
    """The measurements that would save most; empty where none would."""

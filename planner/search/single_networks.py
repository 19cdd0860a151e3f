"""A network, not a language model, on one system: a pass of inference, or a step of data-parallel training."""

from planner.errors import InputError
from planner.model import policy
from planner.model.columns import Columns
from planner.model.families.graph import tables
from planner.model.operation import Machine
from planner.schema.inputs import Subject
from planner.schema.workload import Workload
from planner.search import networks
from planner.search.request import Request, Run


def joined(r: Request, workload: Workload) -> bool:
    """Whether its devices exchange anything, so that it matters how they are joined."""
    return r.mode != "infer" or bool(workload.graph and tables(workload.graph))


def infer(r: Request, subject: Subject, rows: Columns, machine: Machine) -> Run:
    """A pass of r.batch samples on each device; large tables are shared among all of them."""
    rows = rows.with_(batch=float(r.batch), ways=float(r.devices), fused=0.0 if r.eager else 1.0)
    one = networks.alone(subject.workload, rows, machine)
    seconds = float(one.seconds[0])
    rate = r.batch / float(networks.stream(subject.workload, rows, machine)[0]) * r.devices
    held = {name: float(size[0]) for name, size in networks.held(subject.workload, rows).items()}
    figures = {"samples_per_s": rate, "latency_s": seconds}
    return Run(figures, rate, "million samples", held, one, {"batch": r.batch}, float(one.flop[0]))


def train(r: Request, subject: Subject, rows: Columns, machine: Machine) -> Run:
    """A step of r.batch samples on each device: forward, backward, gradients summed over devices beside it, the update."""
    workload = subject.workload
    _trains(r)
    rows = networks.in_training(rows).with_(
        batch=float(r.batch), micro_steps=1.0, ways=float(r.devices), fused=0.0 if r.eager else 1.0, optimizer=float(r.optimizer)
    )
    whole = networks.update(workload, rows, machine)
    seconds, batch = float(whole.seconds[0]), r.batch * r.devices
    held = {name: float(size[0]) for name, size in networks.trained(workload, rows).items()}
    figures = {"samples_per_s": batch / seconds, "samples_per_s_per_device": r.batch / seconds, "step_s": seconds}
    layout: dict[str, int | str] = {"dp": r.devices, "batch": r.batch, "global_batch": batch}
    layout |= {"optimizer": list(policy.OPTIMIZERS)[r.optimizer]}
    return Run(figures, batch / seconds, "million samples", held, whole, layout, float(whole.flop[0]))


def _trains(r: Request) -> None:
    """InputError for ways to divide a model that only language models are divided in."""
    asked = {"tp": r.tp, "pp": r.pp, "cp": r.cp, "ep": r.ep, "virtual": r.virtual}
    for name, value in asked.items():
        if value > 1:
            what = f"--{name} {value} divides a language model; a network is trained data parallel"
            raise InputError(what, hint="Use --batch.")
    if r.global_batch:
        what = f"--global-batch {r.global_batch} is for language models; a network's step is --batch samples on each device"
        raise InputError(what, hint=f"Use --batch {max(1, round(r.global_batch / r.devices))}.")

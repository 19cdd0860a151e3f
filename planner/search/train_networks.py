"""Training a network, data parallel with its large tables shared: on how many instances, by what the run costs and how long
it takes."""

from collections.abc import Sequence

import numpy as np

from planner.errors import InputError
from planner.model import memory
from planner.model.columns import Columns, product
from planner.model.operation import Machine
from planner.model.passes import Pass
from planner.model.policy import OPTIMIZERS
from planner.schema.goals import Train
from planner.schema.inputs import Inputs
from planner.search import estimate, layout_space, networks, train
from planner.search.drivers import timed
from planner.search.listings import Place
from planner.search.options import Explained, Options

MICRO_STEPS = 2.0 ** np.arange(0, 9)
"""Passes whose gradients are summed before an update, where a device's share of the batch does not fit at once."""
ONLY_LANGUAGE = ("lora_rank", "recompute")


def suits(inputs: Inputs) -> None:
    """InputError where the plan trains a network on tokens, or a language model on samples."""
    goal, workload = inputs.plan.train, inputs.workload
    if goal is None:
        return
    if workload.architecture:
        if goal.samples or not (goal.tokens and goal.sequence_length):
            what = f"'{workload.id}' is a language model, so that 'train:' needs tokens and sequence_length, and no samples"
            raise InputError(what, hint="Write them like 'tokens: 2 trillion' and 'sequence_length: 4096'.")
        return
    if not goal.samples or goal.tokens or goal.sequence_length:
        what = f"'{workload.id}' is not a language model, so that 'train:' needs samples, and neither tokens nor sequence_length"
        raise InputError(what, hint="Write them like 'samples: 4.2 billion', all epochs together.")
    if (goal.sample_size is None) != (goal.loading is None):
        raise InputError("train.sample_size and train.loading say together how fast samples are read: give both or neither")
    for name in ONLY_LANGUAGE:
        if getattr(goal, name):
            raise InputError(f"train.{name} is for language models, and '{workload.id}' is none")


def options(inputs: Inputs, goal: Train, places: Sequence[Place], settings: Columns, machines: Machine) -> Options:
    """settings (S,): place and precision of each row of machines."""
    node = np.array([p.devices for p in places], float)[settings.place]
    most = float(inputs.plan.hardware.max_devices)
    counts = 2.0 ** np.arange(0, 1 + np.floor(np.log2(most)))
    grid = product(setting=np.arange(len(settings)), instances=counts, micro_steps=MICRO_STEPS)
    grid = grid.with_(place=settings.place[grid.setting], precision=settings.precision[grid.setting])
    grid = grid.with_(devices=grid.instances * node[grid.setting], fused=1.0)
    grid = grid.with_(batch=goal.global_batch / (grid.devices * grid.micro_steps))
    able = layout_space.joined(machines.device.take(grid.setting), node[grid.setting], grid)
    grid = grid.take(able & (grid.batch >= 1) & (grid.batch % 1 == 0) & ((grid.devices <= most) | (grid.instances == 1)))
    rows = networks.in_training(estimate.with_precision(grid, grid.precision))
    rows = rows.with_(ways=rows.devices, dp=rows.devices, optimizer=float(list(OPTIMIZERS).index(goal.optimizer)))
    machine = machines.take(rows.setting)
    seconds = _step(inputs, goal, rows, machine).seconds
    fits = np.sum(list(networks.trained(inputs.workload, rows).values()), axis=0) / memory.trainable(machine.device)
    rows = rows.with_(seconds=seconds, fits=np.where(np.isfinite(fits), fits, np.inf))
    return train.finished(inputs, goal, rows.take(np.isfinite(seconds)))  # not where nobody published how devices are joined


def _step(inputs: Inputs, goal: Train, rows: Columns, machine: Machine) -> Pass:
    """An optimizer step, and what it waits for its samples: they are read while the step before them runs."""
    one = networks.update(inputs.workload, rows, machine)
    if goal.sample_size is None or goal.loading is None:
        return one
    read = goal.global_batch * goal.sample_size / (goal.loading * rows.instances)
    return one.plus("data loading", np.maximum(0.0, read - one.seconds))


def explain(inputs: Inputs, goal: Train, rows: Columns, machines: Machine) -> Explained:
    """The chosen rows with their parts."""
    machine = machines.take(rows.setting)
    one = _step(inputs, goal, rows, machine)
    return Explained(
        rows, {"duration": rows.latency}, networks.trained(inputs.workload, rows), machine.device.capacity, one, one.flop,
        operators=timed(networks.step(inputs.workload, rows), machine),
    )  # fmt: skip

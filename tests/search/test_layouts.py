"""The space of layouts, its search, and what it says where nothing fits."""

from dataclasses import replace

import numpy as np
import pytest

from planner.errors import InputError
from planner.model import memory
from planner.model.columns import Columns, concat
from planner.model.operation import Machine
from planner.search import divide, estimate, layout_space, layouts
from tests.model.rows import LLAMA_3_8B, MIXTRAL_8X7B, machine

JOB = layout_space.Job(LLAMA_3_8B, 4096.0, 64.0)
NODES = layout_space.Nodes(np.array([8.0]), np.array([1.0, 2.0, 4.0]), 32.0)


def searched(
    job: layout_space.Job = JOB, nodes: layout_space.Nodes = NODES, m: Machine | None = None
) -> tuple[Columns, layouts.Tally]:
    m = m or machine(torus=0.0)
    grid = layout_space.usable(job, nodes, m)
    grid = grid.with_(precision=np.full(len(grid), estimate.PRECISIONS.index("bf16")))
    tally = layouts.Tally()
    found = [layouts.timed(job, rows, m, tally, keep=5) for rows in layout_space.chunks(job, grid, layout_space.choices(job), m)]
    return concat(found), tally


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("architecture", [LLAMA_3_8B, MIXTRAL_8X7B], ids=["dense", "mixture"])
def test_every_layout_divides(every: bool, architecture: object) -> None:
    rows, tally = searched(replace(JOB, every=every, architecture=architecture))  # type: ignore[arg-type]
    a = replace(JOB, architecture=architecture).architecture  # type: ignore[arg-type]
    assert tally.seen > 100 and np.all(rows.tp * rows.cp * rows.pp * rows.dp == rows.devices)
    assert np.all(rows.dp * rows.micro_batch * rows.num_micro == JOB.global_batch)
    assert np.all(a.num_heads % rows.tp == 0) and np.all(a.num_layers % (rows.pp * rows.virtual) == 0)
    assert np.all((rows.virtual == 1) | (rows.num_micro % rows.pp == 0)) and np.all((rows.zero_stage < 3) | (rows.pp == 1))
    assert np.all((rows.devices % rows.ep == 0) & (rows.ep <= rows.dp * rows.cp * rows.tp))


def test_no_layout_is_there_twice() -> None:
    rows, _ = searched(replace(JOB, every=True))
    names = ["devices", "tp", "cp", "pp", "micro_batch", "sp", "ring", "ep", "recompute", "schedule", "virtual", "zero_stage",
             "offload_optimizer", "offload_activations", "shard"]  # fmt: skip
    assert len(rows.unique(names)[0]) == len(rows)


def test_what_is_looked_up_is_what_a_layout_takes_by_itself() -> None:
    """Times of micro-batches and exchanges are computed once and shared: no layout's may differ from its own."""
    rows, _ = searched(replace(JOB, every=True))
    some = rows.take(np.arange(0, len(rows), 97))
    table, size = estimate.architecture_table([LLAMA_3_8B])
    zero = np.zeros(len(some), int)
    alone = estimate.train(table.take(zero), size.take(zero), some, machine(torus=0.0).take(zero)).seconds
    assert some.seconds == pytest.approx(alone)
    held = sum(estimate.held(table.take(zero), size.take(zero), some).values())
    assert some.fits == pytest.approx(held / memory.trainable(machine().device)[0])


def test_what_does_not_fit_is_not_timed_but_for_the_nearest() -> None:
    rows, tally = searched(m=machine(capacity=40e9, torus=0.0))
    assert tally.too_large > np.sum(rows.fits > 1) > 0


def test_fixed_degrees_are_kept() -> None:
    rows, _ = searched(replace(JOB, fixed={"tp": 2.0, "zero_stage": 1.0}))
    assert set(rows.tp) == {2.0} and set(rows.zero_stage) == {1.0}


@pytest.mark.parametrize(
    ("more", "said"),
    [({"fixed": {"tp": 3.0}}, "32 do not divide by 3; the nearest that does is 2"),
     ({"fixed": {"pp": 5.0}}, "32 do not divide by 5; the nearest that does is 4"),
     ({"global_batch": 3.0, "fixed": {"micro_batch": 2.0}}, "3 sequences do not divide"),
     ({"fixed": {"cp": 3.0}}, "the sequence by cp")],
)  # fmt: skip
def test_an_empty_search_says_what_emptied_it(more: dict[str, object], said: str) -> None:
    job = replace(JOB, **more)  # type: ignore[arg-type]
    m = machine(torus=0.0)
    if "cp" in job.fixed:
        grid = layout_space.usable(job, layout_space.Nodes(np.array([3.0]), np.array([1.0]), 3.0), machine(node=3.0, torus=0.0))
        assert not len(grid)
        assert said in layout_space.emptied(
            job, layout_space.Nodes(np.array([3.0]), np.array([1.0]), 3.0), machine(node=3.0, torus=0.0)
        )
        return
    assert not len(layout_space.usable(job, NODES, m)) and said in layout_space.emptied(job, NODES, m)


def test_from_how_many_devices_on_a_model_fits() -> None:
    """Llama 3 8B with AdamW takes 18 bytes a parameter: 145 GB of states do not fit on one 80 GB device, but on two or four."""
    m = machine(node=1.0, up_size=64.0, torus=0.0)
    code = np.array([estimate.PRECISIONS.index("bf16")])
    assert layouts.fits_from(replace(JOB, global_batch=1.0), 1, 1.0, code, m) in (2, 4)


PLAIN = {"tp": 1.0, "cp": 1.0, "pp": 1.0, "micro_batch": 1.0, "virtual": 1.0, "zero_stage": 1.0}


@pytest.mark.parametrize(
    ("devices", "batch", "more", "said"),
    [(8, 8, {"tp": 6.0}, "The nearest that does: tp 4"), (8, 8, {"pp": 6.0}, "The nearest that does: pp 4"),
     (12, 12, {"tp": 8.0}, "Degrees that divide both devices and heads: 1, 2, 4"), (8, 12, {}, "The nearest that is: 16"),
     (8, 8, {"pp": 2.0, "virtual": 3.0}, "The nearest that does: virtual 2"), (8, 8, {"pp": 2.0, "zero_stage": 3.0}, "--zero 1")],
)  # fmt: skip
def test_a_layout_that_does_not_divide_names_the_nearest_that_does(
    devices: int, batch: int, more: dict[str, float], said: str
) -> None:
    with pytest.raises(InputError) as error:
        divide.layout(LLAMA_3_8B, devices, batch, 4096, PLAIN | more)
    assert said in f"{error.value.what} {error.value.hint}"


def test_experts_that_do_not_divide_name_those_that_do() -> None:
    with pytest.raises(InputError, match="ep 3 divides neither"):
        divide.layout(MIXTRAL_8X7B, 8, 8, 4096, PLAIN | {"ep": 3.0})
    assert divide.layout(MIXTRAL_8X7B, 8, 8, 4096, PLAIN).ep[0] == 8

"""Fits recover laws whose coefficients are known, and say how far they are from shapes they never saw."""

from dataclasses import replace

import numpy as np
import pytest

from planner.calibrate.fit import Range, fit, held_out, least, solve
from planner.calibrate.studies import cases, studies
from planner.model.columns import Array, Columns, product
from planner.model.ops import attention, axes, collective, decode_attention, decode_mla, experts, laws, matmul, mla
from planner.model.surface import knots


def test_every_study_is_of_a_law() -> None:
    assert set(studies()) - {"serving_all_reduce", "serving_experts"} <= set(laws())  # which are variants


PEAKS = {"bf16": 900e12, "fp8": 1800e12}
GPU = Columns(
    bandwidth=3e12,
    units=132.0,
    systolic=np.nan,
    up_bandwidth=4e11,
    peak=900e12,
    peak_half=900e12,
    cache=5e7,
    capacity=8e10,
    length=1,
)


def spread(n: int, **more: object) -> Columns:
    return Columns({name: np.full(n, GPU[name][0]) for name in GPU}, length=n).with_(**more)  # type: ignore[arg-type]


def given(law: str, n: int, **values: float) -> Columns:
    return Columns({**laws()[law].COEFFICIENTS, **values}, length=n)


def text(value: str, n: int) -> Array:
    return np.full(n, value)


def matmul_table(dtype: str, weight: float, **truth: float) -> dict[str, Array]:
    p = product(n=2.0 ** np.arange(8, 15), k=2.0 ** np.arange(8, 14), m=2.0 ** np.arange(0, 14, 2)).with_(groups=1.0, hot=1.0)
    activation = 2 * (p.m * p.k + p.m * p.n)
    moved = activation * (1 + truth.get("q", 0.0)) + p.n * p.k * weight
    c = given("matmul", len(p), **truth)
    seconds = matmul.time(p, moved, spread(len(p), peak=PEAKS[dtype]), c) + truth.get("t_q", 0.0)
    return {"m": p.m, "n": p.n, "k": p.k, "dtype": text(dtype, len(p)), "seconds": seconds}


def attention_table(**truth: float) -> dict[str, Array]:
    p = product(
        batch=[1.0, 4, 16], heads=[8.0, 32, 96], kv_heads=[1.0, 8], dim=[64.0, 128], query=[64.0, 512, 4096], past=[0.0, 1024]
    )
    moved = 2 * p.batch * p.dim * (2 * p.heads * p.query + 2 * p.kv_heads * (p.past + p.query))
    shape = p.with_(context=p.past + p.query / 2, longest=p.past + p.query, windowed=0.0, products=1.0)
    seconds = attention.time(shape, moved, spread(len(p)), given("attention", len(p), **truth))
    kinds = {
        "dtype": text("bf16", len(p)),
        "cache_dtype": text("bf16", len(p)),
        "window": np.zeros(len(p)),
        "kernel": text("own", len(p)),
    }
    return {**{name: p[name] for name in p}, **kinds, "seconds": seconds}


def decode_table(**truth: float) -> dict[str, Array]:
    p = product(batch=[1.0, 8, 64, 256], heads=[8.0, 32, 64], kv_heads=[1.0, 4, 8], dim=[64.0, 128], past=[63.0, 1023, 8191])
    kv = 4 * p.batch * p.kv_heads * p.dim * (p.past + 1)
    work = Columns(
        blocks=p.batch * p.kv_heads, group=p.heads / p.kv_heads, context=p.past + 1, dim=p.dim, kv=kv,
        other=4 * p.batch * p.heads * p.dim, flop=np.zeros(len(p)), hot=1.0,
    )  # fmt: skip
    seconds = decode_attention.time(work, spread(len(p)), given("decode_attention", len(p), **truth))
    kinds = {
        "dtype": text("bf16", len(p)),
        "cache_dtype": text("bf16", len(p)),
        "window": np.zeros(len(p)),
        "kernel": text("own", len(p)),
    }
    return {**{name: p[name] for name in p}, **kinds, "seconds": seconds}


def mla_table(**truth: float) -> dict[str, Array]:
    p = product(batch=[1.0, 4, 64], heads=[1.0, 2, 8, 16, 64, 128], query=[64.0, 512, 4096], past=[0.0])
    shape = p.with_(context=p.query / 2, dim=160.0, products=1.0)
    seconds = mla.time(shape, 8 * p.batch * p.heads * p.query * 160, spread(len(p)), given("mla", len(p), **truth))
    kinds = {"dtype": text("bf16", len(p)), "cache_dtype": text("bf16", len(p))}
    return {**{name: p[name] for name in p}, **kinds, "seconds": seconds}


def decode_mla_table(**truth: float) -> dict[str, Array]:
    p = product(batch=[1.0, 16, 256], heads=[1.0, 2, 8, 16, 32, 64, 128], query=[1.0], past=[15.0, 1023, 8191, 65535])
    work = p.with_(context=p.past + 1, kv=1152 * p.batch * (p.past + 1), other=2176 * p.batch * p.heads, hot=1.0)
    work = work.with_(flop=2 * 1088 * p.batch * p.heads * (p.past + 1))
    seconds = decode_mla.time(work, spread(len(p)), given("decode_mla", len(p), **truth))
    kinds = {"dtype": text("bf16", len(p)), "cache_dtype": text("bf16", len(p))}
    return {**{name: p[name] for name in p}, **kinds, "seconds": seconds}


def experts_table(**truth: float) -> dict[str, Array]:
    layout = product(hidden=[2048.0, 4096], inner=[1024.0, 2048, 8192], experts=[8.0, 64, 256], visits=[2.0])
    which = product(layout=np.arange(len(layout)), tp=[1.0, 4], ep=[1.0, 4], tokens=2.0 ** np.arange(0, 15, 2))
    p = layout.take(which.layout.astype(int)).with_(tp=which.tp, ep=which.ep, tokens=which.tokens)
    load = Columns(experts.routed(p.tokens, p.visits, p.experts, p.ep))
    inner = p.inner / p.tp
    shape = load.with_(up=2 * inner, down=inner, hidden=p.hidden, ranks=p.ep, quantise=1.0, hot=1.0)
    moved = 2 * (2 * p.hidden + 3 * inner) * load.rows * load.groups
    c = given("experts", len(p), **truth)
    seconds = experts.time(shape, 6 * inner * p.hidden * load.groups, moved, spread(len(p)), c)
    kinds = {"dtype": text("bf16", len(p)), "spread": text("power_law_1.01", len(p)), "kernel": text("made up", len(p))}
    return {**{name: p[name] for name in p}, **kinds, "seconds": seconds}


def collective_table(kernel: str = "NCCL", **truth: float) -> dict[str, Array]:
    """Messages of 2^8 to 2^28 elements; oneCCL counts what each rank gives to an all-gather, and no switch sums int8."""
    p = product(ranks=[2.0, 4, 8], message=2.0 ** np.arange(8, 29))
    parts = []
    for op, kind in (("all_reduce", "all_reduce"), ("all_gather", "all_gather"), ("alltoall", "all_to_all")):
        for dtype, size in (("bf16", 2), ("int8", 1)):
            whole = size * p.message * (p.ranks if (kernel, op) == ("oneCCL", "all_gather") else 1)
            volume = collective.share(kind, p.ranks) * whole
            seconds = collective.time(p.ranks, volume, np.full(len(p), 4e11), given("collective", len(p), **truth))
            slow = 3.0 if (op, dtype) == ("all_reduce", "int8") else 1.0
            names = {"op": text(op, len(p)), "dtype": text(dtype, len(p)), "kernel": text(kernel, len(p))}
            parts.append({**names, "ranks": p.ranks, "message": p.message, "seconds": slow * seconds})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


TABLES = {
    "matmul": matmul_table("bf16", 2.0, e=0.8, e_b=0.75, t0=3e-6, c=20, k0=150, t_s=2e-6, e16=0.6),
    "attention": attention_table(e=0.55, e_b=0.6, t0=8e-6, kv0=120),
    "decode_attention": decode_table(e_b=0.7, t0=7e-6, t_b=3e-6, t_s=4e-6),
    "collective": collective_table(a=6e-6, b=1.5e-6, e_w=0.8, c=2e-9),
    "mla": mla_table(e=0.5, e_b=0.6, t0=8e-6, kv0=100),
    "decode_mla": decode_mla_table(e=0.5, e_b=0.8, t0=8e-6, t_b=4e-6, t_s=5e-6, t_k=1e-9),
    "experts": experts_table(e=0.7, e_b=0.8, t0=5e-6, c=20, k0=150, t_s=2e-6, e16=0.5, i=0.5, t_r=1e-7, z=0.2, y=1.0),
}


FP8 = matmul_table("fp8", 1.0, e=0.7, e_b=0.8, t0=3e-6, c=30, k0=200, t_s=1e-6, e16=0.6, q=1.5, t_q=2e-6)
TABLES["matmul in fp8"] = {name: np.concatenate([plain, FP8[name]]) for name, plain in TABLES["matmul"].items()}
"""Beside the same device's bf16 times, from which the start of a kernel is known."""


@pytest.mark.parametrize("name", TABLES)
def test_a_law_s_own_times_are_recovered(name: str) -> None:
    """Coefficients that trade off against each other may differ; what they predict for unseen shapes may not."""
    *_, case = cases(name.partition(" ")[0], TABLES[name], GPU, PEAKS)
    found = case.run()
    some = 0.02 if name == "experts" else 0.01  # twelve coefficients, some of which stand for each other
    assert found.held_out_error < some and found.held_out_points > 0
    assert found.points + found.held_out_points == len(case.seconds) or found.points == 4000
    predicted = case.predict(case.points, Columns(found.coefficients, length=len(case.points)))
    np.testing.assert_allclose(predicted, case.seconds, rtol=0.15 if name == "experts" else 0.03)
    assert np.mean(np.abs(predicted / case.seconds - 1)) < some


def test_a_surface_takes_up_what_the_formula_cannot() -> None:
    """Times that lie 49 % above the law at one end of k and 33 % below at the other, which no coefficient gives."""
    table = TABLES["matmul"]
    bent = {**table, "seconds": table["seconds"] * np.exp(0.4 * (np.log2(table["k"]) - 10.5) / 2.5)}
    (case,) = cases("matmul", bent, GPU, PEAKS)
    found = case.run()
    assert found.formula_error is not None and found.formula_error > 1.5 * found.held_out_error
    assert found.held_out_error < 0.05 and len(found.surface) == knots(axes("matmul"))


def test_held_out_points_do_not_feed_a_surface() -> None:
    """Whatever their times: the surface stays, the error shows it."""
    (case,) = cases("matmul", TABLES["matmul"], GPU, PEAKS)
    held = held_out(case.groups)
    dirty = replace(case, seconds=np.where(held, 3 * case.seconds, case.seconds))
    clean, found = case.run(), dirty.run()
    assert clean.surface == found.surface and found.held_out_error == pytest.approx(2 / 3, rel=0.02)


def test_placements_timed_with_an_untuned_kernel_are_left_out() -> None:
    """One placement of one layout five times too slow, slower than with half the splits: all of it goes, nothing else."""
    table = TABLES["experts"]
    slow = (
        (table["hidden"] == 4096) & (table["inner"] == 8192) & (table["experts"] == 64) & (table["tp"] == 4) & (table["ep"] == 1)
    )
    (case,) = cases("experts", {**table, "seconds": np.where(slow, 5 * table["seconds"], table["seconds"])}, GPU, PEAKS)
    assert len(case.seconds) == len(slow) - slow.sum() and case.note.startswith(f"{slow.sum()} points")


def test_a_table_without_bf16_can_be_fitted() -> None:
    (case,) = cases("matmul", FP8, GPU, PEAKS)
    assert case.variant == "fp8"


@pytest.mark.parametrize("kernel", ["NCCL", "oneCCL"])
def test_every_collective_is_fitted_on_bytes_a_device_sends(kernel: str) -> None:
    """Whatever the table counts: halves or int8, the whole or a rank's share; sums of int8, three times slower, are left out."""
    table = collective_table(kernel, a=6e-6, b=1.5e-6, e_w=0.8, c=2e-9)
    found = {case.variant: case for case in cases("collective", table, GPU, PEAKS)}
    assert list(found) == ["default", "all_reduce", "all_gather", "all_to_all"]
    assert len(found["all_reduce"].seconds) == 63 and len(found["all_gather"].seconds) == 126
    assert all(case.run().held_out_error < 0.01 for case in found.values())


def test_an_engine_s_all_reduce_is_fitted_to_replayed_rows_only() -> None:
    """Launched one by one, the same messages take 20 us more on the host."""
    whole = collective_table(a=4e-6, b=1e-7, e_w=0.8)
    rows = (whole["op"] == "all_reduce") & (whole["dtype"] == "bf16")
    some = {name: values[rows] for name, values in whole.items()}
    kernels = {"graph": some["seconds"], "eager": some["seconds"] + 20e-6}
    parts = [{**some, "kernel": text(f"custom_{name}", rows.sum()), "seconds": s} for name, s in kernels.items()]
    (case,) = cases("serving_all_reduce", {n: np.concatenate([p[n] for p in parts]) for n in some}, GPU, PEAKS)
    assert (case.law, case.variant, len(case.seconds)) == ("collective", "serving_all_reduce", 63)
    assert case.run().held_out_error < 0.01
    assert not list(cases("serving_all_reduce", parts[1], GPU, PEAKS))


def test_generated_kernels_of_experts_are_a_variant_of_their_own() -> None:
    """Of the kernels that a dtype was timed with only those count; 16 bits have none."""
    plain = TABLES["experts"]
    n = len(plain["seconds"])
    kernels = {"sglang_flashinfer_trtllm_moe": 1.0, "sglang_fused_moe_triton": 3.0}
    parts = [
        {**plain, "dtype": text("fp8_block", n), "kernel": text(name, n), "seconds": times * plain["seconds"]}
        for name, times in kernels.items()
    ]
    parts.append({**plain, "kernel": text("sglang_flashinfer_trtllm_moe", n)})
    (case,) = cases("serving_experts", {name: np.concatenate([p[name] for p in parts]) for name in plain}, GPU, PEAKS)
    assert (case.law, case.variant) == ("experts", "serving_fp8_block")
    np.testing.assert_array_equal(np.sort(case.seconds), np.sort(plain["seconds"]))


@pytest.mark.parametrize("law", ["attention", "decode_attention"])
def test_caches_in_8_bits_are_fitted_apart(law: str) -> None:
    """Each case has the rows of its own precision."""
    plain = TABLES[law]
    narrow = {**plain, "cache_dtype": text("fp8", len(plain["seconds"])), "seconds": plain["seconds"] / 1.5}
    narrow["dtype"] = narrow["cache_dtype"]
    both = {name: np.concatenate([plain[name], narrow[name]]) for name in plain}
    found = {case.variant: case for case in cases(law, both, GPU, PEAKS)}
    assert list(found) == ["default", "fp8"] and len(found["fp8"].seconds) == len(found["default"].seconds)
    np.testing.assert_allclose(found["default"].seconds, 1.5 * found["fp8"].seconds)


@pytest.mark.parametrize("law", ["attention", "decode_attention"])
def test_a_few_rows_of_another_library_are_left_out(law: str) -> None:
    odd = np.arange(len(TABLES[law]["seconds"])) % 20 == 0
    mixed = {**TABLES[law], "kernel": np.where(odd, "another", "own"), "seconds": TABLES[law]["seconds"] * np.where(odd, 5, 1)}
    (case,) = cases(law, mixed, GPU, PEAKS)
    assert len(case.seconds) == np.sum(~odd) and case.run().held_out_error < 0.01


def line(points: Columns, c: Columns) -> Array:
    return c.a + c.b * points.x


RANGES = {"a": Range(1, 1e-3, 100), "b": Range(1, 1e-3, 100)}


def test_a_few_wild_points_do_not_move_a_fit() -> None:
    x = np.linspace(1, 100, 200)
    y = 2.0 + 0.5 * x
    y[::20] *= 30
    found = fit(line, Columns(x=x), y, RANGES, np.arange(200) // 10)
    assert found.coefficients["a"] == pytest.approx(2, rel=0.1) and found.coefficients["b"] == pytest.approx(0.5, rel=0.05)
    assert found.held_out_median < 0.05 < found.held_out_error


def test_coefficients_stay_within_their_ranges() -> None:
    x = np.linspace(1, 100, 200)
    found = fit(line, Columns(x=x), 2.0 + 0.5 * x, {**RANGES, "b": Range(1, 0.8, 2)}, np.arange(200))
    assert 0.8 * (1 - 1e-9) <= found.coefficients["b"] <= 2


def test_held_out_points_do_not_feed_the_fit() -> None:
    """Their times may be anything: the coefficients stay, the error shows it."""
    x = np.linspace(1, 100, 200)
    y = 2.0 + 0.5 * x
    held = np.arange(200) % 5 == 0
    clean = solve(line, Columns(x=x), y, RANGES, held)
    dirty = solve(line, Columns(x=x), np.where(held, 3 * y, y), RANGES, held)
    assert clean.coefficients == dirty.coefficients
    assert clean.held_out_error < 1e-3 and dirty.held_out_error == pytest.approx(2 / 3, rel=0.01)


def test_whole_groups_are_held_out() -> None:
    """With two groups one is fitted and the other held out: a group that obeys another line has a large error."""
    x = np.tile(np.linspace(1, 100, 50), 2)
    group = np.repeat([0, 1], 50)
    found = fit(line, Columns(x=x), np.where(group == 0, 2 + 0.5 * x, 20 + 5 * x), RANGES, group)
    assert found.points == found.held_out_points == 50 and found.held_out_error > 0.5


def test_fitting_twice_gives_the_same() -> None:
    x = np.linspace(1, 100, 200)
    results = [fit(line, Columns(x=x), 2.0 + 0.5 * x, RANGES, np.arange(200)) for _ in range(2)]
    assert results[0] == results[1]


@pytest.mark.parametrize("time", [2e-3, 2e-5], ids=["near the start", "far below"])
def test_a_fit_of_two_basins_ends_in_the_deeper_one(time: float) -> None:
    """A share of 0.7, and a host time near the start, or so far below that a simplex from there ends in the shallow basin."""

    def loss(x: Array) -> float:
        deep, shallow = ((x[1] - np.log(t)) ** 2 for t in (time, 5e-3))
        return float((x[0] - np.log(0.7)) ** 2 + min(deep, 0.5 + shallow))

    share, seconds = least(loss, [Range(0.95, 0.2, 1.5), Range(2e-3, 1e-6, 0.01)])
    assert share == pytest.approx(0.7, rel=0.05)
    assert seconds == pytest.approx(time, rel=0.1)

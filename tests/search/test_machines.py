"""Records to columns, the evidence ladder, and one configuration against the search that contains it."""

from dataclasses import replace
from math import exp, isnan

import pytest

from planner.errors import InputError
from planner.model.ops import axes
from planner.model.surface import knots
from planner.schema.coefficients import Calibration, Fit, Intervals
from planner.schema.hardware import Memory
from planner.schema.workload import Mla
from planner.search.find import candidates
from planner.search.intervals import around
from planner.search.machines import Setting, arithmetic, machine, used, weakest
from planner.search.single import Request, single
from tests.search.records import (
    GOALS,
    LANGUAGE,
    SERVE,
    SOURCES,
    VISION,
    device,
    figure,
    inputs,
    offer,
    provider,
    subject,
    system,
)


def calibration(id: str, covers: str, law: str = "matmul", variant: str = "bf16", **coefficients: float) -> Calibration:
    return Calibration(id, covers, SOURCES, {law: {variant: Fit(coefficients, "made", 10, 0.1)}})  # type: ignore[arg-type]


LADDER = {
    c.id: c
    for c in (
        calibration("alder", "device", e=0.9), calibration("made-up", "family", e=0.8), calibration("gpu", "kind", e=0.7),
    )
}  # fmt: skip


ATTENTION = {"default": Fit({"e": 0.5}, "made"), "fp8": Fit({"e": 0.9}, "made")}
SUMS = {
    "default": Fit({"a": 3e-6}, "made"),
    "all_reduce": Fit({"a": 2e-6}, "made"),
    "serving_all_reduce": Fit({"a": 1e-6}, "made"),
}
WITH_VARIANTS = Calibration("alder", "device", SOURCES, {"attention": ATTENTION, "collective": SUMS})


@pytest.mark.parametrize(
    ("precision", "quantised", "e"),
    [("fp8", True, 0.9), ("fp8", False, 0.5), ("bf16", True, 0.5)],
    ids=["fp8", "weights", "bf16"],
)
def test_attention_follows_the_precision_of_its_cache(precision: str, quantised: bool, e: float) -> None:
    setting = Setting(device(), system(), precision, quantised_cache=quantised)
    m, _ = machine([setting], {"alder": WITH_VARIANTS}.get)
    assert m.laws["attention"].e[0] == e


@pytest.mark.parametrize(("precision", "blocks", "e"), [("fp8", False, 0.9), ("fp8", True, 0.6), ("bf16", True, 0.5)])
def test_experts_in_blocks_have_kernels_of_their_own(precision: str, blocks: bool, e: float) -> None:
    variants = {"fp8": Fit({"e": 0.9}, "made"), "fp8_block": Fit({"e": 0.6}, "made"), "bf16": Fit({"e": 0.5}, "made")}
    m, _ = machine(
        [Setting(device(), system(), precision, blocks=blocks)],
        {"alder": Calibration("alder", "device", SOURCES, {"experts": variants})}.get,
    )
    assert m.laws["experts"].e[0] == e


@pytest.mark.parametrize(
    ("stack", "many", "e"),
    [("sglang", True, 0.7), ("trtllm", False, 0.7), ("trtllm", True, 0.6), ("mlperf", False, 0.6), ("", False, 0.6)],
)
def test_engines_bring_experts_kernels_of_their_own(stack: str, many: bool, e: float) -> None:
    """TensorRT-LLM's are others where it is set to those for many tokens; who names no engine goes by the tables' own."""
    experts = {"fp8_block": Fit({"e": 0.6}, "made"), "serving_fp8_block": Fit({"e": 0.7}, "made")}
    known = Calibration("alder", "device", SOURCES, {"experts": experts, "engine": {stack or "default": Fit({}, "made")}})
    setting = Setting(device(), system(), "fp8", (stack,) if stack else (), blocks=True, many=many)
    m, _ = machine([setting], {"alder": known}.get)
    assert m.laws["experts"].e[0] == e


@pytest.mark.parametrize(
    ("stacks", "a"), [(("vllm",), 1e-6), (("megatron",), 2e-6), ((), 2e-6)], ids=["engine", "trainer", "none"]
)
def test_an_engine_sums_by_a_kernel_of_its_own(stacks: tuple[str, ...], a: float) -> None:
    """And takes the fit of all collectives for what has none of its own."""
    m, _ = machine([Setting(device(), system(), "bf16", stacks)], {"alder": WITH_VARIANTS}.get)
    assert m.laws["collective_all_reduce"].a[0] == a and m.laws["collective_all_gather"].a[0] == 3e-6


@pytest.mark.parametrize(
    ("known", "e", "evidence"),
    [
        (("alder", "made-up", "gpu"), 0.9, "calibrated"), (("made-up", "gpu"), 0.8, "family"), (("gpu",), 0.7, "datasheet"),
        ((), 1.0, "datasheet"),
    ],
)  # fmt: skip
def test_the_most_particular_fit_is_used(known: tuple[str, ...], e: float, evidence: str) -> None:
    m, (found,) = machine([Setting(device(), system(), "bf16")], {k: LADDER[k] for k in known}.get)
    assert m.laws["matmul"].e[0] == e and weakest(found, "matmul") == evidence


def bent(id: str, values: tuple[int, ...]) -> Calibration:
    return Calibration(id, "device", SOURCES, {"matmul": {"bf16": Fit({"e": 0.9}, "made", surface=values)}})


def test_rows_share_the_surfaces_of_their_fits() -> None:
    """Three settings of two devices, one without a surface: two tables, the first of which corrects nothing."""
    n = knots(axes("matmul"))
    known = {"alder": bent("alder", tuple(range(n)))}
    settings = [Setting(device(), system(), "bf16"), Setting(device("birch"), None, "bf16"), Setting(device(), None, "bf16")]
    m, _ = machine(settings, known.get)
    found = m.surfaces["matmul"]
    assert found.tables.shape == (2, n) and found.index.tolist() == [1, 0, 1]
    assert not found.tables[0].any() and found.tables[1][-1] == pytest.approx((n - 1) / 1000)
    assert "experts" not in m.surfaces and m.surfaces["matmul_half"].index.tolist() == [1, 0, 1]


def test_a_surface_of_another_version_is_refused() -> None:
    with pytest.raises(InputError, match=r"calibration alder.*matmul bf16 has a surface of 3 values") as error:
        machine([Setting(device(), None, "bf16")], {"alder": bent("alder", (1, 2, 3))}.get)
    assert "calibrate again" in error.value.hint


def test_devices_alike_come_between_family_and_kind() -> None:
    known = {id: calibration(id, "kind", e=e) for id, e in ((device().alike, 0.6), ("gpu", 0.5))}
    m, (found,) = machine([Setting(device(), None, "bf16")], known.get)
    assert m.laws["matmul"].e[0] == 0.6 and weakest(found, "matmul") == "datasheet"


def test_only_the_laws_that_a_model_goes_through_are_cited() -> None:
    _, (found,) = machine([Setting(device(), None, "bf16")], {}.get)
    latent = replace(LANGUAGE, architecture=replace(LANGUAGE.architecture, mla=Mla(512, 256, 64, 32, 64)))  # type: ignore[type-var]
    assert "attention" in used(found, LANGUAGE) and not {"mla", "decode_mla", "experts"} & set(used(found, LANGUAGE))
    assert {"mla", "decode_mla"} < set(used(found, latent)) and "attention" not in used(found, latent)
    assert set(used(found, VISION)) == {"network"}


def test_the_evidence_is_that_of_the_weakest_law() -> None:
    _, (found,) = machine([Setting(device(), system(), "bf16")], LADDER.get)
    assert found["matmul"].evidence == "calibrated" and weakest(found, "matmul", "attention") == "datasheet"


@pytest.mark.parametrize(("topology", "g"), [("pcie", 0.4), ("switch", 2.0), ("mesh", 2.0)])
def test_how_cards_share_a_bus_is_the_usual_host_s(topology: str, g: float) -> None:
    """Not that of the host in which the card's own collectives were measured, for any of them."""
    own = calibration("alder", "device", "collective", "default", g=2.0)
    usual = calibration("gpu", "kind", "collective", "host", g=0.4)
    (up, out) = system().tiers
    setting = Setting(device(), system(tiers=(replace(up, topology=topology), out)), "bf16")  # type: ignore[arg-type]
    m, _ = machine([setting], {"alder": own, "gpu": usual}.get)
    assert [m.laws[law].g.tolist() for law in ("collective", "collective_all_reduce", "collective_beyond")] == [[g]] * 3
    m, _ = machine([setting], {"alder": own}.get)
    assert m.laws["collective"].g.tolist() == [2.0]


def test_figures_become_columns() -> None:
    m, _ = machine([Setting(device(), system(), "fp8"), Setting(device("birch", 2.0), None, "bf16")], {}.get)
    assert m.device.peak.tolist() == [200e12, 200e12] and m.device.peak_half.tolist() == [100e12, 200e12]
    assert m.device.bandwidth.tolist() == [1e12, 2e12] and m.device.capacity.tolist() == [48e9, 96e9]
    assert m.device.up_bandwidth[0] == 1e11 and m.device.up_size.tolist() == [8, 1] and isnan(m.device.up_bandwidth[1])


def test_what_a_host_draws_is_what_the_node_s_power_leaves() -> None:
    m, _ = machine([Setting(device(), system(power=figure(4000.0)), "bf16")], {}.get)
    assert m.device.host_power[0] == 4000 / 8 - 300


def test_a_processor_without_memory_of_its_own_has_its_host_s() -> None:
    bare = device(memory=(Memory("main", "DDR5", None, figure(3e11)),))
    host = replace(system(devices=2).host, memory=figure(1e12))  # type: ignore[type-var]
    m, _ = machine([Setting(bare, system(devices=2, host=host), "bf16")], {}.get)
    assert m.device.capacity[0] == 5e11


def test_precisions_fall_back_as_their_recipe_says() -> None:
    old = device(dtypes=("fp16", "fp32"))
    assert [arithmetic(old, p) for p in ("bf16", "fp16", "w4a16", "fp8", "tf32")] == ["fp16", "fp16", "fp16", "", "fp32"]


def test_a_stack_that_sums_in_16_bits_takes_the_peak_for_it() -> None:
    """Of fp16 with sums in fp16 a GeForce card does twice as much; who sums in fp32 gets nothing of it."""
    card = replace(device(), peak={"fp16": figure(100e12), "bf16": figure(100e12), "fp16_sums": figure(200e12)})
    stacks = (("llama.cpp",), ("vllm",), ("vllm", "llama.cpp"), ())
    assert [arithmetic(card, "w4a16", s) for s in stacks] == ["fp16_sums", "fp16", "fp16", "fp16"]
    m, _ = machine([Setting(card, None, "fp16", s) for s in stacks], {}.get)
    assert m.device.peak.tolist() == [200e12, 100e12, 100e12, 100e12]
    assert arithmetic(card, "fp8", ("llama.cpp",)) == ""


@pytest.mark.parametrize(("watts", "share"), [(800.0, 1.2), (400.0, 1.0), (50.0, 0.5)])
def test_a_device_sustains_what_its_power_allows_beside_its_family(watts: float, share: float) -> None:
    """400 W for 100 TFLOP/s were measured: a cube root of more or less power, and never more than the peak that they leave."""
    one = replace(device(), tdp=figure(watts), peak={"bf16": figure(100e12)})
    family = calibration("made-up", "family", "power", "default", watts=4e-12, most=1.2)
    m, _ = machine([Setting(one, None, "bf16")], {family.id: family}.get)
    assert m.device.sustained[0] == pytest.approx(share)


@pytest.mark.parametrize(
    ("lender", "stack", "family", "kept"),
    [
        ("gpu", "fsdp", "nvidia-hopper", 0.5 * 35 / 75), ("nvidia-hopper", "fsdp", "nvidia-hopper", 0.5),
        ("gpu", "fsdp", "nvidia-ampere", 0.5), ("gpu", "megatron", "nvidia-hopper", 0.5),
    ],
    ids=["borrowed", "own", "older", "written for it"],
)  # fmt: skip
def test_attention_that_is_not_written_for_a_device_keeps_less_where_it_is_borrowed(
    lender: str, stack: str, family: str, kept: float
) -> None:
    known = {lender: calibration(lender, "family", "engine", stack, attention=0.5)}
    m, _ = machine([Setting(replace(device(), family=family), None, "bf16", (stack,))], known.get)
    assert m.laws["engine"].attention[0] == pytest.approx(kept)


def test_nothing_of_an_fp32_model_runs_at_the_peak_of_16_bits() -> None:
    both = device()
    both = replace(both, peak={**both.peak, "fp32": figure(10e12)})
    m, _ = machine([Setting(both, None, "fp32")], {}.get)
    assert m.device.peak[0] == m.device.peak_half[0] == 10e12


def test_intervals_are_factors_of_the_estimate() -> None:
    known = Intervals("made up", {"inference": {"calibrated": 0.5}})
    found = around(100.0, known, "inference", "calibrated")
    assert (found.low, found.high) == pytest.approx((100 * exp(-0.5), 100 * exp(0.5)))
    wide = around(100.0, known, "training", "calibrated")
    assert wide.low < found.low and wide.high > found.high


def test_one_configuration_is_a_row_of_the_search() -> None:
    """The choice of a search, asked for by itself, takes as long and holds as much."""
    shop = provider(offer("alder.8", "alder-x8", on_demand=16.0))
    for scenario, names in (
        ("serve", ("tp", "batch")),
        ("infer", ("batch",)),
        ("train", ("tp", "pp", "micro_batch", "zero_stage")),
    ):
        asked = inputs(GOALS[scenario], devices=[device()], systems=[system()], providers=(shop,), precision=("bf16",))
        (c,) = candidates(asked)
        layout = {name: int(c.layout[name]) for name in names}
        request = Request(
            scenario, c.devices if scenario == "train" else 8, "bf16", input_tokens=500, output_tokens=100, sequence=2048,
            global_batch=64, recompute=("none", "attention", "full").index(str(c.layout.get("recompute", "none"))), **layout,
        )  # fmt: skip
        alone = single(request, subject(scenario), {}.get)
        rate = next(v.value for k, v in alone.figures.items() if k in ("output_tokens_per_s", "tokens_per_s", "samples_per_s"))
        each = c.throughput.value / (c.goodput if scenario == "train" else c.instances)
        assert rate == pytest.approx(each)
        assert sum(alone.memory.values()) == pytest.approx(sum(c.memory.values()))
        assert alone.time == pytest.approx(c.time) and alone.bottleneck == c.bottleneck and alone.fits


def test_single_prices_pro_rata_of_the_cheapest_offer() -> None:
    found = single(Request("serve", devices=4, tp=1), subject("serve"), {}.get)
    assert found.hourly == 8.0 and found.unit_cost is not None
    assert found.unit_cost.value == pytest.approx(8.0 / 3600 / found.figures["output_tokens_per_s"].value * 1e6)


@pytest.mark.parametrize(
    "request_",
    [
        Request("serve", devices=3), Request("serve", devices=8, tp=3), Request("serve", precision="nvfp4"),
        Request("train", 8, tp=3),
        Request("train", 8, pp=5), Request("train", 8, global_batch=12), Request("serve", input_tokens=9000),
    ],
)  # fmt: skip
def test_single_refuses_what_does_not_divide(request_: Request) -> None:
    with pytest.raises(InputError):
        single(request_, subject("serve"), {}.get)


def test_a_larger_batch_is_never_slower_in_sum() -> None:
    rates = [
        single(Request("serve", batch=b, tp=1), subject("serve"), {}.get).figures["output_tokens_per_s"].value for b in (1, 8, 64)
    ]
    assert rates == sorted(rates)


def test_serving_the_same_lengths_costs_the_same_whatever_the_number_of_requests() -> None:
    """Twice the requests take at most twice the instances, and never fewer."""
    few, many = ({c.offer: c.instances for c in candidates(inputs(replace(SERVE, requests_per_second=r)))} for r in (20.0, 40.0))
    assert all(few[o] <= many[o] <= 2 * few[o] for o in few)

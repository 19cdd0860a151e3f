"""The few terms a reader may not know; only those this report uses."""

from planner.report.text import brief
from planner.report.view import latency_keys
from planner.search.result import Result

ORDER = 120
TITLE = "Terms"

_EVIDENCE = [
    ("measured", "This configuration was timed."),
    ("calibrated", "A law fitted to measurements of this device gives the figure."),
    ("family", "A law fitted to a related device, scaled by the datasheets of both."),
    ("datasheet", "Peak figures of the maker only, with typical efficiencies: the widest interval."),
]
_ALWAYS = [
    ("interval", "Two figures between which the truth should lie nine times of ten."),
    ("MFU", "Model FLOP utilisation: the useful arithmetic as a share of the device's peak."),
    ("MBU", "Memory bandwidth utilisation: the bytes that must move as a share of the peak bandwidth."),
    ("front", "Options that no other beats in both cost and throughput."),
]
_LATENCY = {
    "ttft": ("TTFT", "Time to first token: from sending a request to its first output token."),
    "tpot": ("TPOT", "Time per output token after the first."),
}
_LAYOUT = {
    "tp": ("tp", "Tensor parallel: each layer split over so many devices."),
    "pp": ("pp", "Pipeline parallel: the layers dealt out over so many stages."),
    "micro_steps": ("micro steps", "So many passes whose gradients are summed before an update."),
    "dp": ("dp", "Data parallel: so many copies of the model work side by side."),
    "ep": ("ep", "Expert parallel: the experts dealt out over so many devices."),
    "adp": ("adp", "Attention data parallel: so many devices attend to requests of their own and share the experts."),
    "prefill_tp": ("prefill tp", "Tensor parallel of the replicas that take prompts in."),
    "cp": ("cp", "Context parallel: each sequence split over so many devices."),
}
_UNITS = {
    "output tokens/s": "Tokens generated in a second, over all requests; tokens read in are not counted.",
    "tokens/s": "Tokens processed in a second, in and out together.",
    "samples/s": "Samples (images, rows, clips) processed in a second.",
}


def context(result: Result) -> dict[str, object]:
    """Terms in the order evidence, units, latencies, layout."""
    levels = {e.evidence for c in result.candidates for e in (c.throughput, c.cost, *c.latency.values())}
    layouts = dict.fromkeys(name for c in result.candidates for name in c.layout)
    unit = _UNITS.get(result.throughput_unit)
    terms = [(level, text) for level, text in _EVIDENCE if level in levels]
    terms += [(brief(result.throughput_unit, 40), unit)] if unit else []
    terms += [_LATENCY[key] for key in latency_keys(result) if key in _LATENCY]
    return {"terms": terms + [_LAYOUT[name] for name in layouts if name in _LAYOUT] + _ALWAYS}

"""Devices that torch sees on this machine."""

import torch

from planner.errors import InputError, unknown


def device(name: str) -> torch.device:
    """The device of that name; the accelerator if there is one, else the CPU, where none is given."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    kind = name.partition(":")[0] or next(k for k in ("cuda", "mps", "cpu") if there[k])
    if kind not in there:
        raise unknown("device", name, there)
    if not there[kind]:
        raise InputError(f"torch sees no {kind} device here", hint=f"It sees {', '.join(k for k, v in there.items() if v)}.")
    try:
        found = torch.device(name or kind)
    except RuntimeError as error:
        raise InputError(str(error).splitlines()[0]) from None
    return torch.device(found.type, found.index or 0) if found.type == "cuda" else found

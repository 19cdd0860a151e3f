"""Text made safe to show: what cannot be seen becomes visible, what is too long is cut, what is data stays data."""

import json
import math
import re

# Controls (but tab and line feed), bidi and zero-width marks, line separators, lone surrogates, non-characters, tags: in a
# name they hide or reorder what stands beside them, and lone surrogates cannot be written as UTF-8 at all.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_UNSAFE = re.compile(f"[&<>]|{_HIDDEN.pattern}")
_SURROGATE = re.compile("[\ud800-\udfff]")
STEADY = 9
"""Digits of a float in a page: the last bits differ between processors, and a page must not."""


def visible(text: str) -> str:
    """``text`` with every control, bidi or zero-width character written out as ``[U+202E]``."""
    return text if text.isprintable() else _HIDDEN.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


def brief(text: str, limit: int = 120) -> str:
    """``text`` on one line, visible, and not longer than about ``limit`` characters."""
    line = visible(" ".join(text[: 4 * limit].split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def dumps(value: object, indent: int | None = None, digits: int = 0) -> str:
    """``value`` as JSON: NaN and infinities become null, keys keep their order, lone surrogates are escaped; without ``indent``
    as short as it can be; with ``digits`` no float has more of them."""
    apart = (",", ":") if indent is None else None
    text = json.dumps(_finite(value, digits), allow_nan=False, ensure_ascii=False, indent=indent, separators=apart)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def script_json(value: object) -> str:
    """``value`` as JSON that may stand inside a ``<script>``: no ``& < >`` and no hidden character stands bare in it."""
    return _UNSAFE.sub(lambda match: _escaped(match[0]), dumps(value, digits=STEADY))


def percent(fraction: float) -> str:
    """``percent(0.423)`` gives ``"42 %"``; a small share keeps one more digit."""
    if not math.isfinite(fraction):
        return "–"
    return f"{100 * fraction:.0f} %" if abs(fraction) >= 0.0995 or not fraction else f"{100 * fraction:.1f} %"


def plain(name: str) -> str:
    """A key of a record as words: ``reserved_1y`` gives ``"reserved 1y"``; abbreviations in capitals; long ones cut."""
    return _WORDS.get(name) or brief(name.replace("_", " "), 60)


_WORDS = {"kv_cache": "KV cache", "gpu": "GPU", "cpu": "CPU", "tpu": "TPU", "fpga": "FPGA", "asic": "ASIC"}


def _escaped(character: str) -> str:
    """One character as JSON escapes; beyond the basic plane there are two."""
    return f"\\u{ord(character):04x}" if character <= "\uffff" else json.dumps(character)[1:-1]


def _finite(value: object, digits: int) -> object:
    if isinstance(value, float):
        return None if not math.isfinite(value) else float(f"{value:.{digits}g}") if digits else value
    if isinstance(value, dict):
        return {str(key): _finite(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item, digits) for item in value]
    return value

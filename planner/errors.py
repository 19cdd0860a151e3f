"""What the planner says when an input is wrong: one message with file, line, field, and the nearest valid choice."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """Something the user gave is wrong. The command line prints it as one message and exits with 2."""

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = printable(what, 400), printable(where, 300), visible(hint)
        super().__init__(": ".join(part for part in (self.where, self.what) if part) + (f"\n  {self.hint}" if hint else ""))


def unknown(kind: str, name: str, choices: Iterable[str], *, where: str = "", listing: str = "") -> InputError:
    """An InputError for a ``name`` that is none of ``choices``: names the nearest, and the command that lists them all."""
    choices = sorted(choices)
    near = nearest(name, choices)
    hint = f"Did you mean {' or '.join(near)}?" if near else ""
    if not near and len(choices) <= 12:
        hint = f"Known: {', '.join(choices) or 'none'}."
    elif not near and not listing:
        hint = f"Known: {', '.join(choices[:12])} …"
    if listing:
        hint = f"{hint} {listing}".strip()
    return InputError(f"unknown {kind} '{printable(name)}'", where=where, hint=hint)


def nearest(name: str, choices: Iterable[str], limit: int = 3) -> list[str]:
    """The up to ``limit`` choices that look most like ``name``."""
    return get_close_matches(name[:100].lower(), list(choices), n=limit, cutoff=0.6)


def printable(text: str, limit: int = 80) -> str:
    """``text`` as one line safe to print on a terminal: no control or bidi characters, not longer than ``limit``."""
    clean = visible(text[: limit + 1].replace("\n", "\t"))
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def visible(text: str) -> str:
    """``text`` with every character a terminal would act on replaced, line ends kept."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)

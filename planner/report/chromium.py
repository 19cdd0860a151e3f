"""PDF of a report and PNG of its charts, by a Chromium that is installed: nothing is fetched and nothing else is needed."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from planner.errors import InputError
from planner.report.build import STYLES
from planner.report.engine import asset

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
FLAGS = (
    "--headless=new", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
PATIENCE = 90  # seconds for one page
_CHART = re.compile(r'data-chart="([a-z-]+)"[^>]*>\s*<div class="static">(<svg.*?</svg>)</div>', re.DOTALL)
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def find() -> str:
    """Chromium's path: PLANNER_CHROMIUM, or the first of its names on PATH; raises InputError where there is none."""
    found = os.environ.get("PLANNER_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)
    if not found or not Path(found).exists():
        raise InputError("no Chromium is installed", hint="Install chromium, or set PLANNER_CHROMIUM to the path of one.")
    return found


def pdf(page: str, output: Path) -> None:
    """Print a report to ``output``, A4, every chart whole."""
    with tempfile.TemporaryDirectory(prefix="planner-") as folder:
        source, made = Path(folder) / "report.html", Path(folder) / "report.pdf"
        source.write_text(page, encoding="utf-8", newline="")
        _run(folder, f"--print-to-pdf={made}", "--no-pdf-header-footer", source.as_uri())
        _put(made, output)


def png(page: str, folder: Path) -> list[Path]:
    """Every chart of a report as ``<chart>.png`` in ``folder``, twice as fine as a screen; needs charts drawn into the page."""
    charts = _CHART.findall(page)
    if not charts:
        raise InputError("the page has no drawn charts", hint="Install quickjs-ng, the engine that draws them.")
    style = "\n".join(asset(name) for name in STYLES)
    written = []
    with tempfile.TemporaryDirectory(prefix="planner-") as temporary:
        for name, svg in charts:
            size = _SIZE.search(svg)
            width, height = (round(float(x)) for x in size.groups()) if size else (880, 430)
            frame = (
                f"body{{margin:0;padding:12px;max-width:none}}svg{{width:{width}px;height:{height}px;font-family:var(--sans)}}"
            )
            source, made = Path(temporary) / f"{name}.html", Path(temporary) / f"{name}.png"
            source.write_text(f"<!doctype html><meta charset=utf-8><style>{style}{frame}</style><body>{svg}", encoding="utf-8")
            window = f"--window-size={width + 24},{height + 24}"
            _run(temporary, f"--screenshot={made}", window, "--force-device-scale-factor=2", source.as_uri())
            folder.mkdir(parents=True, exist_ok=True)
            _put(made, folder / made.name)
            written.append(folder / made.name)
    return written


def _run(profile: str, *arguments: str) -> None:
    sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    command = [find(), *FLAGS, *sandbox, f"--user-data-dir={profile}/profile", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"could not run: {type(error).__name__}", where=command[0]) from None
    if done.returncode:
        raise InputError(f"failed with status {done.returncode}", where=command[0])


def _put(made: Path, output: Path) -> None:
    try:
        shutil.move(made, output)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(output)) from None

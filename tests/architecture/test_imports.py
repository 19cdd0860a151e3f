"""Which modules each command leaves unimported: start-up cost is a property of the import graph, not of a clock."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "reports" / "serve-llama-70b" / "plan.yaml"
SCRIPT = """
import contextlib, io, json, sys
from planner.cli.main import app
with contextlib.redirect_stdout(io.StringIO()):
    try:
        app(sys.argv[1:], standalone_mode=False)
    except SystemExit:
        pass
print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))
"""
NETWORK = {"httpx", "httpcore", "tenacity", "gpuhunt", "requests", "urllib3"}
HEAVY = {"torch", "pandas", "scipy", "numpy", "pydantic", "yaml", "jinja2", "quickjs", "rich", "pyarrow"} | NETWORK


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        (["report", "--help"], {"pydantic"}),  # typer itself takes it for the parameters
        (["estimate", "llama-3.1-8b", "nvidia-h100-sxm-x8"], {"numpy", "pydantic", "yaml"}),
        (["compare", str(PLAN)], {"numpy", "pydantic", "yaml"}),
        (["report", str(PLAN), "-o", "{tmp}/r.html"], {"numpy", "pydantic", "yaml", "jinja2", "quickjs"}),
        (["hardware", "list"], {"pydantic", "yaml"}),
        (["hardware", "check"], {"numpy", "pydantic", "yaml"}),
        (["prices", "status"], {"pydantic", "yaml"}),
        (["prices", "diff"], {"pydantic", "yaml"}),
        (["workloads", "show", "llama-3.1-8b"], {"numpy", "pydantic", "yaml"}),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_command_imports_only_what_it_needs(arguments, allowed, tmp_path):
    filled = [a.replace("{tmp}", str(tmp_path)) for a in arguments]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *filled], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert loaded & HEAVY <= allowed


def test_no_module_imports_torch():
    for path in (ROOT / "planner").rglob("*.py"):
        if "measure" not in path.parts:
            assert not re.search(r"import torch\b", path.read_text(encoding="utf-8")), path

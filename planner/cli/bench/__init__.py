"""``planner bench``: measure the machine it runs on, and look at what was measured. Needs torch (extra ``bench``)."""

import typer

from planner.cli.bench import compare, peaks, profile, show, verify
from planner.cli.bench.run import EXAMPLES, command

app = typer.Typer(help="Measure this machine with torch, and hold predictions against it.", epilog=EXAMPLES)
app.callback(invoke_without_command=True, epilog=EXAMPLES)(command)
for verb in (show, compare, verify, peaks, profile):
    app.command(name=verb.__name__.rpartition(".")[2], epilog=verb.EXAMPLES)(verb.command)

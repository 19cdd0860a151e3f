"""``planner import``: any model as a workload of operations."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import write
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.schema.graph import Asked, Found

EXAMPLES = """Examples: planner import model.onnx -o model.yaml; planner import torchvision.models:resnet50 --input 3x224x224;
planner import encoder.onnx --dim sequence=128; planner import exported.pt2; planner import bert/config.json --tokens 384"""


def command(
    model: Annotated[
        str,
        typer.Argument(help="ONNX, .pt2, package.module:name of an installed library, config.json, or layers in YAML."),
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to; stdout by default.")] = None,
    input: Annotated[list[str] | None, typer.Option(help="Shape of an input of one sample (package.module:name).")] = None,
    dim: Annotated[list[str] | None, typer.Option(help="Value of a symbolic size: NAME=VALUE (ONNX and .pt2).")] = None,
    set: Annotated[list[str] | None, typer.Option(help="Argument of the class or function: NAME=VALUE.")] = None,
    tokens: Annotated[int, typer.Option(min=1, max=1_000_000, help="Tokens of a sample (a config.json of text).")] = 128,
    name: Annotated[str, typer.Option(help="What to call it.")] = "",
) -> None:
    """Turn a model into a workload of operations with real shapes. Nothing of a file is executed, no pickle is loaded."""
    from planner.catalogue import importing
    from planner.catalogue.graph_file import text
    from planner.model.fusion import workload

    found = _found(importing.asked(model, input or [], dim or [], set or [], tokens))
    made = workload(found, name)
    write(text(made), output)
    typer.echo(importing.summary(made, len(found.nodes)), err=True)


def _found(asked: "Asked") -> "Found":
    from planner.catalogue import importing

    kind = importing.way(asked.model)
    if kind not in ("torch", "exported"):
        return importing.read(asked)
    try:
        from planner.measure import exported
        from planner.measure import importing as modules
    except ImportError:
        raise InputError("reading a torch module needs torch", hint="pip install 'planner[bench]'") from None
    if kind == "exported":
        return exported.read(Path(asked.model), asked.dims)
    return modules.from_name(asked.model, list(asked.inputs), asked.settings)

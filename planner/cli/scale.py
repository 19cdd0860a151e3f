"""``planner scale``: how large a model on how many tokens a budget of computation buys best."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from planner.cli.common import Format, FormatOption, answer, dump, table
from planner.errors import InputError

EXAMPLES = """Examples: planner scale --compute '1e24 FLOP'; planner scale --loss 2.0;
planner scale --parameters '70 billion'; planner scale --parameters '8 billion' --tokens '15 trillion'"""


class LawName(StrEnum):
    """Who fitted the law of loss."""

    epoch = "epoch"
    chinchilla = "chinchilla"
    sardana = "sardana"


def command(
    compute: Annotated[str, typer.Option(help="Training FLOP there are, e.g. '1e24 FLOP' or '3 EFLOP'.")] = "",
    loss: Annotated[float | None, typer.Option(help="Loss to reach, nats a token.")] = None,
    parameters: Annotated[str, typer.Option(help="Parameters of the model, e.g. '70 billion'.")] = "",
    tokens: Annotated[str, typer.Option(help="Tokens to train it on, e.g. '2 trillion'.")] = "",
    law: Annotated[LawName, typer.Option(help="Whose coefficients.")] = LawName.epoch,
    format: FormatOption = Format.table,
) -> None:
    """Parameters, tokens, computation and expected loss by a published scaling law (C = 6 N D)."""
    from planner import units
    from planner.model import scaling

    chosen = scaling.LAWS[law.value]
    if sum(map(bool, (compute, loss is not None, parameters))) != 1 or (tokens and not parameters):
        raise InputError("give one of --compute, --loss and --parameters, and --tokens only with --parameters", hint=EXAMPLES)
    if compute:
        found = scaling.of_compute(chosen, _positive("--compute", compute, "flop"))
    elif loss is not None:
        try:
            found = scaling.of_loss(chosen, loss)
        except ValueError as error:
            raise InputError(str(error), where="--loss") from None
    else:
        size = _positive("--parameters", parameters, "count")
        given = _positive("--tokens", tokens, "count") if tokens else 0.0
        found = scaling.trained(chosen, size, given) if given else scaling.of_model(chosen, size)
    rows = [
        ["parameters", f"{found.parameters:.3g}"], ["tokens", f"{found.tokens:.3g}"], ["training FLOP", f"{found.flop:.3g}"],
        ["tokens a parameter", units.significant(found.tokens / found.parameters)],
        ["expected loss, nats a token", f"{found.loss:.3f}"],
    ]  # fmt: skip
    note = f"By {chosen.source}. Of its own data and tokenizer: compare losses under one law only."
    answer(
        format,
        lambda: dump({"schema_version": 1, **asdict(found), "law": asdict(chosen)}),
        lambda: f"{table(['', ''], rows, 'lr')}\n\n{note}",
    )


def _positive(option: str, text: str, dimension: str) -> float:
    from planner import units

    try:
        value = units.parse(text, dimension)
    except ValueError as error:
        raise InputError(str(error), where=option) from None
    if not 0 < value < 1e40:
        raise InputError(f"'{text}' is not a positive number", where=option)
    return value

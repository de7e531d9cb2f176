"""Options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer

from newsacts.cli.output import OutputFormat

FormatOption = Annotated[
    OutputFormat,
    typer.Option(
        "--format",
        help="table for people; jsonl or csv for programs. In csv, a text that begins with = + - @ gets a leading '.",
        case_sensitive=False,
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Checkpoint folder, hub id ('owner/name'), or fast: a smaller one, where it was built. Default: the one "
        "that ships.",
    ),
]
BackendOption = Annotated[
    str,
    typer.Option("--backend", help="auto: the fastest right one. onnx: CPU, int8 or float32. pytorch: CPU and GPU."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")]
DtypeOption = Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16, float16, int8 (CPU).")]
CascadeOption = Annotated[
    str,
    typer.Option(
        "--cascade", help="off, safe or fast: a tiny first stage discards sentences without a label; see docs/speed.md."
    ),
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say what was chosen (device, precision) and why.")
]
OnErrorOption = Annotated[
    str, typer.Option("--on-error", help="raise: stop at a bad row. skip: leave it out and say so on standard error.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit with code 1 where rows were left out.")]


class Ontology(StrEnum):
    """Event ontologies that the crosswalk knows."""

    cameo = "cameo"
    plover = "plover"


CodesOption = Annotated[
    Ontology | None,
    typer.Option("--codes", help="Add codes of an event ontology, one for each label; see docs/interop.md."),
]

"""The command `new`, which writes a first spec for somebody's data."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tunefront.commands.screen.spinner import at_work
from tunefront.commands.terminal import UserError, say, suggest, writable_folder
from tunefront.printable import printable


class Purpose(StrEnum):
    """What the model is for."""

    TRAINING = "training"
    PHONE = "phone"
    MICROCONTROLLER = "microcontroller"


def new(
    where: Annotated[
        str,
        typer.Argument(
            help="A folder with a folder of images for each class, a CSV file of image files and classes, or of "
            "numbers and categories, or a dataset: digits, mnist, fashion_mnist, cifar10, cifar100."
        ),
    ],
    purpose: Annotated[
        Purpose,
        typer.Option("--for", help="What the model is for: it decides the objectives, the limits and the image size."),
    ] = Purpose.TRAINING,
    name: Annotated[str, typer.Option(help="Name of the study.  [default: that of the folder or file]")] = "",
    label_column: Annotated[
        str,
        typer.Option(
            help="Column of a CSV file with the classes or the numbers to predict.  [default: that of a usual name, or "
            "the last one]"
        ),
    ] = "",
    out: Annotated[Path | None, typer.Option(help="File to write.  [default: NAME.toml]")] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Let the study download ImageNet weights where there are few images.")
    ] = False,
) -> None:
    """Write a commented spec that runs: image size or columns, batch size and epochs follow from the files.

    Nothing is downloaded: weights of a pretrained network are used where Keras's cache has them, or with --download.
    """
    with at_work("looking at the data"):
        from tunefront.search.preparation.first_spec import first_spec
        from tunefront.search.preparation.found_data import look

        found = look(where, name, label_column)
    path = out or Path(f"{found.name}.toml")
    if path.exists():
        raise UserError(f"{path} is there already: name another file with --out, or remove it")
    content = _encoded(first_spec(found, purpose.value, may_download=download, path=path))
    writable_folder(path.parent).mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    counts, examples = found.counts, "rows" if found.has_columns else "images"
    if counts:
        say(f"{sum(counts)} {examples} of {len(counts)} classes, {min(counts)} to {max(counts)} each")
    elif found.n:
        say(f"{found.n} {examples}, each with a number to predict")
    if found.said:
        say(f"{found.said}: name another with --label-column")
    say(f"wrote {path}")
    file = shlex.quote(str(path))
    suggest(f"tunefront data {file}", f"tunefront run {file}")


def _encoded(spec: str) -> bytes:
    """Return the bytes of a spec's file, which TOML wants as UTF-8.

    Raises:
        UserError: If a name in it is no UTF-8.
    """
    try:
        return spec.encode("utf-8")
    except UnicodeEncodeError as error:
        line = spec[: error.start].rpartition("\n")[2] + spec[error.start :].partition("\n")[0]
        raise UserError(
            f"the name of a file or folder is no UTF-8, which a spec must be: {printable(line)}. Rename it"
        ) from None

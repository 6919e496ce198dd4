"""The model to take, as `select` and the end of a run say it: which, why, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunefront.commands.terminal import say
from tunefront.confirmation_price import price_of_confirmation

if TYPE_CHECKING:
    from tunefront.reports.selection.selection import Selection


def say_verdict(choice: Selection, folder: Path) -> None:
    """Say which model to take, why, what others would cost and gain, how sure that is, and where the model lies.

    Args:
        folder: The folder of the study's results.
    """
    from tunefront.reports.selection.sentences import describe_certainty, describe_few, explain

    explained = explain(choice)
    n_heads = len(describe_few(choice.options)) + 1  # that there are too few images, and the choice
    for line in explained[:n_heads]:
        say(line)
    for line in [*explained[n_heads:], *describe_certainty(choice, price_of_confirmation(choice.options))]:
        say(f"  {line}")
    path = chosen_path(choice, folder)
    if path is None:
        say("  Its model was not kept: only those of the front are, while the study runs.")
    else:
        say(f"  Its {'file' if choice.option.file else 'model'}: {from_here(path)}")


def chosen_path(choice: Selection, folder: Path) -> Path | None:
    """Return the path of the chosen file or model; None if it was not kept."""
    option = choice.option
    if option.file is not None:
        return folder / "deployed" / option.file.file
    path = option.training.model_path
    return Path(path) if path else None


def from_here(path: Path) -> Path:
    """Return a path for a person, shorter if it lies below the current folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

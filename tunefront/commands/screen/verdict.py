"""The model to take, as `select` and the end of a run say it: which, why, and how sure that is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from tunefront.commands.terminal import say

if TYPE_CHECKING:
    from tunefront.reports.selection.options import Options
    from tunefront.reports.selection.selection import Selection

_SEEDS = 5  # of `tunefront confirm` without --seeds


def say_verdict(choice: Selection, folder: Path) -> None:
    """Say which model to take, why, what others would cost and gain, how sure that is, and where the model lies.

    Args:
        folder: The folder of the study's results.
    """
    from tunefront.reports.selection.sentences import describe_certainty, explain

    first, *more = [*explain(choice), *describe_certainty(choice, price_of_confirmation(choice.options))]
    say(first)
    for line in more:
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
    return Path(option.trial.model_path) if option.trial.model_path else None


def from_here(path: Path) -> Path:
    """Return a path for a person, shorter if it lies below the current folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def price_of_confirmation(options: Options) -> str:
    """Return the end of a sentence that says what a confirmation would train."""
    from tunefront.objectives.quantities import format_quantity
    from tunefront.search.confirmation.finalists import choose_finalists
    from tunefront.search.confirmation.plan import n_scored

    results = options.results
    finalists = choose_finalists(results.trials, list(results.objectives.values()), n_scored(results.study))
    seconds = {trial.number: trial.measurements.get("trial_seconds", math.nan) for trial in results.trials}
    whole = _SEEDS * sum(seconds[finalist.number] for finalist in finalists)
    time = "" if math.isnan(whole) else f", some {format_quantity(whole, 'seconds')} in all"
    return f"trains the {len(finalists)} best again with {_SEEDS} seeds{time}"

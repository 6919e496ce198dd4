"""What a confirmation would train, for the commands and for Python."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunefront.reports.selection.options import Options

_SEEDS = 5  # of `tunefront confirm` without --seeds


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

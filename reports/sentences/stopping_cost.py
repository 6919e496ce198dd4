"""The cost of stopping trials early, in words: the estimate that a run stores at its end."""

from __future__ import annotations

from tunefront.reports.study_results import StudyResults


def describe_stopping_cost(results: StudyResults) -> str:
    """Say how much of the front the ``pareto`` pruner is expected to have stopped; empty without an estimate."""
    noted = results.front_loss
    if not noted or not noted["n_stopped"]:
        return ""
    n_stopped = noted["n_stopped"]
    which = f"{n_stopped} trial{'s that were' if n_stopped > 1 else ' that was'} stopped"
    # The estimate does not cover stopped trials without an epoch, such as those that a person ended.
    if n_stopped != sum(trial.state == "pruned" and bool(trial.epochs) for trial in results.trials):
        which += " when a run last ended"
    if noted["lost"] is None:
        return f"Too few trials had finished to tell what the {which} would have become."
    share = noted["lost"] / noted["at_risk"] if noted["at_risk"] else 0.0
    accepted = 100 * noted["front_loss"]
    lost = "fewer than 0.1" if noted["lost"] < 0.05 else f"{noted['lost']:.1f}"
    return (
        f"Among the {which}, {lost} members of the front are expected to have been lost "
        f"(90 % interval {noted['low']:.1f} to {noted['high']:.1f}): {100 * share:.2g} % of the front, where "
        f"front_loss accepts {accepted:.2g} %. The interval does not cover that the prediction is wrong: "
        "if models that learn late were stopped before any was seen to the end, more were lost."
    )

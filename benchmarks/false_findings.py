"""How often a report claims what is not so, on made-up results of which the truth is known.

Confirmations of two candidates that are equally accurate, one of them 1 % larger: how often is the larger one, which
is on the edge of the front, left out with 95 % confidence? And studies whose parameters decide nothing: how often does
a report show one that matters? Prints a Markdown table for each.

    python benchmarks/false_findings.py [--confirmations 600] [--studies 300]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from objectives import MEASURES, Axis, Objective, on_front
from reports import StudyResults
from reports.confirmation_statistics import CONFIDENCE, beaten_shares, resampled_means
from reports.importance import find_importance
from storage import StudyRecord, TrialRecord

OBJECTIVES: Mapping[Axis, Objective] = {
    axis: Objective(MEASURES[name])
    for axis, name in (("accuracy", "accuracy"), ("memory", "model_bytes"), ("time", "train_seconds"))
}
PARAMETERS: Mapping[str, BaseDistribution] = {
    "net.dropout": FloatDistribution(0.0, 0.5, step=0.1),
    "net.units": IntDistribution(8, 512, log=True),
    "net.depth": IntDistribution(1, 6),
    "net.kind": CategoricalDistribution(("plain", "residual", "separable")),
    "net.width": FloatDistribution(0.0, 1.0),
}


def share_left_out(n_seeds: int, n_confirmations: int) -> float:
    """Of the larger of two equals, by accuracy and memory."""
    generator = np.random.default_rng(n_seeds)
    objectives = [OBJECTIVES["accuracy"], OBJECTIVES["memory"]]

    def trainings(model_bytes: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.column_stack([generator.normal(0.9, 0.01, n_seeds), np.full(n_seeds, model_bytes)])

    beaten = [
        beaten_shares(resampled_means([trainings(101.0), trainings(100.0)]), objectives)[0].max()
        for _ in range(n_confirmations)
    ]
    return float(np.mean(np.array(beaten) >= CONFIDENCE))


def study_of_chance(seed: int, n_trials: int) -> StudyResults:
    """A study in which every value of every objective is drawn, whatever the parameters are."""
    generator = np.random.default_rng(seed)
    values = np.column_stack([generator.uniform(0.5, 1, n_trials), np.exp(generator.normal(12, 1, (n_trials, 2)))])
    trials = [
        TrialRecord(
            number=number,
            state="complete",
            reason="",
            values=tuple(values[number].tolist()),
            is_feasible=True,
            parameters={name: _draw(generator, distribution) for name, distribution in PARAMETERS.items()},
            measurements={},
            epochs=(),
            n_attempts=1,
            worker_id="",
            slot="",
            started_at=0.0,
            ended_at=1.0,
            model_path="",
            distributions=PARAMETERS,
        )
        for number in range(n_trials)
    ]
    is_on = on_front(values, [objective.measure.direction for objective in OBJECTIVES.values()])
    study = StudyRecord(1, "chance", {}, {}, 0.0)
    return StudyResults(study, [], trials, OBJECTIVES, frozenset(np.flatnonzero(is_on).tolist()))


def _draw(generator: np.random.Generator, distribution: BaseDistribution) -> object:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(generator.integers(len(distribution.choices)))]
    if isinstance(distribution, IntDistribution):
        return int(generator.integers(distribution.low, distribution.high + 1))
    assert isinstance(distribution, FloatDistribution)
    return float(round(generator.uniform(distribution.low, distribution.high), 1))


def shows_something(results: StudyResults) -> bool:
    """Whether the report names a parameter that matters."""
    shares = find_importance(results).shares.values()
    return any(share.is_clear for by_target in shares for share in by_target.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--confirmations", type=int, default=600)
    parser.add_argument("--studies", type=int, default=300)
    given = parser.parse_args()
    print(f"| seeds | of {given.confirmations} confirmations of equals, the larger one is left out in |\n|---|---|")
    for n_seeds in (2, 3, 5, 10):
        print(f"| {n_seeds} | {share_left_out(n_seeds, given.confirmations):.1%} |", flush=True)
    print(f"\n| trials | of {given.studies} studies where nothing matters, so many show one that does |\n|---|---|")
    for n_trials in (30, 100):
        n_shown = sum(shows_something(study_of_chance(seed, n_trials)) for seed in range(given.studies))
        print(f"| {n_trials} | {n_shown} |", flush=True)


if __name__ == "__main__":
    main()

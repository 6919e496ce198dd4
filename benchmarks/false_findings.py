"""The rate of false findings in reports, on made-up results of which the truth is known.

The first table is of confirmations of two equally accurate candidates on 360 test images, one of them 1 % larger. How
often is the larger one, which is on the edge of the front, left out with 95 % confidence: by the seeds' scores alone,
and image by image as in a report? How often if it is worse? With two seeds, a report leaves out nothing in any case.
The second table is of studies whose parameters have no effect. How often does a report show one that matters? Both are
printed as Markdown.

    python benchmarks/false_findings.py [--confirmations 400] [--studies 300]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tunefront.objectives.dominance import on_front
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.reports.confirmation.image_scores import drawn_scores
from tunefront.reports.confirmation.statistics import CONFIDENCE, beaten_shares, resampled_means
from tunefront.reports.importance.importance import find_importance
from tunefront.reports.study_results import StudyResults
from tunefront.storage.answers import Answers
from tunefront.storage.open_study import StudyRecord
from tunefront.storage.trials import TrialRecord

OBJECTIVES: Mapping[Axis, Objective] = {
    axis: Objective(MEASURES[name])
    for axis, name in (("accuracy", "accuracy"), ("memory", "model_bytes"), ("time", "train_seconds"))
}
N_IMAGES = 360
MEAN_LOGIT = 3.68  # with all variation, gives an accuracy of 95 %
LOGIT_SHIFTS = {"worse by 2 points": 0.527, "worse by 4 points": 1.524}  # the smaller one has 97 %, and 99 %
Right = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]  # which images n trainings get right, shape (n, N_IMAGES)
PARAMETERS: Mapping[str, BaseDistribution] = {
    "net.dropout": FloatDistribution(0.0, 0.5, step=0.1),
    "net.units": IntDistribution(8, 512, log=True),
    "net.depth": IntDistribution(1, 6),
    "net.kind": CategoricalDistribution(("plain", "residual", "separable")),
    "net.width": FloatDistribution(0.0, 1.0),
}


@dataclass(frozen=True)
class LeftOut:
    """The shares of confirmations in which the larger candidate is left out, by accuracy and memory."""

    by_seeds: float
    by_image: float


def share_left_out(n_seeds: int, n_confirmations: int, shift: float) -> LeftOut:
    """Return how often the larger of two candidates is left out if the smaller is better by `shift` in logits.

    An image's logit is a sum of terms: one for all trainings, one for a candidate, one for a training, and the shift of
    the training's seed. On average, about 95 % of the images are right.
    """
    generator = np.random.default_rng(n_seeds)
    found = np.array(
        [_beaten_confidences(*_draw_two_candidates(generator, n_seeds, shift)) for _ in range(n_confirmations)]
    )
    return LeftOut(*(found >= CONFIDENCE).mean(axis=0).tolist())


def _draw_two_candidates(generator: np.random.Generator, n_seeds: int, shift: float) -> tuple[Right, Right]:
    """Draw which images each training gets right, for the larger and for the smaller candidate."""
    hardness = generator.normal(0, 2, N_IMAGES)
    candidates = []
    for logit in (MEAN_LOGIT, MEAN_LOGIT + shift):
        own = hardness + generator.normal(0, 0.7, N_IMAGES) + generator.normal(0, 0.15, (n_seeds, 1))
        candidates.append(logit + own + generator.normal(0, 0.7, (n_seeds, N_IMAGES)) > 0)
    return candidates[0], candidates[1]


def _beaten_confidences(larger: Right, smaller: Right) -> tuple[float, float]:
    """Return the confidence that the larger one is beaten, over seeds alone and over seeds and images."""
    objectives = [OBJECTIVES["accuracy"], OBJECTIVES["memory"]]
    rows = np.concatenate([larger, smaller])
    answers = {number: Answers([1] * N_IMAGES, row.astype(int).tolist()) for number, row in enumerate(rows)}
    drawn = np.column_stack(list(drawn_scores(answers, "accuracy", n_classes=2).values()))
    samples = [
        np.column_stack([right.mean(axis=1), np.full(len(right), size)])
        for right, size in ((larger, 101.0), (smaller, 100.0))
    ]
    kinds = (None, [drawn[:, : len(larger)], drawn[:, len(larger) :]])
    by_seeds, by_image = (
        float(beaten_shares(resampled_means(samples, scores, score_column=0), objectives)[0, 1]) for scores in kinds
    )
    return by_seeds, by_image


def study_of_chance(seed: int, n_trials: int) -> StudyResults:
    """Make a study in which all values of all objectives are random, whatever the parameters are."""
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
    """Return whether the report names a parameter that matters."""
    return bool(find_importance(results).clear)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--confirmations", type=int, default=400)
    parser.add_argument("--studies", type=int, default=300)
    given = parser.parse_args()
    n = given.confirmations
    titles = " | ".join(LOGIT_SHIFTS)
    print(f"| seeds | equals, by seeds alone | equals, image by image | {titles} |\n|---|---|---|---|---|")
    for n_seeds in (2, 3, 5, 10):
        equal = share_left_out(n_seeds, n, 0.0)
        worse = [share_left_out(n_seeds, n, shift).by_image for shift in LOGIT_SHIFTS.values()]
        shares = (equal.by_seeds, equal.by_image, *worse)
        print(f"| {n_seeds} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)
    print(f"\n| trials | of {given.studies} studies where nothing matters, so many show one that does |\n|---|---|")
    for n_trials in (30, 100):
        n_shown = sum(shows_something(study_of_chance(seed, n_trials)) for seed in range(given.studies))
        print(f"| {n_trials} | {n_shown} |", flush=True)


if __name__ == "__main__":
    main()

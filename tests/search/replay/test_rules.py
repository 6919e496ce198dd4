from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from tests.search.recorded import crossing, recording, training
from tests.search.replay.test_clock import InOrder
from tunefront.search.pruning.finished_trials import FinishedTrial, FinishedTrials
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.search.pruning.verdict import Verdict
from tunefront.search.replay import PlayedTrial, RecordedTable, Rule, make_table, parse_pruner, play
from tunefront.search.replay.choosers import RandomOrder
from tunefront.search.replay.rules import SameRungDominance


def played(table: RecordedTable, pruner: str, n_workers: int = 1) -> list[PlayedTrial]:
    return play(table, InOrder(), parse_pruner(pruner).make(table, table.n_candidates), n_workers, table.n_candidates)


def epochs_by_candidate(trials: list[PlayedTrial]) -> list[int]:
    return [trial.epochs for trial in sorted(trials, key=lambda trial: trial.candidate)]


def test_without_pruning_everything_is_trained_to_its_end() -> None:
    table = make_table(crossing(10, epochs=9))
    assert epochs_by_candidate(played(table, "none")) == [9] * 10


def test_the_oracle_stops_what_is_not_on_the_front_after_one_epoch() -> None:
    table = make_table(
        recording(
            training(0, [0.1, 0.2, 0.9], model_bytes=3000.0),
            training(1, [0.8, 0.8, 0.8], model_bytes=4000.0),  # never better than 0
            training(2, [0.1, 0.1, 0.3], model_bytes=1000.0),
            training(3, [0.1, 0.1, 0.3], model_bytes=1001.0),
        )
    )
    assert epochs_by_candidate(played(table, "oracle", n_workers=2)) == [3, 1, 3, 1]


def test_foresight_knows_the_end_of_each_trial_and_what_is_complete() -> None:
    table = make_table(
        recording(
            training(0, [0.1, 0.2, 0.5], model_bytes=3000.0),  # nothing is complete yet
            training(1, [0.9, 0.9, 0.9], model_bytes=2000.0),
            training(2, [0.1, 0.1, 0.9], model_bytes=2000.0),  # a tie
            training(3, [0.1, 0.1, 0.8], model_bytes=2500.0),
            training(4, [0.1, 0.1, 0.95], model_bytes=9000.0),
        )
    )
    assert epochs_by_candidate(played(table, "foresight")) == [3, 3, 3, 1, 3]


def test_dominance_compares_with_what_reached_the_same_rung_before() -> None:
    table = make_table(
        recording(
            training(0, [0.5, 0.6, 0.6, 0.6], model_bytes=1000.0),
            training(1, [0.4, 0.9, 0.9, 0.9], model_bytes=2000.0),  # dominated by 0 after the first epoch
            training(2, [0.4, 0.4, 0.4, 0.9], model_bytes=900.0),  # smaller
            training(3, [0.6, 0.6, 0.6, 0.6], model_bytes=1000.0),  # better at first, then a tie
            training(4, [0.6, 0.6, 0.6, 0.6], model_bytes=1001.0),
        )
    )
    assert SameRungDominance(table).asked_after == (1, 2, 3)
    assert epochs_by_candidate(played(table, "dominance")) == [4, 1, 4, 4, 1]


def test_dominance_counts_what_was_stopped_at_that_rung() -> None:
    table = make_table(
        recording(
            training(0, [0.5, 0.5], model_bytes=1000.0),
            training(1, [0.5, 0.5], model_bytes=2000.0),  # stopped by 0
            training(2, [0.4, 0.4], model_bytes=2000.0, epoch_seconds=0.5),  # faster than both
            training(3, [0.4, 0.4], model_bytes=2001.0),  # worse than all of them
        )
    )
    rule = SameRungDominance(table)
    assert [rule.goes_on(candidate, 1) for candidate in (1, 3, 2, 0)] == [True, False, True, True]
    assert [candidate.epochs for candidate in played(table, "dominance")] == [2, 1, 2, 1]


def test_pareto_is_asked_as_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, dict[str, float], list[float], int | None]] = []
    pruners: list[ParetoPruner] = []

    def judge(
        self: ParetoPruner,
        curve: list[object],
        known: dict[str, float],
        finished: FinishedTrials,
        n_ended: int | None = None,
    ) -> Verdict:
        pruners.append(self)
        seen.append((len(curve), dict(known), finished.best_so_far[:, -1].tolist(), n_ended))
        return Verdict(goes_on=known["model_bytes"] != 2000.0)

    monkeypatch.setattr(ParetoPruner, "judge", judge)
    table = make_table(
        recording(
            training(0, [0.1, 0.2, 0.3, 0.4, 0.2], model_bytes=1000.0),
            training(1, [0.1, 0.1, 0.1, 0.1, 0.1], model_bytes=2000.0),
            training(2, [0.1, 0.1, 0.1, 0.1, 0.1], model_bytes=3000.0),
        )
    )
    assert epochs_by_candidate(played(table, "pareto:0.2")) == [5, 2, 5]
    assert seen == [
        (2, {"model_bytes": 1000.0}, [], 0),
        (3, {"model_bytes": 1000.0}, [], 0),
        (4, {"model_bytes": 1000.0}, [], 0),
        (2, {"model_bytes": 2000.0}, [0.4], 1),
        (2, {"model_bytes": 3000.0}, [0.4], 2),
        (3, {"model_bytes": 3000.0}, [0.4], 2),
        (4, {"model_bytes": 3000.0}, [0.4], 2),
    ]
    assert parse_pruner("pareto:0.2:1").make(table, 3).asked_after == (1, 2, 3, 4)
    assert (pruners[0].front_loss, pruners[0].uses_tolerance, pruners[0].guessing) == (0.2, True, table.guessing)
    parse_pruner("strict:0.2").make(table, 3).goes_on(0, 1)
    assert not pruners[-1].uses_tolerance


def test_pareto_learns_from_whole_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[FinishedTrial] = []
    monkeypatch.setattr(FinishedTrials, "add", lambda self, trial: added.append(trial))
    table = make_table(
        recording(
            training(0, [0.1, 0.4, 0.2], model_bytes=1000.0),
            training(1, [0.1, 0.1, 0.1], model_bytes=2000.0),
        )
    )
    rule = parse_pruner("pareto").make(table, 2)
    rule.start(1)
    rule.start(0)
    rule.end(1, is_complete=False)
    rule.end(0, is_complete=True)
    (trial,) = added
    assert (trial.number, trial.best_so_far.tolist(), trial.values) == (1, [0.1, 0.4, 0.4], (0.4, 1000.0, 2.25))
    assert trial.seconds_so_far["train_seconds"].tolist() == [0.75, 1.5, 2.25]


def test_pareto_stops_some_trials_of_crossing_curves() -> None:
    table = make_table(crossing())
    trials = played(table, "pareto:0.5")
    assert 0 < sum(not trial.is_complete for trial in trials) < table.n_candidates
    assert sum(trial.epochs for trial in trials) < table.n_candidates * table.epochs


def by_optuna(table: RecordedTable, pruner: optuna.pruners.BasePruner) -> list[int]:
    """Return the epochs of each candidate in a plain loop with Optuna, one after another."""
    study = optuna.create_study(direction="maximize", pruner=pruner)
    epochs = []
    for curve in table.curves:
        trial = study.ask()
        for epoch in curve:
            trial.report(epoch.accuracy, epoch.epoch)
            if epoch.epoch < table.epochs and trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                break
        else:
            study.tell(trial, max(epoch.accuracy for epoch in curve))
        epochs.append(epoch.epoch)
    return epochs


@pytest.mark.parametrize(
    ("name", "pruner"),
    [("median", optuna.pruners.MedianPruner), ("halving", optuna.pruners.SuccessiveHalvingPruner)],
)
def test_optunas_pruners_do_as_in_optuna(name: str, pruner: type[optuna.pruners.BasePruner]) -> None:
    table = make_table(crossing())
    expected = by_optuna(table, pruner())
    assert epochs_by_candidate(played(table, name)) == expected
    assert 0 < sum(epochs < table.epochs for epochs in expected) < table.n_candidates


def test_median_by_hand() -> None:
    # The first five trials complete with 0.1 to 0.5 in each epoch, so the median is 0.3.
    curves = [[level] * 3 for level in (0.1, 0.2, 0.3, 0.4, 0.5)]
    candidates = [*curves, [0.29, 0.9, 0.9], [0.31, 0.31, 0.1]]
    table = make_table(recording(*(training(number, curve) for number, curve in enumerate(candidates))))
    assert epochs_by_candidate(played(table, "median")) == [3, 3, 3, 3, 3, 1, 3]


@pytest.mark.parametrize("name", ["none", "oracle", "foresight", "dominance", "median", "halving", "pareto"])
def test_every_rule_ends_every_trial_when_workers_are_many(name: str) -> None:
    table = make_table(crossing(12))
    rule: Rule = parse_pruner(name).make(table, 12)
    trials = play(table, RandomOrder(table, seed=1), rule, n_workers=5, n_trials=12)
    assert sorted(trial.candidate for trial in trials) == list(range(12))

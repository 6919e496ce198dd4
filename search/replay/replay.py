"""A replay: every strategy, several times, over a recorded study."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import optuna

from tunefront.objectives.tolerance import describe_tolerance
from tunefront.search.replay.choosers import RANDOM, make_chooser
from tunefront.search.replay.clock import play
from tunefront.search.replay.recorded_table import RecordedTable, make_table
from tunefront.search.replay.recording import Recording, RecordingError
from tunefront.search.replay.results import RepeatResult, ReplayResults, measure
from tunefront.search.replay.strategies import Strategy
from tunefront.search.sampling.seeds import trial_seed
from tunefront.search.system.child_environment import child_environment, chosen_safe_path, restore_safe_path
from tunefront.search.system.optuna_log import quiet_optuna
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space

Progress = Callable[[int, int], None]  # repeats done, and how many there are


@dataclass(frozen=True)
class _Player:
    """A player of single repeats of strategies.

    Attributes:
        tables: The tables, one for each seed that candidates were trained with.
    """

    tables: Sequence[RecordedTable]
    space: Space | OwnSpace
    seed: int
    n_trials: int

    def __call__(self, job: tuple[Strategy, int]) -> RepeatResult:
        strategy, repeat = job
        table = self.tables[repeat % len(self.tables)]
        with quiet_optuna(optuna.logging.ERROR):
            chooser = make_chooser(strategy.sampler, table, self.space, trial_seed(self.seed, repeat))
            rule = strategy.pruner.make(table, self.n_trials)
            return measure(table, play(table, chooser, rule, strategy.n_workers, self.n_trials))


def replay(
    recording: Recording,
    strategies: Sequence[Strategy],
    n_repeats: int = 50,
    seed: int = 0,
    n_trials: int | None = None,
    n_processes: int = 1,
    progress: Progress = lambda done, total: None,
) -> ReplayResults:
    """Play every strategy `n_repeats` times, each time in another order.

    Repeat i has the same order in every strategy that samples at random, and the same seed in every other. If
    candidates were trained with several seeds, repeats take turns with them. The code of a user's own space runs only
    if :func:`asks_space`.

    Args:
        n_trials: The number of trials of each repeat; None, or more than there are candidates, means all of them.
        n_processes: The number of processes, on which the results do not depend.

    Raises:
        RecordingError: If the table cannot be played back.
        ValueError: If there is nothing to play.
    """
    if n_repeats < 1 or not strategies or (n_trials is not None and n_trials < 1):
        raise ValueError("give at least one strategy, one repeat and one trial")
    tables = _tables(recording)
    n_all = tables[0].n_candidates
    space = recording.spec.parsed_space()
    player = _Player(tables, space, seed, min(n_trials or n_all, n_all))
    jobs = list(product(strategies, range(n_repeats)))
    outcomes: dict[Strategy, list[RepeatResult]] = {strategy: [] for strategy in strategies}
    with _explain_code_errors(), _mapping(n_processes) as mapped:
        if isinstance(space, OwnSpace) and asks_space(strategies):
            space.load()  # loaded in this process first, so that an error comes before others are started
        for done, ((strategy, _), outcome) in enumerate(zip(jobs, mapped(player, jobs), strict=True), start=1):
            outcomes[strategy].append(outcome)
            progress(done, len(jobs))
    return ReplayResults(_facts(recording, tables, n_repeats, seed, player.n_trials), outcomes)


def asks_space(strategies: Sequence[Strategy]) -> bool:
    """Return whether a strategy samples from the study's space; a random order needs only the recorded candidates."""
    return any(strategy.sampler != RANDOM for strategy in strategies)


@contextmanager
def _explain_code_errors() -> Iterator[None]:
    """Turn errors of a user's own space, here or in another process, into an error with a remedy."""
    try:
        yield
    except SpaceError as error:
        raise RecordingError(
            f"the space of this recording is code of its own that cannot be used here ({error}). Run this in the "
            f"folder that the study ran in, or play back --sampler {RANDOM}, which does not need it"
        ) from None


def _tables(recording: Recording) -> list[RecordedTable]:
    seeds = sorted({trial.seed for trial in recording.trials})
    return [make_table(recording, seed) for seed in seeds or [0]]


_Map = Callable[[_Player, Sequence[tuple[Strategy, int]]], Iterator[RepeatResult]]


@contextmanager
def _mapping(n_processes: int) -> Iterator[_Map]:
    """Yield `map` in so many processes; they are spawned, because a fork of a threaded process may hang."""
    if n_processes == 1:
        yield map
        return
    context, safe_path = multiprocessing.get_context("spawn"), chosen_safe_path()
    with child_environment(), ProcessPoolExecutor(n_processes, context, restore_safe_path, (safe_path,)) as pool:
        yield lambda player, jobs: pool.map(player, jobs, chunksize=5)


def _facts(
    recording: Recording, tables: Sequence[RecordedTable], n_repeats: int, seed: int, n_trials: int
) -> dict[str, Any]:
    table = tables[0]
    return {
        "study": recording.spec.name,
        "dataset": recording.dataset.get("source", ""),
        "n_candidates": table.n_candidates,
        "n_trainings": len(recording.trials),
        "n_seeds": len(tables),
        "n_failed": recording.n_failed,
        "epochs": table.epochs,
        "n_front": [int(each.is_front.sum()) for each in tables],
        "objectives": [objective.measure.name for objective in table.objectives.values()],
        "tolerances": [
            f"{describe_tolerance(objective)} of {objective.measure.name}" for objective in table.objectives.values()
        ],
        "n_repeats": n_repeats,
        "n_trials": n_trials,
        "seed": seed,
        "machines": list(recording.machines),
    }

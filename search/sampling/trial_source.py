"""The source of trials: the queue, and behind it a sampler or the grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from tunefront.search.sampling.drawn_trial import draw
from tunefront.search.sampling.grouped_tpe import GroupedTpeSampler, SeenTrials
from tunefront.search.sampling.population.choice import MemberChoice, MemberChooser
from tunefront.search.sampling.population.member_sampler import MemberSampler
from tunefront.search.sampling.samplers import make_sampler, most_again
from tunefront.search.sampling.seeds import seed_again, trial_seed
from tunefront.search.sampling.surrogate.hypervolume_sampler import HypervolumeSampler
from tunefront.search.sampling.tried_candidates import TriedCandidates
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.tables import GridTable, QmcTable
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.grid import Grid
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.parameters import SteeredTrial, parameters_of
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space
from tunefront.spaces.stages.staged_candidate import staged_candidate
from tunefront.storage import queue, studies
from tunefront.storage.attempts import Lease, Progress
from tunefront.storage.counts import count
from tunefront.storage.database.candidates.drawn_parameters import DrawnParameters
from tunefront.storage.database.candidates.stored_candidates import StoredCandidates, fix
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.population import stages, turns

_ASK_NOTHING = (RandomSampler, MemberSampler, GroupedTpeSampler, HypervolumeSampler)  # of what Optuna's `ask` has read


class TrialSource:
    """The source from which a supervisor gets the next trial of its study.

    Args:
        study: The study; only this class sets the sampler of its Optuna study.
        chooser: What chooses the next trial in the place of Optuna; None if trials come in the order of their numbers.
    """

    def __init__(
        self,
        study: OpenStudy,
        spec: StudySpec,
        space: Space | OwnSpace,
        worker_id: str,
        chooser: MemberChooser | None = None,
    ) -> None:
        self._study = study
        self._spec = spec
        self._space = space
        self._worker_id = worker_id
        self._chooser = chooser
        self._seen = SeenTrials()
        self._drawn = DrawnParameters(study.store.engine, study.study_id)
        self._candidates = StoredCandidates(study.store.engine, study.study_id)
        self._idle_sampler = RandomSampler(seed=0)
        self._study.optuna.sampler = self._idle_sampler
        self._grid = Grid(space, spec.seed) if isinstance(spec.sampler, GridTable) else None
        is_free = chooser is None and spec.confirms is None
        self._tried = TriedCandidates(space) if is_free and not getattr(spec.sampler, "repeats", True) else None
        self._distributions = parameters_of(space).distributions if isinstance(spec.sampler, QmcTable) else None

    def lease(
        self, slot: str, machine: str = "", progress: Callable[[int, int], Progress] = lambda number, n: Progress()
    ) -> tuple[Lease, optuna.Trial] | None:
        """Take the next waiting trial or a new one; None if enough are finished or running, or none is left.

        A sampler reads and writes data of other trials only here, under the study's lock. So generations, sequences
        and grids are the same however many workers there are.

        Args:
            machine: The kind of machine that the slot is on.
            progress: Returns what a trial can go on from, see :func:`queue.lease_next`.

        Raises:
            StoreError: If the study has other limits by now, which means that this worker was taken for lost.
        """
        with self._study.exclusively() as check_lock:
            studies.check_limits(self._study)
            choice = self._choose()
            if choice is None:
                return None
            waiting = choice.waiting
            sampler = self._study.optuna.sampler = self._sampler(waiting)
            leased = queue.lease_next(
                self._study,
                self._spec.trials,
                self._worker_id,
                slot,
                machine=machine,
                progress=progress,
                only_waiting=self._spec.confirms is not None,
                counts=count(self._study, is_read=True) if self._chooser is None and self._grid is None else None,
                # Optuna's `ask` reads all trials. It is needed where a sampler looks at what was read then.
                take=turns.take if isinstance(sampler, _ASK_NOTHING) else None,
                waiting=None if waiting is None else waiting.number,
                check_lock=check_lock,
            )
            if leased is None:
                self._study.optuna.sampler = self._idle_sampler
            else:
                _ = leased[1].relative_params  # Optuna would sample these at the first suggestion, without the lock
                if self._tried is not None and not (waiting is not None and waiting.params):
                    self._settle(self._tried, leased[1], waiting)
            return leased

    def suggest(self, trial: optuna.Trial) -> Candidate:
        """Sample the leased trial's candidate.

        Raises:
            SpaceError: If a user's own space raises, or returns no candidate.
        """
        with self._drawn.of(trial):
            candidate = self._space.suggest(trial)
        found = stages.read(trial.user_attrs)
        if found:
            candidate = staged_candidate(self._space, trial.params, stages.changes(found))
        # What samplers do when a trial ends is not needed here, and CMA-ES would warn of every constraint.
        self._study.optuna.sampler = self._idle_sampler
        return candidate

    def is_exhausted(self) -> bool:
        """Return whether no untried candidate is left: the grid is done, or the space."""
        if self._study.states.unfinished():
            return False
        if self._tried is not None and not self._tried.is_endless:
            self._meet(self._tried)
            return self._tried.is_exhausted()
        if self._grid is None:
            return False
        return self._grid.next_point(self._study.optuna.get_trials(deepcopy=False)) is None

    def _choose(self) -> MemberChoice | None:
        """Choose the trial that is next; None if there is no candidate for one now."""
        if self._chooser is not None:
            return self._chooser.choose(self._study.optuna.get_trials(deepcopy=False))
        waiting = self._first_waiting()
        if waiting is None and self._grid is not None:
            if not self._enqueue_point(self._grid):
                return None
            waiting = self._first_waiting()
        if self._tried is not None and not (waiting is not None and waiting.params):
            self._meet(self._tried)
            if waiting is None and self._tried.is_exhausted():
                return None
        return MemberChoice(waiting)

    def _meet(self, tried: TriedCandidates) -> None:
        """Note the candidates of all trials, those of other workers too. Which trials there are was read just now."""
        states = self._study.states
        tried.meet(self._candidates.read_new(states.n_trials(), states.last()[0]))

    def _first_waiting(self) -> FrozenTrial | None:
        states = self._study.states.unfinished()
        number = next((number for number, state in states.items() if state == TrialState.WAITING), None)
        return None if number is None else self._study.store.optuna.get_trial(self._study.trial_id(number))

    def _enqueue_point(self, grid: Grid) -> bool:
        counts = count(self._study)
        point = grid.next_point(self._study.optuna.get_trials(deepcopy=False))
        if point is None or counts.finished + counts.running >= self._spec.trials:
            return False
        self._study.optuna.enqueue_trial(dict(point))
        return True

    def _settle(self, tried: TriedCandidates, trial: optuna.Trial, waiting: FrozenTrial | None) -> None:
        """Draw the trial's candidate and store it, so that other workers know it before they draw theirs.

        What a person has queued is trained as it is. Any other candidate that was tried is drawn again, and at last
        gives way to its nearest neighbour.
        """
        fixed = trial._fixed_params
        try:
            candidate: SteeredTrial = draw(self._space, trial, self._study.optuna.sampler, fixed)
            if waiting is None or not (fixed or "start" in waiting.user_attrs):
                candidate = self._untried(tried, trial, candidate)
        except (SpaceError, UpdateFinishedTrialError):  # `suggest` raises it again, where the trial can be told of
            return
        trial._fixed_params = parameters = dict(candidate.params)
        fix(self._study.store.engine, trial._trial_id, parameters)
        tried.meet([parameters])
        if waiting is None:
            self._candidates.note_own(trial._trial_id)

    def _untried(self, tried: TriedCandidates, trial: optuna.Trial, first: SteeredTrial) -> SteeredTrial:
        candidate, n_before, most = first, 0, most_again(self._spec.sampler)
        while candidate in tried and n_before < most:
            n_before += 1
            sampler = self._make(trial.number, n_before)
            candidate = draw(self._space, trial, sampler, {}, again=True)
        if candidate not in tried:
            return candidate
        random = np.random.default_rng(seed_again(self._spec.seed, trial.number, most + 1))
        return tried.nearest_untried(first, random) or first

    def _make(self, number: int, n_before: int = 0) -> BaseSampler:
        table, seed = self._spec.sampler, self._spec.seed
        return make_sampler(table, seed, number, self._distributions, self._seen, n_before, self._space)

    def _sampler(self, waiting: FrozenTrial | None) -> BaseSampler:
        number = self._study.states.n_trials() if waiting is None else waiting.number
        if waiting is not None and waiting.params:
            # The trial was given back with its parameters, so nothing is left to choose, and no sequence advances.
            return RandomSampler(seed=trial_seed(self._spec.seed, number))
        return self._make(number)

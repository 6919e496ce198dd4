"""The states of a study's trials as a process knows them: it reads only what may have changed since the last time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from optuna.trial import TrialState
from sqlalchemy.engine import Connection, Engine

from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.database.connection import reading
from tunefront.storage.outcomes import Outcome

# Outcomes that Optuna has no state for -> the state that it lists them under.
_LISTED_AS = {Outcome.REFUSED: TrialState.PRUNED, Outcome.CANCELLED: TrialState.FAIL}
_MOST_NAMED = 500  # trials that one statement names one by one; databases limit these


class TrialStates:
    """The states of a study's trials, which cost the same to keep up to date however many trials have ended.

    A trial that has ended keeps its state for good, so it is read once. Each time, the trials are read that had not
    ended, and those that are new. Trials are numbered without a gap, so that a missing one is noticed. Then, and
    where a trial is gone that was there, all are read anew.
    """

    def __init__(self, engine: Engine, study_id: int) -> None:
        self._engine = engine
        self._study_id = study_id
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._ids: dict[int, int] = {}  # number -> Optuna's key
        self._last_id = self._last_number = -1
        self._open: dict[int, TrialState] = {}  # number -> state, of the trials that may change
        self._n_ended: Counter[TrialState | Outcome] = Counter()
        self._complete: list[int] = []
        self._outcomes: Mapping[int, Outcome] = {}  # that Optuna has no state for, of trials that may change

    def count(self, *, is_read: bool = False) -> Counter[TrialState | Outcome]:
        """Count the trials by their state, or by the outcome that Optuna has no state for.

        Args:
            is_read: Whether they were read a moment ago, so that nothing is read again.

        Raises:
            KeyError: If the study was deleted.
        """
        with self._lock:
            if not is_read:
                self._refresh()
            return self._n_ended + Counter(self._outcomes.get(number, state) for number, state in self._open.items())

    def unfinished(self) -> dict[int, TrialState]:
        """Return the state of each trial that waits or runs, by its number, in their order.

        Raises:
            KeyError: If the study was deleted.
        """
        with self._lock:
            self._refresh()
            return {number: state for number, state in sorted(self._open.items()) if not state.is_finished()}

    def complete(self) -> Sequence[int]:
        """Return the numbers of the complete trials in the order in which they were seen.

        It is the same object each time, with new ones at its end, unless trials are gone.

        Raises:
            KeyError: If the study was deleted.
        """
        with self._lock:
            self._refresh()
            return self._complete

    def n_trials(self) -> int:
        """Return the number of trials, in whatever state, when they were last read."""
        return len(self._ids)

    def last(self) -> tuple[int, int]:
        """Return key and number of the last trial that was read, or noted; -1 each if there is none."""
        with self._lock:
            return self._last_id, self._last_number

    def trial_id(self, number: int) -> int:
        """Return Optuna's key of a trial.

        Raises:
            KeyError: If there is no such trial.
        """
        with self._lock:
            if number not in self._ids:
                self._refresh()
            return self._ids[number]

    def state(self, number: int) -> TrialState:
        """Read the state of a trial.

        Raises:
            KeyError: If there is no such trial.
        """
        trial_id = self.trial_id(number)
        with reading(self._engine) as connection:
            state = optuna_tables.state_of(connection, trial_id)
        if state is None:
            raise KeyError(f"there is no trial {number} any more")
        return state

    def note_running(self, number: int, trial_id: int) -> None:
        """Note a trial that this process has just started, under the study's lock, so that nobody else made one."""
        with self._lock:
            self._note(number, trial_id, TrialState.RUNNING)

    def _note(self, number: int, trial_id: int, state: TrialState) -> None:
        self._ids[number] = trial_id
        self._last_id, self._last_number = max(self._last_id, trial_id), max(self._last_number, number)
        self._open[number] = state

    def _refresh(self) -> None:
        with reading(self._engine) as connection:
            rows = self._read(connection)
            if not self._is_whole(rows):
                self._forget()
                rows = self._read(connection)
            for number, trial_id, state in rows:
                self._note(number, trial_id, state)
            # The outcome is written before Optuna is told of the state, so it is read after that.
            ended = {number: state for number, state in self._open.items() if state.is_finished()}
            outcomes, unsettled = self._read_outcomes(connection, ended)
        for number in sorted(ended.keys() - unsettled):
            state = self._open.pop(number)
            self._n_ended[outcomes.pop(number, state)] += 1
            if state == TrialState.COMPLETE:
                self._complete.append(number)
        self._outcomes = outcomes

    def _read(self, connection: Connection) -> list[tuple[int, int, TrialState]]:
        """Read number, key and state of the trials that are new, or had not ended."""
        trials, studies = optuna_tables.trials, optuna_tables.studies
        may_differ = trials.c.trial_id > self._last_id
        if self._open:
            ids = [self._ids[number] for number in self._open]
            may_differ |= trials.c.trial_id.in_(ids) if len(ids) <= _MOST_NAMED else trials.c.trial_id >= min(ids)
        query = (
            sa.select(trials.c.number, trials.c.trial_id, trials.c.state)
            .select_from(studies.outerjoin(trials, (trials.c.study_id == studies.c.study_id) & may_differ))
            .where(studies.c.study_id == self._study_id)
        )
        rows = connection.execute(query).all()
        if not rows:
            raise KeyError(f"there is no study {self._study_id} any more")
        return [(row.number, row.trial_id, TrialState[row.state]) for row in rows if row.trial_id is not None]

    def _is_whole(self, rows: Collection[tuple[int, int, TrialState]]) -> bool:
        found = {number: trial_id for number, trial_id, _ in rows}
        are_there = all(found.get(number) == self._ids[number] for number in self._open)
        n_trials = len(self._ids) + sum(number not in self._ids for number in found)
        return are_there and n_trials == max(self._last_number, *found, -1) + 1

    def _read_outcomes(
        self, connection: Connection, ended: Mapping[int, TrialState]
    ) -> tuple[dict[int, Outcome], set[int]]:
        """Read which trials have an outcome that Optuna has no state for, and which are still being ended."""
        asked = [number for number, state in ended.items() if state in _LISTED_AS.values()]
        if not asked:
            return {}, set()
        table = schema.attempts
        query = sa.select(table.c.number, table.c.ending, table.c.intended).where(
            (table.c.study_id == self._study_id)
            & table.c.number.between(min(asked), max(asked))
            & table.c.ending.in_(["running", *_LISTED_AS])
        )
        outcomes, unsettled = {}, set()
        for number, ending, intended in connection.execute(query):
            outcome = intended if ending == "running" else ending
            if outcome in list(_LISTED_AS) and ended.get(number) == _LISTED_AS[Outcome(outcome)]:
                outcomes[number] = Outcome(outcome)
            if ending == "running" and ended.get(number) in _LISTED_AS.values():
                unsettled.add(number)
        return outcomes, unsettled

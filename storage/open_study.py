"""A stored study: its row, and the row together with its open store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna import Study, load_study
from optuna.storages import BaseStorage, get_storage

from tunefront.storage.database.connection import Store
from tunefront.storage.database.trial_states import TrialStates


@dataclass(frozen=True)
class StudyRecord:
    """A study as the store has it.

    Attributes:
        study_id: Its key in Optuna's and our tables.
        spec: The StudySpec as plain JSON data.
        dataset: Facts of the prepared dataset: counts, classes, image shape.
        created_at: Seconds since the epoch, on the database's clock.
    """

    study_id: int
    name: str
    spec: Mapping[str, Any]
    dataset: Mapping[str, Any]
    created_at: float


@dataclass(frozen=True)
class OpenStudy:
    """A study in an open store.

    Attributes:
        record: The study's row when it was read; later changes of its spec are not in it.
    """

    store: Store
    record: StudyRecord

    @property
    def study_id(self) -> int:
        """The study's key in Optuna's and tunefront's tables."""
        return self.record.study_id

    @property
    def name(self) -> str:
        """The study's name."""
        return self.record.name

    def exclusively(self) -> AbstractContextManager[Callable[[], None]]:
        """Hold the study's lock, see :meth:`Store.exclusively`."""
        return self.store.exclusively(self.study_id)

    @cached_property
    def optuna(self) -> Study:
        """Optuna's own object for the study, on the same connection; it is loaded at the first access.

        It caches the finished trials that it has read. A change of limits rewrites these trials, so whoever reads them
        afterwards needs a new `OpenStudy`.
        """
        return load_study(study_name=self.name, storage=self.optuna_storage)

    @cached_property
    def optuna_storage(self) -> BaseStorage:
        """The storage of `optuna`, with Optuna's cache: it takes parameters only of trials that it has made or read."""
        return get_storage(self.store.optuna)

    @cached_property
    def states(self) -> TrialStates:
        """The states of the study's trials, as far as they were read."""
        return TrialStates(self.store.engine, self.study_id)

    def trial_id(self, number: int) -> int:
        """Return Optuna's key of a trial, see :meth:`TrialStates.trial_id`."""
        return self.states.trial_id(number)

"""The data of studies that a machine has prepared, and those that it prepares now."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from tunefront.mistakes import TunefrontError
from tunefront.search.fleet.here import Here, Prepared
from tunefront.search.fleet.left_studies import StudyKey
from tunefront.search.fleet.unfit import check_data
from tunefront.search.launching.asker import Inquiry
from tunefront.search.preparation.prepare import read_prepared
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class _Preparation:
    study: OpenStudy
    key: StudyKey
    inquiry: Inquiry
    begun_at: float


_MOST = 2  # at a time: each has a process with a framework, and some of the machine's memory
_LONG_SECONDS = 20.0  # after which one does not keep slots waiting that another study could have


class Preparations:
    """The preparations of one worker: one at a time, or two if the first takes long.

    Args:
        leave: Called with a study's name, its key and why, when its data cannot be prepared or are others.
    """

    def __init__(
        self,
        here: Here,
        leave: Callable[[str, StudyKey, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._here = here
        self._leave = leave
        self._clock = clock
        self._done: dict[StudyKey, Prepared] = {}
        self._current: list[_Preparation] = []

    @property
    def connections(self) -> Sequence[Connection]:
        """The connections to the children that prepare data."""
        return [each.inquiry.connection for each in self._current]

    @property
    def is_busy(self) -> bool:
        """Whether data are being prepared."""
        return bool(self._current)

    def may_begin(self, key: StudyKey) -> bool:
        """Return whether a study's data may begin to be prepared now."""
        is_free = len(self._current) < _MOST and all(each.key != key for each in self._current)
        return is_free and all(self._clock() - each.begun_at >= _LONG_SECONDS for each in self._current)

    def of(self, key: StudyKey) -> Prepared | None:
        """Return a study's prepared data; None if they are not prepared."""
        return self._done.get(key)

    def begin(self, study: OpenStudy, key: StudyKey, spec: StudySpec) -> None:
        """Begin to prepare a study's data, which :meth:`may_begin` has allowed."""
        asker = self._here.asker
        asker.progress(f"preparing the data of study {study.name}", 0, 1)
        if self._current:  # what a child says when it dies is not mixed with what the other one says
            asker = replace(asker, log_path=asker.log_path.with_name(f"prepare-{study.study_id}.log"))
        self._current.append(_Preparation(study, key, self._here.prepares(asker, spec), self._clock()))

    def listen(self) -> None:
        """Take what the children have answered, without waiting."""
        for each in tuple(self._current):
            self._listen_to(each)

    def _listen_to(self, current: _Preparation) -> None:
        try:
            while current.inquiry.connection.poll():
                if current.inquiry.listen():
                    self._note_end(current)
                    dataset, versions = read_prepared(current.inquiry)
                    check_data(current.study.record, dataset)
                    self._done[current.key] = Prepared(dataset, versions)
                    return
        except (TunefrontError, OSError) as error:
            self._note_end(current)
            self._leave(current.study.name, current.key, str(error))

    def keep(self, wanted: Collection[StudyKey]) -> None:
        """End what is being prepared for studies that are not among these: others are to be prepared meanwhile."""
        for each in tuple(self._current):
            if each.key not in wanted:
                self._end(each)

    def end(self) -> None:
        """End all that is being prepared."""
        for each in tuple(self._current):
            self._end(each)

    def _end(self, current: _Preparation) -> None:
        current.inquiry.end()
        self._note_end(current)

    def _note_end(self, current: _Preparation) -> None:
        if current in self._current:
            self._current.remove(current)
        if not self._current:
            self._here.asker.progress("", 1, 1)

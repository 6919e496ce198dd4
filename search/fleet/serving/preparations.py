"""The data of studies that a machine has prepared, and the one that it prepares now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
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


class Preparations:
    """The preparations of one worker: one at a time.

    Args:
        leave: Called with a study's name, its key and why, when its data cannot be prepared or are others.
    """

    def __init__(self, here: Here, leave: Callable[[str, StudyKey, str], None]) -> None:
        self._here = here
        self._leave = leave
        self._done: dict[StudyKey, Prepared] = {}
        self._current: _Preparation | None = None

    @property
    def connections(self) -> Sequence[Connection]:
        """The connection to the child that prepares data, if one does."""
        return [self._current.inquiry.connection] if self._current is not None else []

    @property
    def is_busy(self) -> bool:
        """Whether data are being prepared."""
        return self._current is not None

    def of(self, key: StudyKey) -> Prepared | None:
        """Return a study's prepared data; None if they are not prepared."""
        return self._done.get(key)

    def begin(self, study: OpenStudy, key: StudyKey, spec: StudySpec) -> None:
        """Begin to prepare a study's data; nothing else is being prepared."""
        self._here.asker.progress(f"preparing the data of study {study.name}", 0, 1)
        self._current = _Preparation(study, key, self._here.prepares(self._here.asker, spec))

    def listen(self) -> None:
        """Take what the child has answered, without waiting."""
        current = self._current
        if current is None:
            return
        try:
            while current.inquiry.connection.poll():
                if current.inquiry.listen():
                    self._note_end()
                    dataset, versions = read_prepared(current.inquiry)
                    check_data(current.study.record, dataset)
                    self._done[current.key] = Prepared(dataset, versions)
                    return
        except (TunefrontError, OSError) as error:
            self._note_end()
            self._leave(current.study.name, current.key, str(error))

    def keep(self, wanted: Collection[StudyKey]) -> None:
        """End what is being prepared, unless its study is among these: others are to be prepared meanwhile."""
        if self._current is not None and self._current.key not in wanted:
            self.end()

    def end(self) -> None:
        """End what is being prepared."""
        if self._current is not None:
            self._current.inquiry.end()
            self._note_end()

    def _note_end(self) -> None:
        self._current = None
        self._here.asker.progress("", 1, 1)

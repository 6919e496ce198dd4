"""The features that a trial trains from: taken from this machine's cache, where another process puts them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection

from tunefront.objectives.measures import WITHOUT_FEATURES
from tunefront.search.data.feature_cache import FeatureCacheError, Features
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import TrialTask, first_line
from tunefront.search.trial.prefix.feature_key import keys_of, may_use_features
from tunefront.search.trial.prefix.features_maker import Wanted, cache_of, cut_of, make_features
from tunefront.search.trial.prefix.spare_process import SpareProcess
from tunefront.search.trial.prefix.told_times import PassTimes, passes_of, told_times
from tunefront.search.trial.prefix.views import n_views
from tunefront.search.trial.resumption.task_checkpoints import versions_of_training
from tunefront.search.trial.timer import EpochTimer
from tunefront.search.trial.trainable import Phase, Shortcut, Trainable, compile_again, freeze_for, phases


def feature_source(connection: Connection, task: TrialTask, spec: StudySpec) -> FeatureSource:
    """Return the source of a trial's features, with a process forked to make them if the trial may need one.

    Args:
        connection: The trial's connection, which that process must not keep open.
    """
    found = versions_of_training()
    if not may_use_features(task, spec):
        return FeatureSource(task, spec, found)

    def answer(wanted: Sequence[Wanted]) -> str:
        try:
            held.extend(make_features(task, spec, found, wanted))
        except Exception as error:  # noqa: BLE001 - whatever ends the making, the trial trains without it
            return first_line(error)
        return ""

    held: list[Features] = []  # in use until the trial uses them itself
    return FeatureSource(task, spec, found, SpareProcess(answer, connection.fileno()))


class FeatureSource:
    """The source of one trial's features.

    Args:
        versions: The versions of what computes features, by name.
        maker: The process that makes what is missing of :class:`Wanted`, and answers why it could not, or nothing; None
            if no features are used.

    Attributes:
        problem: Why the trial trains on plain examples though it should not; empty if it does not.
    """

    def __init__(
        self, task: TrialTask, spec: StudySpec, versions: Mapping[str, str], maker: SpareProcess | None = None
    ) -> None:
        self.problem = ""
        self._used: dict[Phase, PassTimes] = {}
        self._task = task
        self._spec = spec
        self._versions = versions
        self._maker = maker
        self._features: dict[str, Features] = {}
        self._keys_of_places: dict[int, dict[int, str]] = {}  # place of a cut -> view -> key

    def attach(self, trainable: Trainable) -> None:
        """Let a trainable that was built train from features in every phase that has some.

        If features cannot be had, it stays as it is, and the log says why.
        """
        if self._maker is None or self.problem:
            return
        parts = phases(trainable, self._spec.training.epochs_of(trainable.candidate))
        keys = self._keys(trainable, parts)
        try:
            self._take(keys, self._maker)
        except (FeatureCacheError, EOFError, OSError) as error:
            self.problem = str(error) or "the process that makes features has ended"
            sys.stderr.write(f"trains without stored features, on all of the network: {self.problem}\n")
            self._features.clear()
            return
        finally:
            self._maker.close()
        self._used = {parts[number]: self._times_of(several) for number, several in keys.items()}
        if keys:
            trainable.shortcuts = self._shortcut_of
            compile_again(trainable)

    def _keys(self, trainable: Trainable, parts: Sequence[Phase]) -> dict[int, dict[int, str]]:
        """Return number of each phase that has a cut -> view -> key of its features; the last phase stays frozen."""
        keys = {}
        for number, phase in enumerate(parts):
            freeze_for(trainable, phase)
            cut = cut_of(trainable, self._task, self._spec)
            if cut is not None:
                keys[number] = keys_of(cut, self._task, self._spec, self._versions, phase)
                self._keys_of_places.setdefault(cut.place, {}).update(keys[number])  # of phases with one cut
        return keys

    def _take(self, keys: Mapping[int, Mapping[int, str]], maker: SpareProcess) -> None:
        """Take features into use, and have those that are missing made first."""
        cache = cache_of(self._task.dataset, self._spec) if keys else None
        for attempt in range(2):
            missing = []
            for one in [Wanted(view, phase, key) for phase, each in keys.items() for view, key in each.items()]:
                features = None if cache is None or one.key in self._features else cache.take(one.key)
                if features is not None:
                    self._features[one.key] = features
                elif one.key not in self._features:
                    missing.append(one)
            if not missing:
                return
            problem = maker.ask(missing) if not attempt else "they were removed at once"
            if problem:
                raise FeatureCacheError(problem)

    def _shortcut_of(self, trainable: Trainable) -> Shortcut | None:
        cut = cut_of(trainable, self._task, self._spec)
        if cut is None:
            return None
        views = {view: self._features[key].array for view, key in self._keys_of_places[cut.place].items()}
        return Shortcut(cut.rest(), views.pop(0), views, n_views(self._task.candidate, self._spec))

    def _times_of(self, keys: Mapping[int, str]) -> PassTimes:
        return PassTimes.of({view: self._features[key].facts for view, key in keys.items()})

    def costs(self, trainable: Trainable, timer: EpochTimer) -> dict[str, float]:
        """Return what is told of a training's times in place of the timer's; often nothing."""
        if self.problem:
            return {WITHOUT_FEATURES: 1.0}
        return told_times(self._used, trainable.candidate, timer, self._task.dataset.n_train, self._n_validated)

    @property
    def passes(self) -> dict[str, float]:
        """The passes that its times will contain, as they are told with every epoch; often nothing."""
        return passes_of(self._used, self._task.dataset.n_train, self._n_validated) if self._used else {}

    @property
    def _n_validated(self) -> int:
        n_validation = self._task.dataset.n_validation
        return min(self._spec.training.n_validated or n_validation, n_validation)

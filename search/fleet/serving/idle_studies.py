"""The studies of which nothing runs on this machine: which of them it leaves, and when it looks at one again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from tunefront.storage.control.study_control import StudyControl

_MOST_IDLE = 4  # studies that are served although none of their trials runs here, and none is lost


class IdleStudies:
    """The idle studies of one worker.

    Args:
        lease_seconds: How long a lease of the store lasts.
        clock: A clock in seconds.
    """

    def __init__(self, lease_seconds: float, clock: Callable[[], float]) -> None:
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._since: dict[str, float] = {}
        self._left: dict[str, tuple[float, int]] = {}  # when it was left, and how many of its trials ran anywhere then

    def forget(self, name: str) -> None:
        """Forget what is known of a study, because it begins to be served."""
        self._since.pop(name, None)
        self._left.pop(name, None)

    def leavers(self, idle: Collection[str], controls: Mapping[str, StudyControl], *, are_others: bool) -> set[str]:
        """Return which of the studies that are served and idle now are to be left.

        A lost trial is taken over only by whoever has served its study for a whole lease, so that a study with lost
        trials is not left before, however many are idle.

        Args:
            controls: The open studies, by name.
            are_others: Whether there is an open study that is not served.
        """
        now = self._clock()
        self._since = {name: self._since.get(name, now) for name in idle}
        n_too_many = len(idle) - _MOST_IDLE
        found = set()
        for name, since in sorted(self._since.items(), key=lambda item: item[1]):
            control = controls.get(name)
            if control is None:
                found.add(name)
                continue
            has_waited = are_others and now - since > 2 * self._lease_seconds
            if has_waited or (n_too_many > 0 and not control.n_lost):
                found.add(name)
                self._left[name] = now, control.n_running
                n_too_many -= 1
        return found

    def is_worth_a_look(self, control: StudyControl) -> bool:
        """Return whether a study may have a trial for this machine, as far as is known without serving it."""
        if control.name not in self._left or control.n_lost:
            return True
        left_at, n_running = self._left[control.name]
        return control.n_running < n_running or self._clock() - left_at > self._lease_seconds

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.supervisor.outage_fixture import AwaySwitch
from tests.storage.study_fixture import StudyFixture
from tunefront.search.supervisor.contact.contact import Contact, StoreAwayError
from tunefront.search.supervisor.contact.renewal import Renewal
from tunefront.storage.database.locks import LockBusyError


class Talking:
    """A contact whose clock a test moves, and whose store can be switched off."""

    def __init__(self, folder: Path) -> None:
        self.fixture = StudyFixture.make(f"sqlite:///{folder / 'tunefront.db'}")
        self.switch = AwaySwitch(self.fixture.store.engine)
        self.renewal = Renewal(self.fixture.store, "anna", list)
        self.now = 100.0
        self.lines: list[str] = []
        self.n_asked = 0
        self.contact = Contact(self.renewal, 0.0, self.lines.append, lambda: self.now)

    def count(self) -> int:
        self.n_asked += 1
        return self.fixture.counts().running


@pytest.fixture
def talking(tmp_path: Path) -> Talking:
    return Talking(tmp_path)


def test_a_store_that_is_away_is_not_asked_again_until_a_renewal_succeeds(talking: Talking) -> None:
    assert talking.contact.ask(talking.count) == 0
    talking.switch.is_away = True
    for _ in range(3):
        with pytest.raises(StoreAwayError):
            talking.contact.ask(talking.count)
    assert talking.n_asked == 2
    assert talking.contact.ask_or(talking.count, 7) == 7
    talking.switch.is_away = False
    assert talking.contact.ask_or(talking.count, 7) == 7
    talking.renewal.renew()
    talking.now += 65
    assert talking.contact.ask_or(talking.count, 7) == 0
    assert talking.lines == [
        "the storage is away (switched off): trainings go on without being stopped early, "
        "and results are kept until it is back",
        "the storage is back after 65 s",
    ]


def test_a_person_is_told_how_long_the_store_has_been_away(talking: Talking) -> None:
    assert talking.contact.notice(0) == ""
    talking.switch.is_away = True
    talking.contact.ask_or(talking.count, 0)
    talking.now += 30
    assert talking.contact.notice(0) == "the storage is away for 30 s (switched off)"
    assert talking.contact.notice(1).endswith("; 1 result is kept until it is back")
    talking.now += 120
    assert talking.contact.notice(2) == (
        "the storage is away for 2 min (switched off); 2 results are kept until it is back"
    )


def test_a_lock_that_is_not_to_be_had_is_an_outage_too(talking: Talking) -> None:
    def wait_for_lock() -> None:
        raise LockBusyError("the lock of x was not to be had for 30 s: tunefront:bert holds it", "End it")

    for _ in range(3):
        assert talking.contact.ask_or(wait_for_lock, None) is None
        talking.renewal.renew()
    why = "the lock of x was not to be had for 30 s: tunefront:bert holds it"
    assert talking.lines == [
        f"the storage is away ({why}): trainings go on without being stopped early, "
        "and results are kept until it is back"
    ]


def test_other_errors_are_raised_as_they_are(talking: Talking) -> None:
    with pytest.raises(ZeroDivisionError):
        talking.contact.ask_or(lambda: 1 / 0, 1.0)
    assert talking.lines == []

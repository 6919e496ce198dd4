from __future__ import annotations

import pytest

from tests.storage.conftest import dispose
from tests.storage.study_fixture import StudyFixture
from tunefront.storage.database import locks
from tunefront.storage.database.connection import Store
from tunefront.storage.database.locks import StoreError

# The lock


def test_exclusively_keeps_a_second_opener_out(fixture: StudyFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_LOCK_SECONDS", 0.1)
    other = StudyFixture.make(fixture.store.url)
    with fixture.store.exclusively(), pytest.raises(StoreError, match="lock.*not to be had.*Ctrl-Z"):
        _take(other.store)
    _take(other.store)  # free again
    dispose(other.store)


def test_exclusively_frees_the_lock_when_its_block_raises(
    fixture: StudyFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_LOCK_SECONDS", 0.1)
    with pytest.raises(KeyError), fixture.store.exclusively():
        raise KeyError
    _take(fixture.store)


def _take(store: Store) -> None:
    with store.exclusively():
        pass

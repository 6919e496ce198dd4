"""Optuna's log is turned down while its block lasts, and no longer."""

from __future__ import annotations

from collections.abc import Iterator

import optuna
import pytest

from tunefront.search.system.optuna_log import quiet_optuna


@pytest.fixture(params=[optuna.logging.INFO, optuna.logging.DEBUG, optuna.logging.ERROR])
def level(request: pytest.FixtureRequest) -> Iterator[int]:
    """What somebody has Optuna log."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(request.param)
    yield request.param
    optuna.logging.set_verbosity(before)


def test_optuna_logs_warnings_alone_while_it_is_quiet_and_as_before_afterwards(level: int) -> None:
    with quiet_optuna():
        assert optuna.logging.get_verbosity() == optuna.logging.WARNING
        with quiet_optuna(optuna.logging.CRITICAL):
            assert optuna.logging.get_verbosity() == optuna.logging.CRITICAL
        assert optuna.logging.get_verbosity() == optuna.logging.WARNING
    assert optuna.logging.get_verbosity() == level


def test_the_level_is_restored_when_the_block_raises(level: int) -> None:
    with pytest.raises(KeyError, match="lost"), quiet_optuna():
        raise KeyError("lost")
    assert optuna.logging.get_verbosity() == level


def test_a_quiet_function_restores_the_level_after_each_call(level: int) -> None:
    quiet = quiet_optuna()(optuna.logging.get_verbosity)
    assert [quiet(), quiet()] == [optuna.logging.WARNING] * 2
    assert optuna.logging.get_verbosity() == level


def test_a_new_study_is_not_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with quiet_optuna():
        optuna.create_study()
    assert capsys.readouterr().err == ""

"""The message for a person at the end of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.end_reason import CommonReason, Ending, describe_stop

SPEC = StudySpec.from_json({"name": "mine", "data": {"source": "digits"}})
AGAIN = "tunefront run mine.toml"


def stop(ending: Ending, reason: CommonReason | None) -> str:
    told = describe_stop(
        ending, SPEC, AGAIN, "tunefront status mine", "tunefront resume mine", Path("results/mine/logs"), reason
    )
    assert told.exit_code == 1
    assert told.text.endswith(f"\n  {AGAIN}")
    return told.text


def test_one_reason_for_all_failures_comes_first_and_no_advice_to_allow_more() -> None:
    text = stop(Ending.TOO_MANY_FAILURES, CommonReason("space: Mine: build raised TypeError", 11, 11, n_finished=0))
    first, second, *_ = text.splitlines()
    assert first == "The study stopped: all 11 trials that failed did so for one reason:"
    assert second == "  space: Mine: build raised TypeError"
    assert "results/mine/logs" in text
    assert "'tunefront delete mine --results' or under another name" in text
    assert "max_failures" not in text


def test_what_is_finished_is_not_to_be_thrown_away_for_one_reason() -> None:
    text = stop(Ending.TOO_MANY_FAILURES, CommonReason("OSError: no space", 10, 11, n_finished=20))
    assert "10 of 11 trials that failed" in text
    assert "delete" not in text
    assert text.index("Mend that first") < text.index("max_failures above 11")


def test_one_reason_for_refusals_comes_first() -> None:
    text = stop(Ending.TOO_MANY_REFUSALS, CommonReason("model_bytes … breaks its limit of at most 1 kB", 101, 101, 0))
    assert text.startswith("The study stopped: all 101 trials that were refused did so for one reason:\n  model_bytes")
    assert "change the ranges in [space] under another name" in text


@pytest.mark.parametrize("reason", [None, CommonReason("out of memory", 9, 11, n_finished=3)])
def test_many_reasons_are_to_be_looked_up(reason: CommonReason | None) -> None:
    text = stop(Ending.TOO_MANY_FAILURES, reason)
    assert "more than max_failures = 10. Their reasons are above" in text
    assert "raise max_failures, and go on" in text

"""The cautions before the first trial."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.search.supervisor_fixture import make_spec
from tunefront.search.data.chance import chances
from tunefront.search.preparation.cautions import find_cautions


def facts(*counts: int) -> dict[str, Any]:
    found = {
        measure: {"score": chance.score, "standard_error": chance.standard_error}
        for measure, chance in chances(np.array(counts)).items()
    }
    names = [str(number) for number in range(len(counts))]
    return {"class_names": names, "chances": found, "n_validation": 1000, "n_train": 1000}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_validation": 12}, "caution: 12 validation images: one of them is 8.3 points of accuracy"),
        ({"n_validation": 1}, "caution: 1 validation image: it is 100.0 points of accuracy"),
        ({"n_validation": 12, "example": "row"}, "caution: 12 validation rows: one of them is 8.3 points of accuracy"),
        ({"n_train": 32, "example": "row"}, "caution: all 32 training rows are one batch"),
        ({"n_validation": 30, "folds": 3}, "caution: 90 validation images: one of them is 1.1 points of accuracy"),
        ({"n_validation": 40, "folds": 3}, ""),
        (
            {"n_train": 32},
            "caution: all 32 training images are one batch, and an epoch is one step: write a batch_size",
        ),
        ({"n_train": 33}, ""),
    ],
)
def test_few_images_are_named(changes: dict[str, Any], said: str) -> None:
    spec = make_spec(space={"batch_size": [32, 64]})
    found = find_cautions(spec, {**facts(50, 50), **changes}, load=0.0)
    assert [text[: len(said)] for text in found] == ([said] if said else [])


def test_nothing_is_said_of_an_ordinary_study() -> None:
    assert find_cautions(make_spec(), facts(50, 50), load=1.5) == []


def test_recall_alone_is_warned_of() -> None:
    recall = make_spec(objectives={"accuracy": "recall"})
    (said,) = find_cautions(recall, facts(50, 50), load=0.0)
    assert 'objectives.accuracy = "recall"' in said
    assert "always says the positive class has 100 %" in said
    assert '"f1_binary" or "auc"' in said
    # With many classes, recall is balanced accuracy, and a constant answer has only one class in k right.
    assert find_cautions(recall, facts(20, 20, 20), load=0.0) == []
    # A study of memory alone needs no accuracy.
    assert find_cautions(make_spec(objectives={"accuracy": False}), facts(50, 50), load=0.0) == []


def test_validation_images_of_one_class_tell_nothing() -> None:
    (said,) = find_cautions(make_spec(), facts(50, 0), load=0.0)
    assert "always says the same class has 100 %" in said
    assert "images of another class" in said


def test_five_classes_in_validation_are_all_among_five() -> None:
    top_5 = make_spec(objectives={"accuracy": "top_5_accuracy"})
    assert find_cautions(top_5, facts(3, 3, 3, 3, 3, 1), load=0.0) == []
    (said,) = find_cautions(top_5, facts(3, 3, 3, 3, 3, 0), load=0.0)
    assert "always says the same five classes has 100 %" in said
    assert "images of more classes" in said
    assert "f1_binary" not in said  # which six classes do not have


@pytest.mark.parametrize(("load", "is_said"), [(0.2, False), (1.5, False), (1.6, True)])
def test_a_busy_machine_is_named_before_the_run(load: float, is_said: bool) -> None:
    said = find_cautions(make_spec(), facts(50, 50), load)
    assert bool(said) == is_said
    if is_said:
        assert "1.6 processes wanted each CPU core" in said[0]
        assert "the front with them: wait until it is quiet" in said[0]
        without_time = make_spec(objectives={"time": False})
        assert "front" not in find_cautions(without_time, facts(50, 50), load)[0]
        # The objectives of a confirmation are those of its search, so its file cannot be changed.
        confirmation = make_spec().model_copy(update={"confirms": "digits"})
        assert find_cautions(confirmation, facts(50, 50), load)[0].endswith(
            "the front with them: wait until it is quiet"
        )

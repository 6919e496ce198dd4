"""Which trials may train from features: spec, candidate and backend decide, and never what a machine has free."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.search.trial.prefix.trials import frozen
from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.messages import TrialTask

pytestmark = pytest.mark.keras
CHOSEN = frozen(Path("backbone.weights.h5"))
HEAD_FIRST = {"freeze_fraction": 0.0, "head_epochs": 2}


def may(dataset: Dataset, candidate: Any = CHOSEN, slot: Slot | None = None, **spec: Any) -> bool:
    from tunefront.search.trial.prefix.feature_key import may_use_features

    checked = StudySpec.model_validate({"name": "any", "data": {"source": "digits"}, **spec})
    slot = slot or Slot("cpu0", 1)
    task = TrialTask(1, checked.as_json(), candidate, dataset, slot, 0, (), "", measures_latency=False)
    return may_use_features(task, checked)


def test_frozen_layers_of_known_weights_are_run_once(keras: Any, digits: Dataset) -> None:
    assert may(digits)
    assert may(digits, frozen(Path("a.weights.h5"), own=HEAD_FIRST))
    assert may(digits, training={"precision": "mixed_float16"})


AUGMENTED = replace(CHOSEN, augmentation="custom", augmentation_settings={"shift": 0.1, "fill": "nearest"})
MIXED = replace(AUGMENTED, augmentation_settings={"shift": 0.1, "mixup": 0.2})


def test_changed_images_are_stored_only_where_the_spec_asks_for_views(keras: Any, digits: Dataset) -> None:
    assert not may(digits, AUGMENTED)
    assert may(digits, AUGMENTED, training={"feature_views": 3})
    assert not may(digits, MIXED, training={"feature_views": 3})  # what an image is mixed with is its batch's
    assert may(digits, replace(CHOSEN, augmentation_settings={"shift": 0.0, "flip": "none", "mixup": 0.0}))


@pytest.mark.parametrize(("candidate", "epochs", "expected"), [(CHOSEN, 9, 0), (AUGMENTED, 9, 3), (AUGMENTED, 2, 2)])
def test_no_view_is_made_that_no_epoch_would_see(keras: Any, candidate: Any, epochs: int, expected: int) -> None:
    from tunefront.search.trial.prefix.views import n_views

    spec = {"name": "any", "data": {"source": "digits"}, "training": {"epochs": epochs, "feature_views": 3}}
    assert n_views(candidate, StudySpec.model_validate(spec)) == expected


def test_views_take_turns_through_the_phases_and_a_phase_has_those_that_it_sees(keras: Any) -> None:
    from tunefront.search.trial.prefix.views import view_in, views_in
    from tunefront.search.trial.trainable import Phase

    assert [view_in(epoch, 3) for epoch in range(1, 8)] == [1, 2, 3, 1, 2, 3, 1]
    assert [views_in(phase, 3) for phase in (Phase(1, 1), Phase(2, 3), Phase(4, 9))] == [{1}, {2, 3}, {1, 2, 3}]
    assert views_in(Phase(1, 9), 0) == set()


@pytest.mark.parametrize(
    "spec",
    [
        {"training": {"feature_cache": False}},
        {"training": {"precision": "mixed_bfloat16"}},
        {"objectives": {"memory": "peak_bytes"}},
        {"limits": {"peak_bytes": 1e9}},
        {"sampler": {"name": "pbt"}, "space": {"adam": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}}},
    ],
)
def test_a_spec_may_leave_nothing_to_store(keras: Any, digits: Dataset, spec: dict[str, Any]) -> None:
    assert not may(digits, **spec)


@pytest.mark.parametrize(
    "candidate",
    [
        frozen(Path("none")),
        frozen(Path("a.weights.h5"), own={"freeze_fraction": 0.0}),
        replace(CHOSEN, later=((2, CHOSEN),)),
        frozen(Path("a"), "plain_cnn", own={"n_blocks": 1, "weights": "none", "freeze_fraction": 0.0}),
    ],
)
def test_a_candidate_may_leave_nothing_to_store(keras: Any, digits: Dataset, candidate: Any) -> None:
    assert not may(digits, candidate)


def test_a_gpu_trains_plainly(keras: Any, digits: Dataset) -> None:
    assert not may(digits, slot=Slot("gpu0", 2, "GPU-1"))

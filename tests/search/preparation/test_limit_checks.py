"""Limits that are known before training: what excludes everything is refused before the first trial."""

from __future__ import annotations

from typing import Any

import pytest

from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.asker import CheckError
from tunefront.search.preparation import limit_checks
from tunefront.search.preparation.limit_checks import check_deployment, check_limits
from tunefront.search.spec.study_spec import StudySpec

TABLES: dict[str, Any] = {
    "name": "small",
    "data": {"source": "digits"},
    "space": {
        "optimizer": "adam",
        "augmentation": "none",
        "plain_cnn": {"n_blocks": 1, "filters": 4, "dense_units": 0, "kernel_size": 3, "batch_norm": False},
    },
}


def check(digits: Dataset, **more: Any) -> None:
    spec = StudySpec.model_validate({**TABLES, **more})
    check_limits(spec, spec.parsed_space(), digits)


def test_limits_on_other_measures_are_tried_on_random_candidates(keras: Any, digits: Dataset) -> None:
    # 9 x 4 weights of the convolution with 4 biases, and 64 x 10 of the dense layer with 10: 690 numbers of 4 bytes.
    check(digits, limits={"weight_bytes": 2760.0})
    with pytest.raises(
        CheckError, match=r"limits.weight_bytes: its limit excludes everything: .* is 2.76 kB to 2.76 kB"
    ):
        check(digits, limits={"weight_bytes": 2759.0})
    with pytest.raises(CheckError, match="limits.weight_bytes: the limits together exclude everything"):
        check(
            digits, limits={"weight_bytes": 2759.0}, objectives={"memory": {"measure": "model_bytes", "at_most": 1e9}}
        )


def test_a_board_that_nothing_fits_is_refused(keras: Any, digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ai_edge_litert", reason="needs tunefront[litert]")
    monkeypatch.setattr(limit_checks, "_N_EXPORTED", 2)
    # 8 x 8 pixels x 9 x 4, and 64 x 10.
    check(digits, limits={"litert_bytes": 50_000.0, "macs": 8 * 8 * 9 * 4 + 640.0})
    reason = "limits.macs: the limits together exclude .* of 2 candidates tried, macs is 2.94 k to 2.94 k"
    with pytest.raises(CheckError, match=reason):
        check(digits, limits={"litert_bytes": 50_000.0, "macs": 8 * 8 * 9 * 4 + 639.0})


def test_another_backend_than_tensorflow_is_refused(keras: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = StudySpec.model_validate({**TABLES, "limits": {"litert_bytes": 1e6, "macs": 1e6}})
    check_deployment(spec)
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    check_deployment(StudySpec.model_validate({**TABLES, "limits": {"macs": 1e6}}))
    with pytest.raises(
        CheckError, match="litert_bytes: Keras exports models on TensorFlow alone, and its backend is jax"
    ):
        check_deployment(spec)

"""What a network is once it ships, told before and after its training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.search.models.small_models import digit_images, small_cnn, trained_cnn
from tunefront.search.data.dataset import Dataset

pytest.importorskip("ai_edge_litert", reason="needs tunefront[litert]")
pytest.importorskip("tflite_micro", reason="needs tunefront[micro]")

SMALL = ["litert_bytes", "arena_bytes", "macs"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("digits")
    images, labels = digit_images()
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)
    return Dataset(str(folder), "digits", "0", tuple("0123456789"), (8, 8, 1), 1200, 300, 297)


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_an_untrained_network_tells_what_the_trained_one_measures(
    keras: Any, dataset: Dataset, tmp_path: Path, precision: str
) -> None:
    from tunefront.search.models.deployment_measures import measure_trained, measure_untrained

    keras.utils.clear_session()
    before = measure_untrained(small_cnn(keras), SMALL, precision, dataset, 0, str(tmp_path / "kept"))
    keras.utils.clear_session()
    after = measure_trained(trained_cnn(keras), SMALL, precision, dataset, 0)
    assert before["litert_bytes"] == pytest.approx(after["litert_bytes"], rel=0.01)
    assert {**before, "litert_bytes": 0} == {**after, "litert_bytes": 0}
    assert after["arena_bytes"] == after["arena_tensor_bytes"] + after["arena_structure_bytes"]
    # The batch normalization has 8 x 8 x 8 values on both sides. Kernels: two convolutions and the dense layer.
    assert after["arena_tensor_bytes"] == 2 * 8 * 8 * 8 * {"int8": 1, "float32": 4}[precision]
    assert after["macs"] == 8 * 8 * 9 * 8 + 2 * 2 * 9 * 8 * 16 + 64 * 10
    (kept,) = (tmp_path / "kept").iterdir()
    assert json.loads(kept.read_text()) == before


def test_each_structure_is_measured_once(keras: Any, dataset: Dataset, tmp_path: Path) -> None:
    from tunefront.search.models.deployment_measures import measure_untrained

    def measure(n_outputs: int = 10) -> dict[str, float]:
        keras.utils.clear_session()
        model = small_cnn(keras, n_outputs=n_outputs)
        return measure_untrained(model, ["litert_bytes"], "float32", dataset, 0, str(tmp_path))

    measure()
    (kept,) = tmp_path.iterdir()
    kept.write_text('{"litert_bytes": 7}')
    assert measure() == {"litert_bytes": 7}
    assert measure(n_outputs=9)["litert_bytes"] > 1000  # another structure


def test_times_and_peaks_come_with_what_belongs_to_them(keras: Any, dataset: Dataset) -> None:
    from tunefront.search.models.deployment_measures import measure_trained

    pytest.importorskip("onnxruntime", reason="needs tunefront[onnx]")
    wanted = ["litert_latency_seconds", "litert_peak_bytes", "onnx_latency_seconds"]
    found = measure_trained(small_cnn(keras), wanted, "float32", dataset, 0)
    assert found.keys() == {
        *wanted,
        "litert_bytes",
        "litert_latency_p95_seconds",
        "onnx_latency_p95_seconds",
    }
    assert 0 < found["litert_latency_seconds"] <= found["litert_latency_p95_seconds"]
    assert found["litert_peak_bytes"] > 1e5


def test_a_half_precision_network_is_measured_as_it_ships(keras: Any, dataset: Dataset) -> None:
    from tunefront.search.models.deployment_measures import measure_trained

    keras.utils.clear_session()
    half = measure_trained(small_cnn(keras, policy="mixed_float16"), SMALL, "float32", dataset, 0)
    keras.utils.clear_session()
    whole = measure_trained(small_cnn(keras), SMALL, "float32", dataset, 0)
    assert half["litert_bytes"] == pytest.approx(whole["litert_bytes"], rel=0.02)
    assert half["arena_bytes"] == whole["arena_bytes"]

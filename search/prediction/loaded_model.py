"""A model's file, loaded into Keras or its runtime, to answer examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import readable
from tunefront.search.prediction.model_file import ModelFile
from tunefront.search.prediction.prediction_card import ModelFileError, PredictionCard

_BATCH_SIZE = 32  # examples that Keras predicts at once


@dataclass(frozen=True)
class LoadedModel:
    """A model that answers.

    Attributes:
        outputs_of: Takes examples, and returns the model's own outputs, shape (n, units).
    """

    card: PredictionCard
    outputs_of: Callable[[Sequence[Any]], NDArray[Any]]

    def answer(self, examples: Sequence[Any]) -> NDArray[Any]:
        """Return probabilities of shape (n, names) in the order of the card's names, or numbers of shape (n, 1).

        Args:
            examples: Values of the card's shape each, or a mapping of raw columns each.
        """
        outputs = self.outputs_of(examples)
        if self.card.is_of_numbers or outputs.shape[1] > 1:
            return outputs
        # One output is the probability of the positive class, of two.
        columns = [1 - outputs, outputs]
        is_second = self.card.positive_class in (None, self.card.class_names[1])
        return np.concatenate(columns if is_second else columns[::-1], axis=1)


def load_model(file: ModelFile) -> LoadedModel:
    """Load a model into Keras or its runtime.

    Raises:
        ModelFileError: If it cannot be loaded, or does not fit its card.
    """
    name = readable(str(file.path))
    loaders = {"keras": _load_keras, "litert": _load_litert, "onnx": _load_onnx}
    runtime = {"keras": "Keras", "litert": "LiteRT", "onnx": "ONNX Runtime"}[file.loader]
    try:
        taken, n_units, outputs_of = loaders[file.loader](file)
    except Exception as error:  # frameworks and runtimes raise whatever they like
        lines = str(error).strip().splitlines() or [type(error).__name__]
        remedy = ""
        if "Could not locate" in str(error):
            remedy = ". Layers of one's own need their code: name the study in place of the file"
        raise ModelFileError(f"{name}: {runtime} cannot load it: {lines[0][:300]}{remedy}") from error
    _check(file, name, taken, n_units)
    return LoadedModel(file.card, outputs_of)


_Loaded = tuple[tuple[int | None, ...] | None, int, Callable[[Sequence[Any]], NDArray[Any]]]


def _load_keras(file: ModelFile) -> _Loaded:
    """Return the shape of an example (None for tables), the number of outputs, and the function that answers."""
    from keras.saving import load_model as load

    from tunefront.search.trial.batches import outputs

    model = load(file.path, compile=False)
    n_units = int(model.output_shape[-1])
    if file.card.input.columns:
        return None, n_units, lambda rows: _outputs_of_rows(model, file.card, rows)
    return model.input_shape[1:], n_units, lambda examples: outputs(model, np.stack(examples), _BATCH_SIZE)


def _outputs_of_rows(model: Any, card: PredictionCard, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
    from keras import ops

    columns = {}
    for column in card.input.columns:
        cells = [[row[column.name]] for row in rows]
        is_number = column.kind == "number"
        columns[column.name] = np.array(cells, np.float32) if is_number else _texts(cells)
    return np.asarray(ops.convert_to_numpy(model.predict_on_batch(columns)), np.float32)


def _texts(cells: Sequence[Sequence[str]]) -> Any:
    import tensorflow as tf  # lookups of texts need it, whatever Keras runs on

    return tf.constant(cells)


def _load_litert(file: ModelFile) -> _Loaded:
    from tunefront.search.models.litert import LiteRtModel

    return _one_by_one(LiteRtModel(file.path))


def _load_onnx(file: ModelFile) -> _Loaded:
    from tunefront.search.models.onnx_runtime import OnnxModel

    return _one_by_one(OnnxModel(file.path))


def _one_by_one(model: Any) -> _Loaded:
    """Return what a runtime's model does; it has one thread, as when the file was measured."""
    ends = model.describe_ends()
    shape, n_units = tuple(ends["input"]["shape"][1:]), int(ends["output"]["shape"][-1])
    return shape, n_units, lambda examples: np.stack([model.answer(example) for example in examples])


def _check(file: ModelFile, name: str, taken: tuple[int | None, ...] | None, n_units: int) -> None:
    card = file.card
    wanted = card.input.example_shape
    fits = taken is None or (
        len(taken) == len(wanted)
        and all(size is None or size == found for size, found in zip(taken, wanted, strict=True))
    )
    if not fits:
        shown = " x ".join(map(str, taken or ()))
        raise ModelFileError(
            f"{name}: takes values of shape {shown}, and the JSON file beside it says {' x '.join(map(str, wanted))}: "
            "put the file there that belongs to it"
        )
    allowed = (1,) if card.is_of_numbers else (len(card.names), *((1,) if len(card.names) == 2 else ()))
    if n_units not in allowed:
        meant = "one number" if card.is_of_numbers else f"{len(card.names)} classes"
        raise ModelFileError(
            f"{name}: has {n_units} outputs, and the JSON file beside it says {meant}: put the file there that "
            "belongs to it"
        )

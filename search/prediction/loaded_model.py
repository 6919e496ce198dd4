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
        name: The file's name for messages.
        outputs_of: Takes examples, and returns the model's own outputs, shape (n, units).
    """

    name: str
    card: PredictionCard
    outputs_of: Callable[[Sequence[Any]], NDArray[Any]]

    def answer(self, examples: Sequence[Any]) -> NDArray[Any]:
        """Return probabilities of shape (n, names) in the order of the card's names, or numbers of shape (n, 1).

        Args:
            examples: Values of the card's shape each, or a mapping of raw columns each.

        Raises:
            ModelFileError: If the model fails, or its outputs are not those of the card.
        """
        try:
            outputs = self.outputs_of(examples)
        except Exception as error:  # frameworks and runtimes raise whatever they like
            raise ModelFileError(f"{self.name}: the model fails on {_first_line(error)}") from error
        n_wanted = 1 if self.card.is_of_numbers else len(self.card.names)
        is_pair = n_wanted == 2 and outputs.shape[1:] == (1,)
        if outputs.shape[1:] != (n_wanted,) and not is_pair:
            meant = "one number" if self.card.is_of_numbers else f"{n_wanted} classes"
            found = " x ".join(map(str, outputs.shape[1:]))
            raise ModelFileError(
                f"{self.name}: has {found} outputs, and the JSON file beside it says {meant}: put the file there that "
                "belongs to it"
            )
        if not is_pair:
            return outputs
        # One output is the probability of the positive class, of two.
        columns = [1 - outputs, outputs]
        is_second = self.card.positive_class in (None, self.card.class_names[1])
        return np.concatenate(columns if is_second else columns[::-1], axis=1)


def load_model(file: ModelFile) -> LoadedModel:
    """Load a model into Keras or its runtime.

    Raises:
        ModelFileError: If it cannot be loaded, or takes other values than its card says.
    """
    name = readable(str(file.path))
    loaders = {"keras": _load_keras, "litert": _load_litert, "onnx": _load_onnx}
    runtime = {"keras": "Keras", "litert": "LiteRT", "onnx": "ONNX Runtime"}[file.loader]
    try:
        taken, outputs_of = loaders[file.loader](file)
    except Exception as error:  # frameworks and runtimes raise whatever they like
        remedy = ""
        if "Could not locate" in str(error):
            remedy = ". Layers of one's own need their code: name the study in place of the file"
        raise ModelFileError(f"{name}: {runtime} cannot load it: {_first_line(error)}{remedy}") from error
    _check(name, taken, file.card.input.example_shape)
    return LoadedModel(name, file.card, outputs_of)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]


_Loaded = tuple[tuple[int | None, ...] | None, Callable[[Sequence[Any]], NDArray[Any]]]


def _load_keras(file: ModelFile) -> _Loaded:
    """Return the shape of an example, None if it is not known, and the function that answers."""
    from keras.saving import load_model as load

    from tunefront.search.trial.batches import outputs

    model = load(file.path, compile=False)
    if file.card.input.columns:
        return None, lambda rows: _outputs_of_rows(model, file.card, rows)
    shape = getattr(model, "input_shape", None)  # a model of a class of one's own has none
    taken = shape[1:] if isinstance(shape, tuple) else None
    return taken, lambda examples: outputs(model, np.stack(examples), _BATCH_SIZE)


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
    shape = tuple(model.describe_ends()["input"]["shape"][1:])
    return shape, lambda examples: np.stack([model.answer(example) for example in examples])


def _check(name: str, taken: tuple[int | None, ...] | None, wanted: tuple[int, ...]) -> None:
    """Refuse a model that takes values of another shape than its card says."""
    if taken is None or (len(taken) == len(wanted) and all(a in (None, b) for a, b in zip(taken, wanted, strict=True))):
        return
    found, meant = (" x ".join(map(str, shape)) for shape in (taken, wanted))
    raise ModelFileError(
        f"{name}: takes values of shape {found}, and the JSON file beside it says {meant}: put the file there that "
        "belongs to it"
    )

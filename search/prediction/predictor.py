"""A model that answers examples one batch after another, as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.prediction.examples import ExampleSource, UnseenExample
from tunefront.search.prediction.loaded_model import LoadedModel, load_model
from tunefront.search.prediction.model_file import ModelFile
from tunefront.search.system.silence import silent_stderr

_BATCH_SIZE = 32  # examples in memory at a time


@dataclass(frozen=True)
class Prediction:
    """What a model answers to one example.

    Attributes:
        name: The example's name in tables.
        answers: Probabilities in the order of the card's names, or one number; None if there is a problem.
        problem: Why there is no answer, in words that follow the name; else empty.
    """

    name: str
    answers: NDArray[np.float64] | None = None
    problem: str = ""


class Predictor:
    """A model's file that is loaded when there is something to answer, so that other mistakes do not wait for it.

    Args:
        prepare: Called before the model is loaded, for code that it needs.

    Attributes:
        load_seconds: The time that loading took; 0 until then.
    """

    def __init__(self, file: ModelFile, prepare: Callable[[], object] = lambda: None) -> None:
        self.file = file
        self.load_seconds = 0.0
        self._prepare = prepare
        self._loaded: LoadedModel | None = None

    def predictions(self, sources: Iterable[ExampleSource]) -> Iterator[Prediction]:
        """Yield an answer to each example, in their order.

        Raises:
            ModelFileError: If the model cannot be loaded, or does not fit its card.
        """
        examples = (example for source in sources for example in source.examples())
        while batch := list(islice(examples, _BATCH_SIZE)):
            usable = [example for example in batch if not example.problem]
            answers = iter(self._answers([example.values for example in usable]) if usable else ())
            yield from (_prediction(example, answers) for example in batch)

    def _answers(self, values: Sequence[Any]) -> NDArray[Any]:
        if self._loaded is None:
            began = time.perf_counter()
            with silent_stderr():
                self._prepare()
                self._loaded = load_model(self.file)
            self.load_seconds = time.perf_counter() - began
        return self._loaded.answer(values)


def _prediction(example: UnseenExample, answers: Iterator[NDArray[Any]]) -> Prediction:
    if example.problem:
        return Prediction(example.name, problem=example.problem)
    found = np.asarray(next(answers), np.float64)
    if not np.isfinite(found).all():
        return Prediction(example.name, problem="gets an answer from the model that is no number")
    return Prediction(example.name, found)

"""What a candidate's network is once it ships, before and after its training. It runs in the trial process."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import keras

from tunefront.search.data.dataset import Dataset
from tunefront.search.models.deployment_measures import measure_trained, measure_untrained
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.system.process_memory import reset_peak_memory
from tunefront.search.trial import trainable
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.space import Space


def deployed_untrained(spec: StudySpec, candidate: Candidate, dataset: Dataset, cache: str = "") -> dict[str, float]:
    """Return the measures of deployment that the study wants, of a random copy of the candidate's network: often none.

    It also forgets all of Keras's global state afterwards, so that the network that is trained next is built as if
    nothing had been, with the same names of layers, which stand in the file.

    Args:
        cache: See :func:`measure_untrained`.

    Raises:
        ExportRefusalError, RuntimeRefusalError: If the network cannot be exported, or its file cannot be run.
        ArenaTextError: If the arena cannot be read.
    """
    if not spec.deployment_measures:
        return {}
    space = spec.parsed_space()
    if "weights" in candidate.architecture_settings and isinstance(space, Space):
        candidate = replace(candidate, architecture_settings={**candidate.architecture_settings, "weights": "none"})
    training = spec.training.model_copy(update={"precision": "float32"})
    model = trainable.build(space, candidate, dataset, training, spec.seed).model
    found = measure_untrained(model, spec.deployment_measures, spec.deploy.precision, dataset, spec.seed, cache)
    del model
    keras.utils.clear_session()
    gc.collect()
    reset_peak_memory()  # the converter's peak is not the training's
    return found


def deployed_trained(spec: StudySpec, model: Any, dataset: Dataset) -> dict[str, float]:
    """Return the measures of deployment that the study wants, of a trained model: those of the file that ships.

    They replace what was told before: a file's size depends a little on its weights.
    """
    if not spec.deployment_measures:
        return {}
    return measure_trained(model, spec.deployment_measures, spec.deploy.precision, dataset, spec.seed)

"""A model's file of any format that tunefront writes, checked before a framework or a runtime loads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tunefront.search.data.examples import readable
from tunefront.search.models.extras import check_installed
from tunefront.search.prediction.prediction_card import ModelFileError, PredictionCard, read_card
from tunefront.search.system.regular_files import open_file

Loader = Literal["keras", "litert", "onnx"]
LOADERS: Mapping[str, Loader] = {".keras": "keras", ".tflite": "litert", ".onnx": "onnx"}
_OTHER_FORMATS = (".h5", ".hdf5", ".pb", ".pt", ".pth", ".safetensors")


@dataclass(frozen=True)
class ModelFile:
    """A model's file and what its card says."""

    path: Path
    loader: Loader
    card: PredictionCard


def is_model_name(text: str) -> bool:
    """Return whether a text is the name of a model's file, not that of a study."""
    return Path(text).suffix.lower() in (*LOADERS, *_OTHER_FORMATS)


def open_model_file(path: Path) -> ModelFile:
    """Check a model's file and read its card; loads neither Keras nor a runtime.

    Raises:
        ModelFileError: If it is missing, of another format, or without a card.
        MissingExtraError: If the runtime of its format is not installed.
    """
    name = readable(str(path))
    try:
        open_file(path).close()
    except FileNotFoundError:
        raise ModelFileError(f"there is no file {name!r} (looked for in {os.getcwd()}): correct the path") from None
    except OSError as error:
        raise ModelFileError(f"{name} cannot be read: {error.strerror or error}") from None
    loader = LOADERS.get(path.suffix)
    if loader is None:
        raise ModelFileError(f"{name} is none of {', '.join(LOADERS)}: save the model with model.save('NAME.keras')")
    if loader != "keras":
        check_installed([loader], name)
    return ModelFile(path, loader, read_card(path))

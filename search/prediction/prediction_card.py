"""The card beside a model's file: what its inputs must be made of, and what its outputs mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tunefront.mistakes import TunefrontError
from tunefront.search.data.decoding.decode import Decoding
from tunefront.search.data.decoding.deep_pixels import FULL_DEPTH
from tunefront.search.data.decoding.pixel_scale import Scale
from tunefront.search.data.examples import readable
from tunefront.search.system.regular_files import read_file

_MAX_BYTES = 20_000_000  # of a card with a hundred thousand classes
_HOW_TO_WRITE_ONE = (
    "If tunefront made the model, copy that file too. For another model of pixels from 0 to 255, write one, such as "
    '{"class_names": ["cat", "dog"], "input": {"size": [224, 224], "channels": 3, "resize": "stretch"}}'
)
Side = Annotated[int, Field(ge=1, le=100_000)]


class ModelFileError(TunefrontError):
    """A file is no model that can be used; the message names the remedy."""


class ColumnCard(BaseModel):
    """A column that a model of tables takes."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["number", "category"]


class InputCard(BaseModel):
    """What a model takes, under the names that `supervisor/model_card.py` and `deployment/file_card.py` write.

    Attributes:
        shape: The shape of one example; with a `dtype`, as an exported file has it, that of a batch of one.
        values: What the values are, in words.
        size: Height and width that image files were resized to; None for a model of arrays.
        columns: The columns of a table; empty for other models.
    """

    model_config = ConfigDict(frozen=True)

    shape: tuple[Side, ...] = ()
    dtype: str = ""
    values: str = "pixels from 0 to 255"
    size: tuple[Side, Side] | None = None
    channels: Literal[1, 3] = 3
    resize: Literal["stretch", "crop", "pad"] = "stretch"
    bit_depth_of_16_bit_files: int = Field(default=FULL_DEPTH, ge=8, le=FULL_DEPTH)
    scale_of_source: Scale = ""
    columns: tuple[ColumnCard, ...] = ()

    @property
    def example_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        if not self.shape and self.size:
            return (*self.size, self.channels)
        return self.shape[1:] if self.dtype else self.shape

    @property
    def are_pixels(self) -> bool:
        """Whether values are pixels from 0 to 255."""
        return self.values.startswith("pixels")

    @property
    def decoding(self) -> Decoding | None:
        """How image files become values, as in training; None for a model that takes no images.

        Pixels that came as arrays were never resized: files of another size are stretched.
        """
        if self.size is not None:
            return Decoding(self.size, self.channels, self.resize, self.bit_depth_of_16_bit_files)
        shape = self.example_shape
        if self.columns or not self.are_pixels or len(shape) != 3 or shape[2] not in (1, 3):
            return None
        return Decoding((shape[0], shape[1]), 3 if shape[2] == 3 else 1, "stretch")


class PredictionCard(BaseModel):
    """What it takes to use a model.

    Attributes:
        class_names: In the order of the outputs; empty for a model of numbers.
        positive_class: The class whose probability one output is; None with more outputs.
        numbers: What a predicted number is; None for a model of classes.
        n_outputs: The number of outputs, if they are more than the classes; 0 for one a class.
        output: The kind of output, or what an exported file gives, with its ``shape``.
    """

    model_config = ConfigDict(frozen=True)

    class_names: tuple[str, ...] = ()
    positive_class: str | None = None
    numbers: dict[str, Any] | None = None
    n_outputs: int = 0
    output: str | dict[str, Any] = ""
    input: InputCard = InputCard()

    @model_validator(mode="after")
    def _check(self) -> PredictionCard:
        if self.numbers is None and len(self.class_names) < 2:
            raise ValueError("class_names must name two classes or more, in the order of the outputs")
        if len(set(self.class_names)) < len(self.class_names):
            raise ValueError("class_names names a class twice")
        if self.positive_class is not None and self.positive_class not in self.class_names:
            raise ValueError(f"positive_class is {self.positive_class!r}, which is none of class_names")
        return self

    @property
    def is_of_numbers(self) -> bool:
        """Whether the model predicts a number instead of classes."""
        return self.numbers is not None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the outputs, with those that name no class in parentheses; empty for a model of numbers."""
        if self.is_of_numbers:
            return ()
        given = self.output.get("shape", [0]) if isinstance(self.output, dict) else [0]
        n_outputs = max(self.n_outputs, int(given[-1]))
        return (*self.class_names, *(f"(output {place})" for place in range(len(self.class_names), n_outputs)))


def read_card(model: Path) -> PredictionCard:
    """Read the card beside a model's file.

    Raises:
        ModelFileError: If there is none, or it does not say what is needed.
    """
    places = [model.with_suffix(".json"), model.with_name(f"{model.name}.json")]
    if model.suffix == ".onnx":
        places.reverse()  # trial-3.json may be the card of trial-3.keras
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise ModelFileError(
            f"{readable(str(model))}: there is no {places[0].name} beside it, which says what its outputs mean. "
            f"{_HOW_TO_WRITE_ONE}"
        )
    try:
        return PredictionCard.model_validate(json.loads(read_file(path, _MAX_BYTES)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        why = first["msg"].removeprefix("Value error, ")
        raise ModelFileError(
            f"{readable(str(path))}: {f'{where}: ' if where else ''}{why}. {_HOW_TO_WRITE_ONE}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{readable(str(path))} cannot be read as JSON ({error}). {_HOW_TO_WRITE_ONE}") from None

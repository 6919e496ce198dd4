"""The base of every source of images: the keys of its table in a spec, and a way to find its examples."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tunefront.objectives.measures import Task
from tunefront.search.data.decoding.pixel_scale import Scale
from tunefront.search.data.examples import Examples
from tunefront.search.system.regular_files import user_path

_LARGEST_SIDE = 4096


def _size(value: Any) -> Any:
    sides = value if isinstance(value, list | tuple) else [value]
    if (isinstance(value, list | tuple) and len(sides) != 2) or not all(
        type(side) is int and 1 <= side <= _LARGEST_SIDE for side in sides
    ):
        raise ValueError(f"give one number of pixels, or [height, width], each from 1 to {_LARGEST_SIDE}")
    return tuple(value) if isinstance(value, list) else value  # TOML and JSON have lists, no tuples


ImageSize = Annotated[int | tuple[int, int], BeforeValidator(_size)]


class Source(BaseModel):
    """A ``[data]`` table; each kind of source adds its own keys.

    Attributes:
        task: What labels are: classes, or with ``regression`` numbers to predict.
        validation_fraction: Share of the examples without a split that is for validation.
        test_fraction: Share of the examples without a split that no search ever sees. With 0 there is no test split,
            and `confirm` scores on the validation images.
        folds: Number of folds of a stratified cross-validation; 0 means one validation split instead.
        classes: Names of the classes to use; empty uses all.
        n_classes: The outputs of a network, if they are more than the classes there are; None for one a class.
        positive_class: Name of the class that binary measures look for, and whose probability one sigmoid unit is;
            empty takes the second class.
        rare_classes: What happens to a class with too few examples for every split.
        on_leak: What happens to an example that is also in another given split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    source: str
    task: Task = "classification"
    validation_fraction: float = Field(default=0.2, gt=0, lt=1)
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    folds: int = Field(default=0, ge=0, le=100)
    classes: list[str] = []
    n_classes: int | None = Field(default=None, ge=2, le=1_000_000)
    positive_class: str = ""
    rare_classes: Literal["error", "train", "drop"] = "error"
    on_leak: Literal["error", "drop"] = "error"

    @model_validator(mode="after")
    def _check(self) -> Source:
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError(
                "validation_fraction and test_fraction leave nothing to train on: together below 1, please"
            )
        if self.folds == 1:
            raise ValueError("folds = 1 is no cross-validation: give 2 or more, or leave it out")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes = {self.classes} names a class twice: leave one of them out")
        return self

    @property
    def origin(self) -> str:
        """The origin of the examples, for people: a file, a folder, or the kind of source."""
        named = self.model_dump(include={"path", "object"})
        return os.path.abspath(user_path(named["path"])) if "path" in named else named.get("object", self.source)

    def check_files(self) -> None:
        """Check, in well under a second and without reading examples, that the named files can be read.

        Raises:
            DataError: Names what is missing or broken, and the remedy.
        """

    @abstractmethod
    def find(self) -> Examples:
        """List the examples, without decoding any.

        Raises:
            DataError: Names what is missing or broken, and the remedy.
        """


class ArraySource(Source):
    """A source of values that come as arrays.

    Attributes:
        scale: The scale of image values, which then become pixels from 0 to 255. Empty takes values as they are.
    """

    scale: Scale = ""


class FileSource(Source):
    """A source of image files, which are decoded once, to one size.

    Attributes:
        image_size: Height and width of the decoded images in pixels; None if all files have one size.
        channels: 3 for colour, 1 for grey.
        resize: ``stretch`` to the size, ``crop`` the middle, or ``pad`` with black.
        on_bad_image: Whether a file that is no image stops everything, or is left out and counted.
    """

    image_size: ImageSize | None = None
    channels: Literal[1, 3] = 3
    resize: Literal["stretch", "crop", "pad"] = "stretch"
    on_bad_image: Literal["error", "skip"] = "error"

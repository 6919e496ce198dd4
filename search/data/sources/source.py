"""The base of every source of images: the keys of its table in a spec, and a way to find its examples."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal

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
        has_numbers: Whether labels of this kind of source can be numbers to predict.
        has_order: Whether its examples have an order that can be that of time.
        task: What labels are: classes, or with ``regression`` numbers to predict.
        split: How examples without a split are divided: ``random``, or by ``time``: training lies before validation,
            and validation before the test. The examples are then in the order of time.
        gap: Examples that a split by time leaves out at each border, so that no window of values lies across one.
        validation_fraction: Share of the examples without a split that is for validation.
        test_fraction: Share of the examples without a split that no search ever sees. With 0 there is no test split,
            and `confirm` scores on the validation images.
        folds: Number of folds of a stratified cross-validation, or, with a split by time, of windows that expand: each
            fold trains on what lies before it. 0 means one validation split instead.
        classes: Names of the classes to use; empty uses all.
        n_classes: The outputs of a network, if they are more than the classes there are; None for one a class.
        positive_class: Name of the class that binary measures look for, and whose probability one sigmoid unit is;
            empty takes the second class.
        rare_classes: What happens to a class with too few examples for every split.
        on_leak: What happens to an example that is also in another given split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    has_numbers: ClassVar[bool] = False
    has_order: ClassVar[bool] = False

    source: str
    task: Task = "classification"
    split: Literal["random", "time"] = "random"
    gap: int = Field(default=0, ge=0, le=10_000_000)
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
        self._check_task()
        self._check_order()
        return self

    def _check_task(self) -> None:
        if self.task == "classification":
            return
        if not self.has_numbers:
            raise ValueError(
                f'task = "regression": the labels of source = "{self.source}" are classes. Give numbers to predict '
                'with source = "own", "npz", "table" or "columns"'
            )
        for key, is_written in (
            ("classes", bool(self.classes)),
            ("n_classes", self.n_classes is not None),
            ("positive_class", bool(self.positive_class)),
            ("rare_classes", self.rare_classes != "error"),
        ):
            if is_written:
                raise ValueError(f'{key} is about classes, and task = "regression" predicts numbers: leave it out')

    def _check_order(self) -> None:
        if self.split == "random" and self.gap:
            raise ValueError(f'gap = {self.gap} is for a split by time: write split = "time" too, or leave it out')
        if self.split == "time" and not self.has_order:
            raise ValueError(
                f'split = "time": the examples of source = "{self.source}" are in no order of time. Give them in order '
                'with source = "own", "npz", "table" or "columns"'
            )

    @property
    def origin(self) -> str:
        """The origin of the examples, for people: a file, a folder, or the kind of source."""
        named = self.model_dump(include={"path", "object"})
        return os.path.abspath(user_path(named["path"])) if "path" in named else named.get("object", self.source)

    @property
    def joins_copies(self) -> bool:
        """Whether examples of equal values are copies of one another, which must not be in two splits."""
        return True

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

"""The source of data that a user's own function returns."""

from __future__ import annotations

from typing import ClassVar, Literal

from tunefront.printable import shown
from tunefront.search.data.examples import DataError, Examples, reading_problem
from tunefront.search.data.sources.arrays import examples_of_arrays
from tunefront.search.data.sources.source import ArraySource


class OwnSource(ArraySource):
    """The values and labels that a user's function returns. Naming one in a spec runs its code, once for each start.

    Attributes:
        object: ``module:function`` or ``path/to/file.py:function``. Called without arguments, it returns
            ``(values, labels)`` or ``(values, labels, class_names)``: n values of any shape, and n labels, which are
            classes or numbers to predict.
    """

    has_numbers: ClassVar[bool] = True
    has_order: ClassVar[bool] = True

    source: Literal["own"]
    object: str

    def find(self) -> Examples:
        from tunefront.spaces.settings import SpaceError
        from tunefront.spaces.user_code.objects import load_object

        try:
            load = load_object(self.object, key="data.object")
        except SpaceError as error:
            raise DataError(str(error)) from None
        if not callable(load):
            raise DataError(
                f"data.object: {self.object} is {shown(load)}: name a function that returns values and labels"
            )
        try:
            returned = load()
        except Exception as error:
            raise DataError(
                f"data.object: {self.object} raised {type(error).__name__}: {reading_problem(error)}"
            ) from error
        if not isinstance(returned, tuple) or len(returned) not in (2, 3):
            raise DataError(
                f"data.object: {self.object} returned {type(returned).__name__}: let it return a tuple "
                "(values, labels) or (values, labels, class_names)"
            )
        values, labels, class_names = returned if len(returned) == 3 else (*returned, None)
        parts = [(None, "values", values, labels)]
        return examples_of_arrays(self.object, parts, class_names, self.scale, self.task)

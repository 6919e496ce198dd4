"""The base of every table of a spec: no unknown keys, no silent conversions, quantities with units."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from tunefront.objectives.quantities import parse_quantity

MOST_COUNTED = 1_000_000  # epochs or trials that a setting counts: more is a mistake, and may never end


class Table(BaseModel):
    """A table of a spec: frozen, its values of the types they are written in, its numbers finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


FILE_CONTEXT = {"is_file": True}  # the validation context of a file, which a person wrote


def is_from_file(info: ValidationInfo) -> bool:
    """Return whether a person wrote what is validated; specs from the store and from programs are taken as they are."""
    return bool((info.context or {}).get("is_file"))


def _seconds(value: Any, info: ValidationInfo) -> float:
    """Read a time in seconds; a person must write its unit, because nobody can see what a bare 60 means."""
    number = str(value).strip()
    is_number = not isinstance(value, bool) and isinstance(value, str | int | float) and not number[-1:].isalpha()
    if is_from_file(info) and is_number:
        example = number if number.isdecimal() and int(number) else "60"
        raise ValueError(f'it has no unit: write "{example} s", "{example} min" or "{example} h"')
    return parse_quantity(value, "seconds")


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]


def named(default: str) -> BeforeValidator:
    """Return a validator for tables that a ``name`` tells apart: a table without one is taken as `default`."""

    def name_it(value: Any) -> Any:
        return {"name": default, **value} if isinstance(value, dict) else value

    return BeforeValidator(name_it)

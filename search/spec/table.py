"""What every table of a spec is made of: no unknown keys, no silent conversions, quantities with units."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from tunefront.objectives.quantities import parse_quantity


class Table(BaseModel):
    """A table of a spec: frozen, its values of the types they are written in, its numbers finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


FROM_FILE = {"is_file": True}  # the context in which a file is validated: a person wrote it


def is_from_file(info: ValidationInfo) -> bool:
    """Whether what is validated was written by a person; the store's specs and programs are taken as they are."""
    return bool((info.context or {}).get("is_file"))


def _seconds(value: Any, info: ValidationInfo) -> float:
    """A time, with its unit where a person wrote it: 60 of what, nobody can see."""
    number = str(value).strip()
    is_number = not isinstance(value, bool) and isinstance(value, str | int | float) and not number[-1:].isalpha()
    if is_from_file(info) and is_number:
        example = number if number.isdecimal() and int(number) else "60"
        raise ValueError(f'it has no unit: write "{example} s", "{example} min" or "{example} h"')
    return parse_quantity(value, "seconds")


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]


def named(default: str) -> BeforeValidator:
    """For a table that its ``name`` chooses: one that leaves it out means `default`."""

    def name_it(value: Any) -> Any:
        return {"name": default, **value} if isinstance(value, dict) else value

    return BeforeValidator(name_it)

"""What every table of a spec is made of: no unknown keys, no silent conversions, quantities with units."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from objectives import Unit, parse_quantity


class Table(BaseModel):
    """A table of a spec: frozen, its values of the types they are written in, its numbers finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _quantity(unit: Unit) -> BeforeValidator:
    return BeforeValidator(lambda value: parse_quantity(value, unit))


Seconds = Annotated[float, _quantity("seconds"), Field(gt=0)]


def named(default: str) -> BeforeValidator:
    """For a table that its ``name`` chooses: one that leaves it out means `default`."""

    def name_it(value: Any) -> Any:
        return {"name": default, **value} if isinstance(value, dict) else value

    return BeforeValidator(name_it)

"""Something in a store that is not as it should be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """Something that is wrong.

    Attributes:
        study: The study's name; empty if it is about the whole store.
        what: What is wrong, and how it came about as far as that is known.
        remedy: What a person does about it.
    """

    study: str
    what: str
    remedy: str

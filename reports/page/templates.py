"""The templates of pages, each read and compiled once in a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2


def page_template(name: str) -> jinja2.Template:
    """Return a template by its path below `reports/`; every text that is put into it is escaped."""
    return _environment().get_template(name)


def compile_templates() -> None:
    """Compile all of them now, while there is time for it."""
    environment = _environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""The names of a prepared dataset's examples, by which a person finds an example again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunefront.search.data.examples import Examples, readable
from tunefront.search.system.regular_files import user_path

if TYPE_CHECKING:
    from tunefront.search.data.sources.source import Source

NAMES = "names.json"  # in the folder of a prepared dataset: the name of each row


def relative_names(examples: Examples, source: Source) -> list[str]:
    """Return the name of each example, paths relative to the folder of the source's files, wherever that lies."""
    named = source.model_dump(include={"path", "images"})
    folders = [user_path(named[key]) for key in ("images", "path") if named.get(key)]
    names = list(examples.names)
    for folder in folders:
        prefix = f"{readable(str(folder if folder.is_dir() else folder.parent))}/"
        names = [name.removeprefix(prefix) for name in names]
    return names


def write_names(folder: Path, names: Sequence[str]) -> None:
    """Write the name of each row of a prepared dataset."""
    (folder / NAMES).write_text(json.dumps(names), encoding="utf-8")


def read_names(folder: Path) -> list[str] | None:
    """Read the name of each row; None of data that an older tunefront prepared, or whose files were removed."""
    try:
        names: list[str] = json.loads((folder / NAMES).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return names

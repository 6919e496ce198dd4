"""The files by which a member of a population goes on with another one's weights.

Members' checkpoints at their turns are kept in a folder of their population, for others to take, until all have ended.
What a member takes over lies in a folder of its own until the store knows of it. A supervisor that is killed in between
leaves either, and whoever trains the member next sees from the stored stages whether it counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tunefront.search.checkpoints.checkpoint_file import opened_checkpoint, read_header, write_checkpoint
from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.trial_folder import remove_checkpoints, remove_others
from tunefront.storage.files import replace_file
from tunefront.storage.population import stages
from tunefront.storage.population.stages import Stage

_TAKEN, _COURSE = "taken", "stages.json"
_KEPT_TURNS = 2  # a member that is behind may take weights of a turn that its donor has left


def turns_folder(out: Path, population: int, number: int) -> Path:
    """Return the folder of a member's checkpoints at its turns, below the results folder `out`; it need not exist."""
    return out / "checkpoints" / f"population-{population}" / f"trial-{number}"


def drop_populations(out: Path, living: Collection[int]) -> None:
    """Remove the checkpoints of turns of all populations but those of which members still train."""
    for folder in (out / "checkpoints").glob("population-*"):
        number = folder.name.removeprefix("population-")
        if number.isdigit() and int(number) not in living:
            with contextlib.suppress(OSError):  # the next run on this folder tries again
                remove_checkpoints(folder)


def keep_turn(folder: Path, header: CheckpointHeader, turns: Path) -> None:
    """Keep a member's checkpoint at the end of a turn, and drop those of turns long past.

    Args:
        folder: The member's folder.
        turns: See :func:`turns_folder`.
    """
    turns.mkdir(parents=True, exist_ok=True)
    kept = turns / header.file_name
    kept.unlink(missing_ok=True)
    try:
        os.link(folder / header.file_name, kept)  # both are written once, and never changed
    except OSError:  # a file system without links
        shutil.copyfile(folder / header.file_name, kept)
    drop_old_turns(turns)


def drop_old_turns(turns: Path) -> None:
    """Remove a member's checkpoints of turns but for the last two."""
    for old in sorted(turns.glob("*.npz"), key=lambda path: int(path.name.partition("-")[0]))[:-_KEPT_TURNS]:
        old.unlink(missing_ok=True)


def turns_of(turns: Path, epoch: int) -> Iterator[CheckpointHeader]:
    """Yield the header of each whole checkpoint that a member has at the end of a turn: one, or also one in vain."""
    found = (read_header(path) for path in sorted(turns.glob(f"{epoch}-*.npz")))
    return (header for header in found if header is not None)


def has_taken(folder: Path) -> bool:
    """Return whether a member has taken over a checkpoint that is still to be settled."""
    return (folder / _TAKEN).is_dir()


def take_over(
    turns: Path, header: CheckpointHeader, folder: Path, identity: Mapping[str, str], course: Sequence[Stage]
) -> None:
    """Copy a donor's checkpoint of a turn for a member, as one of the member's own training.

    It does not count before :func:`settle` finds its course in the store.

    Args:
        turns: The donor's, see :func:`turns_folder`.
        folder: The member's folder.
        identity: What the member's training is, for its own process.
        course: The stages of the member's training from then on.

    Raises:
        OSError: If it cannot be written.
    """
    taken = folder / _TAKEN
    shutil.rmtree(taken, ignore_errors=True)
    with opened_checkpoint(turns, header) as content:
        arrays = ((name, content.array(name)) for name in content.names())
        written = write_checkpoint(taken, replace(header, identity=identity, attempt=0), content.state, arrays)
    replace_file(taken / _COURSE, json.dumps({"stages": stages.as_json(course), "file": written.file_name}))


def settle(folder: Path, course: Sequence[Stage]) -> None:
    """Make what a member has taken over its only checkpoint if the store has its course; else drop it.

    Should this be cut off, the next one goes on with it.
    """
    taken = folder / _TAKEN
    if not has_taken(folder):
        return
    with contextlib.suppress(OSError, ValueError, KeyError):
        said = json.loads((taken / _COURSE).read_text())
        if said["stages"] == json.loads(json.dumps(stages.as_json(course))):
            if (taken / said["file"]).exists():
                os.replace(taken / said["file"], folder / said["file"])
            header = read_header(folder / said["file"])
            if header is not None:
                remove_others(folder, header)
    shutil.rmtree(taken, ignore_errors=True)

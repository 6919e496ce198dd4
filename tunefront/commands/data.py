"""The command `data`: looking at images, and writing them as TFRecords."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunefront.commands.options import JsonOption
from tunefront.commands.session import announce_code, command_asker, read_checked_spec, shown_progress
from tunefront.commands.terminal import UserError, say, show, show_json, suggest, writable_folder

if TYPE_CHECKING:
    from tunefront.search.launching.asker import Asker


def data(
    spec: Annotated[str | None, typer.Argument(help="Study spec, a TOML file.")] = None,
    exported_spec: Annotated[str | None, typer.Argument(hidden=True)] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the contact sheet.  [default: results/STUDY/data]")
    ] = None,
    tfrecords: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the prepared images into this folder as TFRecords.")
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache", help="List the prepared data of this machine: sizes, whose, when used last.")
    ] = False,
    prune: Annotated[
        float | None,
        typer.Option(metavar="DAYS", min=0, help="With --cache: remove what was not used for so many days."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a study's images before anything is trained: counts, sizes, duplicates, a contact sheet.

    They are prepared as the study will use them; `tunefront data SPEC --tfrecords FOLDER` writes them for others.
    `tunefront data --cache` lists what was prepared, `--cache --prune 30` removes what nobody used for 30 days.
    """
    if cache or prune is not None:
        if spec is not None or out is not None or tfrecords is not None or not cache:
            raise UserError("data --cache [--prune DAYS] is about all prepared data: leave out spec and other options")
        _show_cache(prune, as_json)
    elif spec is None:
        raise UserError("data needs a spec, such as examples/digits.toml, or --cache")
    elif spec == "export" and exported_spec is not None:  # how it was written before --tfrecords
        path = Path(exported_spec)
        folder = out or Path("results") / read_checked_spec(path).name / "tfrecords"
        say(f"data export is now written as: tunefront data {path} --tfrecords {folder}", sys.stderr)
        _export_data(path, folder, as_json)
    elif exported_spec is not None:
        raise UserError(f"data takes one spec, and got {spec} and {exported_spec}")
    elif tfrecords is not None:
        if out is not None:
            raise UserError("--out is the folder of the contact sheet, and --tfrecords writes none: leave --out out")
        _export_data(Path(spec), tfrecords, as_json)
    else:
        _inspect_data(Path(spec), out, as_json)


def _show_cache(unused_days: float | None, as_json: bool) -> None:
    from tunefront.commands.cache_table import cache_table, describe_bytes, entry_as_json
    from tunefront.search.data.cache_entries import list_cache
    from tunefront.search.data.cache_entries import prune as prune_cache
    from tunefront.search.data.cache_folder import cache_folder

    folder = cache_folder()
    pruned = None if unused_days is None else prune_cache(folder, unused_days * 86400)
    entries = list_cache(folder)
    if as_json:
        found: dict[str, object] = {"folder": str(folder), "entries": [entry_as_json(entry) for entry in entries]}
        if pruned:
            found["removed"] = [entry_as_json(entry) for entry in pruned.removed]
            found["kept"] = [{**entry_as_json(entry), "reason": reason} for entry, reason in pruned.kept]
        show_json(found)
        return
    if pruned:
        n_bytes = sum(entry.n_bytes for entry in pruned.removed)
        unused = f" that nobody used for {unused_days:g} {'day' if unused_days == 1 else 'days'}" if unused_days else ""
        entries_text = "1 entry" if len(pruned.removed) == 1 else f"{len(pruned.removed)} entries"
        say(f"removed {entries_text}{unused}: {describe_bytes(n_bytes)}")
        for entry, reason in pruned.kept:
            say(f"kept {entry.path.name}: {reason}")
    if not entries:
        say(f"{folder}: nothing is prepared there")
        return
    show(cache_table(folder, entries))
    if unused_days is None:
        suggest("tunefront data --cache --prune 30  (removes what was not used for 30 days; studies prepare it again)")


def _inspect_data(path: Path, out: Path | None, as_json: bool) -> None:
    from tunefront.commands.data_table import render
    from tunefront.search.data.inspection.contact_sheet import write_contact_sheet
    from tunefront.search.preparation.cautions import describe_single_steps
    from tunefront.search.preparation.prepare import inspect_data
    from tunefront.search.system.links import refuse_link

    spec = read_checked_spec(path)
    folder = writable_folder(out or Path("results") / spec.name / "data")
    if out is None:
        refuse_link(folder)
    announce_code(spec, as_json, has_space=False)
    with _data_asker() as asker:
        dataset, report = inspect_data(asker, spec)
    sheet = write_contact_sheet(dataset, folder / "contact_sheet.png")
    if as_json:
        show_json({**report.as_json(), "contact_sheet": str(sheet) if sheet else None})
        return
    show(render(report))
    single_steps = describe_single_steps(spec, {"n_train": dataset.n_train, "example": dataset.example_word})
    if single_steps:
        say(single_steps)
    say(f"wrote {sheet}" if sheet else "no contact sheet: these values are no images")
    suggest(f"tunefront run {path}")


def _export_data(path: Path, folder: Path, as_json: bool) -> None:
    from tunefront.search.preparation.prepare import export_data

    spec = read_checked_spec(path)
    announce_code(spec, as_json, has_space=False)
    with command_asker() as asker:
        exported = export_data(asker, spec, folder)
    if as_json:
        show_json(exported)
        return
    say(f"wrote {exported['n_examples']} images in {exported['n_files']} files to {exported['folder']}")
    table = "\n".join(f"{key} = {json.dumps(value)}" for key, value in exported["table"].items())
    say(f"A spec reads them back with\n\n[data]\n{table}")


@contextlib.contextmanager
def _data_asker() -> Iterator[Asker]:
    """Yield a child process for looking at data; its progress is shown on stderr."""
    from tunefront.search.launching.asker import make_data_asker

    with shown_progress() as progress, make_data_asker(progress) as asker:
        yield asker

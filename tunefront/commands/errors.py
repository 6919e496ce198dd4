"""The command `errors`, which tells what one model gets wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tunefront.commands.options import JsonOption, StorageOption
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.screen.verdict import from_here
from tunefront.commands.session import results_folder
from tunefront.commands.terminal import UserError, say, show, show_json, storage_argument, suggest
from tunefront.study import DEFAULT_STORAGE, find_study

if TYPE_CHECKING:
    from tunefront.reports.confirmation.confirmation import Confirmation
    from tunefront.reports.study_results import StudyResults


def errors(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    trial: Annotated[
        int | None, typer.Argument(min=0, help="Number of a trial; left out, the one that 'tunefront select' takes.")
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    as_json: JsonOption = False,
) -> None:
    """Tell what a model gets wrong: its mistakes by class, its calibration, and the worst images.

    They are those on the validation images; of a model that was confirmed, those of its training again on the test
    images. Where numbers are predicted, it sums up the errors. Names of images are relative to the folder of the data.
    """
    with at_work("reading the storage"):
        from tunefront.reports.confirmation.results import load_confirmation
        from tunefront.reports.errors.model_errors import find_errors
        from tunefront.reports.errors.terminal import errors_json, errors_shown
        from tunefront.reports.study_results import load_results
        from tunefront.storage.artifacts.model_files import bring_models
        from tunefront.storage.files import PREDICTIONS, WORST

        found = find_study(storage, study)
        folder = results_folder(found.record)
        for problem in bring_models(found, folder, (PREDICTIONS, WORST)):
            say(problem, sys.stderr)
        results = load_results(found, folder)
        confirmation = load_confirmation(found.store, results, folder)
        number = _selected(results, confirmation) if trial is None else trial
        model = find_errors(found, results, confirmation, number)
    if as_json:
        show_json(errors_json(model))
        return
    for part in errors_shown(model):
        show(part)
    for what, path in (("a picture of the worst", model.sheet), ("all answers", model.predictions)):
        if path is not None:
            say(f"{what}: {from_here(path)}")
    if model.sheet is not None and model.by_class is not None:
        suggest(f"open {from_here(model.sheet)}", f"tunefront report {study} --images{storage_argument(storage)}")


def _selected(results: StudyResults, confirmation: Confirmation | None) -> int:
    """Return the trial that `tunefront select` takes.

    Raises:
        UserError: If it takes none.
    """
    from tunefront.reports.selection.options import find_options
    from tunefront.reports.selection.selection import choose
    from tunefront.reports.selection.sentences import describe_no_choice

    options = find_options(results, confirmation)
    choice = choose(options, [], "balance")
    if choice is None:
        raise UserError(f"{describe_no_choice(options, [])} To see the errors of a trial all the same, give its number")
    return choice.option.number

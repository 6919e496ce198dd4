"""Studies in Python: reading the results of one, choosing a model, loading it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunefront.mistakes import TunefrontError, nearest

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from tunefront.reports.printed_figures.style import Width
    from tunefront.reports.selection.selection import Preference
    from tunefront.reports.study_results import StudyResults
    from tunefront.storage.open_study import OpenStudy
    from tunefront.storage.trials import TrialRecord

DEFAULT_STORAGE = "sqlite:///tunefront.db"
STORAGE_VARIABLE = "TUNEFRONT_STORAGE"
ARTIFACTS_VARIABLE = "TUNEFRONT_ARTIFACTS"


class StudyError(TunefrontError):
    """A study does not exist, or ended without its trials."""


@dataclass(frozen=True)
class SelectedModel:
    """A model that was chosen; printed, it says why.

    Attributes:
        number: The number of its trial.
        values: Measure -> value; means over its confirmed trainings where there are any.
        path: The path of the kept model, or of the file below ``results/NAME``; empty if it was not kept.
        variant: The variant of a file that ``tunefront deploy`` made, such as ``int8``; empty for the Keras model.
    """

    number: int
    values: Mapping[str, float]
    path: str
    text: str = field(repr=False)
    variant: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Study:
    """A study in a storage, read anew at every call.

    Attributes:
        storage: The URL of its database.
    """

    name: str
    storage: str = field(repr=False)  # the URL may have a password in it

    def front(self) -> pd.DataFrame:
        """Return the trials on the front, the most accurate first, in the columns of ``front.csv``."""
        from tunefront.reports.tables.frames import front_frame

        return front_frame(self._results())

    def trials(self) -> pd.DataFrame:
        """Return all trials in the order of their numbers, in the columns of ``trials.csv``."""
        from tunefront.reports.tables.frames import trials_frame

        return trials_frame(self._results())

    def curves(self) -> pd.DataFrame:
        """Return every epoch of every trial, in the columns of ``epochs.csv``."""
        from tunefront.reports.tables.epochs import epochs_frame

        return epochs_frame(self._results())

    def select(
        self,
        *,
        at_most: Mapping[str, str | float] | None = None,
        at_least: Mapping[str, str | float] | None = None,
        prefer: Preference = "balance",
        device: str | None = None,
    ) -> SelectedModel:
        """Choose one model, as the command ``tunefront select`` does.

        Args:
            at_most: Axis or measure -> limit: a text such as ``"100 kB"``, or a number in the measure's unit.
            at_least: The same for what is better the more there is.
            prefer: ``balance``, ``accuracy`` or ``quality``, ``memory``, ``time`` or ``knee``.
            device: The board that a deployed file must fit; None takes that of ``tunefront deploy``. With a device, or
                a limit on what a file measures, such as ``litert_latency_seconds``, files of ``tunefront deploy`` are
                chosen from.

        Raises:
            LimitError: If a limit cannot be read.
            SpaceError: If there is no such device.
            StudyError: If no model keeps the limits; the message says which one to loosen.
        """
        from tunefront.confirmation_price import price_of_confirmation
        from tunefront.predictions import with_model_here
        from tunefront.reports.confirmation.results import load_confirmation
        from tunefront.reports.selection.files import options_for
        from tunefront.reports.selection.limits import limit_of
        from tunefront.reports.selection.options import find_options
        from tunefront.reports.selection.selection import PREFERENCES, choose
        from tunefront.reports.selection.sentences import describe_certainty, describe_no_choice, explain
        from tunefront.search.spec.deploy import find_device

        if prefer not in PREFERENCES:
            raise StudyError(f"there is no preference {prefer!r}. {nearest(prefer, PREFERENCES)}")
        board = find_device(device, "device") if device is not None else None
        study, results = self._open(), self._results()
        every = find_options(results, load_confirmation(study.store, results))
        options, limits = options_for(study, every, [*(at_most or ()), *(at_least or ())], board)
        limits += [limit_of(name, limit, options, is_upper=True) for name, limit in (at_most or {}).items()]
        limits += [limit_of(name, limit, options, is_upper=False) for name, limit in (at_least or {}).items()]
        selection = choose(options, limits, prefer)
        if selection is None:
            raise StudyError(describe_no_choice(options, limits))
        option = selection.option
        values = {measure.name: option.value(measure.name) for measure in map(options.measure, options.axes)}
        path = option.training.model_path
        if option.file is not None:
            searched = Path(option.trial.model_path or Path("results", self.name, "models", "none"))
            path = str(searched.parent.parent / "deployed" / option.file.file)
        elif not Path(path).is_file():
            path = with_model_here(study, option.trial).model_path
        lines = [*explain(selection), *describe_certainty(selection, price_of_confirmation(options))]
        return SelectedModel(option.number, values, path, "\n".join(lines), option.variant)

    def compare(self, other: Study) -> pd.DataFrame:
        """Compare the front with that of another study on the same images, as the command ``tunefront compare`` does.

        Returns:
            A row for each model of both fronts, the most accurate first: study, trial, values by measure, whether it is
            on the common front, and the trial of the other study that beats it.

        Raises:
            ComparisonError: If the studies have other measures or images.
        """
        from tunefront.reports.comparison.comparison import compare_studies

        return compare_studies(self._results(), other._results()).frame()

    def model(self, number: int, *, allow_own_code: bool = False) -> Any:
        """Load the model of a trial, or of its best confirmed training, with Keras; an own space's code is run.

        Args:
            allow_own_code: Whether code may run that was not run or submitted on this machine.

        Raises:
            UnfitError: If the space is such code.
            StudyError: If there is no such trial, its model was not kept, or the file is not on this machine.
        """
        from tunefront.predictions import loaded_model

        return loaded_model(self._open(), self._trial(number), allows_own_code=allow_own_code)

    def predict(self, *inputs: str | Path, number: int | None = None, allow_own_code: bool = False) -> pd.DataFrame:
        """Return a model's answers to images, folders, tables, arrays or addresses, as ``tunefront predict`` does.

        What cannot be read is a row whose ``problem`` says why.

        Args:
            number: The trial whose model answers (default: the one that :meth:`select` chooses).
            allow_own_code: See :meth:`model`.

        Raises:
            TunefrontError: If there is no such model or input.
        """
        from tunefront.predictions import predictions_frame, predictor_of

        predictor, _ = predictor_of(self._open(), number, allows_own_code=allow_own_code)
        return predictions_frame(predictor, [str(named) for named in inputs])

    def candidate(self, number: int) -> dict[str, Any]:
        """Return what a trial's candidate chose, as a table that ``[[start]]`` of a spec takes."""
        from tunefront.search.spec.study_spec import StudySpec
        from tunefront.spaces.start_candidates import start_table

        spec = StudySpec.from_json(self._open().record.spec)
        return start_table(spec.parsed_space(), self._trial(number).parameters)

    def figure(self, name: str = "front") -> go.Figure:
        """Return a figure of plotly.

        Args:
            name: ``front``, ``memory-accuracy``, ``time-accuracy``, ``memory-time``, ``learning-curves`` or
                ``loss-curves``; with ``_`` too.
        """
        from tunefront.reports.figures.fronts import front_figure, pair_figures
        from tunefront.reports.figures.learning_curves import learning_curves
        from tunefront.reports.figures.loss_curves import loss_curves

        results, wanted = self._results(), name.replace("_", "-")
        made = {"front": front_figure, "learning-curves": learning_curves, "loss-curves": loss_curves}
        if wanted in made:
            return made[wanted](results)
        pairs = pair_figures(results)
        if wanted not in pairs:
            raise StudyError(f"there is no figure {name!r}. {nearest(name, [*made, *pairs])}")
        return pairs[wanted]

    def save_figure(self, name: str, path: str | Path, *, width: Width = "single") -> Path:
        """Save a figure as papers print it, drawn by matplotlib, and return its path.

        Args:
            name: ``front``, ``memory-accuracy``, ``time-accuracy``, ``memory-time``, ``learning-curves`` or
                ``confirmed``; with ``_`` too.
            path: The suffix says the format: ``.pdf``, ``.svg`` or ``.png``.
            width: ``single`` for one column of a page, ``double`` for both.

        Raises:
            PrintedFigureError: If it cannot be drawn; the message names the remedy.
        """
        from tunefront.reports.printed_figures.figure_kinds import draw_figure
        from tunefront.reports.printed_figures.printed_figure import check_format
        from tunefront.reports.printed_figures.style import WIDTHS, PrintedFigureError

        if width not in WIDTHS:
            raise PrintedFigureError(f"there is no width {width!r}. {nearest(width, WIDTHS)}")
        check_format(Path(path))
        draw_figure(self._open(), name.replace("_", "-"), width).save(Path(path))
        return Path(path)

    def report(self, out: str | Path | None = None) -> Path:
        """Write the report into a folder (default: ``results/NAME``), and return the path of its page."""
        from tunefront.reports.publish import publish

        return publish(self._open(), Path(out or Path("results") / self.name)).files.report_html

    def _repr_html_(self) -> str:
        """Show the front as a table in a notebook: its values as people write them, and what differs."""
        from tunefront.reports.tables.front_html import front_html

        return front_html(self._results())

    def _trial(self, number: int) -> TrialRecord:
        found = next((trial for trial in self._results().trials if trial.number == number), None)
        if found is None:
            raise StudyError(f"study {self.name!r} has no trial {number}: its trials() are numbered from 0")
        return found

    def _open(self) -> OpenStudy:
        return find_study(self.storage, self.name)

    def _results(self) -> StudyResults:
        from tunefront.reports.study_results import load_results

        return load_results(self._open())


def load_study(name: str, *, storage: str | None = None) -> Study:
    """Return a study that was run before.

    Args:
        storage: A database URL (default: ``TUNEFRONT_STORAGE``, or ``sqlite:///tunefront.db``).

    Raises:
        StudyError: If the storage has no study of that name.
        StoreError: If the storage cannot be opened.
    """
    url = storage or default_storage()
    find_study(url, name)
    return Study(name, url)


def default_storage() -> str:
    """Return the storage that is used where none is named."""
    return os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE


def find_study(storage: str, name: str, *, is_writer: bool = False) -> OpenStudy:
    """Find a study, and open its storage: for reading, or as a writer.

    Raises:
        StudyError: If the storage has no study of that name; the message lists the studies that it has.
    """
    from tunefront.notebook import quiet_imports

    quiet_imports()
    from tunefront.storage import studies
    from tunefront.storage.database.connection import open_store
    from tunefront.storage.database.passwords import masked
    from tunefront.storage.open_study import OpenStudy

    store = open_store(storage)
    found = studies.find(store, name)
    if found is None:
        known = [study.name for study in studies.list_all(store)]
        which = nearest(name, known) if known else "It has none yet"
        raise StudyError(f"{masked(storage)} has no study {name!r}. {which}")
    return OpenStudy(open_store(storage, is_writer=True), found.record) if is_writer else found

"""The folder of a study's results on this machine, found from what the store says."""

from __future__ import annotations

from pathlib import Path

from tunefront.reports.study_results import StudyResults
from tunefront.storage import folder_owner


def find_results_folder(results: StudyResults) -> Path | None:
    """Return the folder that holds the study's models and logs, and says so itself; None if there is none here.

    It is the folder above a kept model's, or else ``results/NAME`` in the current one.
    """
    kept = [Path(trial.model_path).parent.parent for trial in results.trials if trial.model_path]
    search = results.study.spec.get("confirms")
    usual = Path("results") / search / "confirmation" if search else Path("results") / results.study.name
    for folder in dict.fromkeys([*kept, usual]):
        try:
            folder_owner.check_owned(folder, results.study)
        except (folder_owner.FolderTakenError, OSError):
            continue
        return folder.resolve()
    return None

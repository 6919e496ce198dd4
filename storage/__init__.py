"""The shared store: Optuna's tables, and tunefront's own beside them in the same database."""

from storage.answers import Answers
from storage.connection import Store, StoreError, has_studies, open_store, patiently
from storage.curves import Epoch
from storage.folder_owner import FolderTakenError
from storage.passwords import has_password, masked
from storage.queue import Counts, Lease, Outcome
from storage.studies import StudyRecord, WorkerRecord
from storage.trials import TrialRecord

__all__ = [
    "Answers",
    "Counts",
    "Epoch",
    "FolderTakenError",
    "Lease",
    "Outcome",
    "Store",
    "StoreError",
    "StudyRecord",
    "TrialRecord",
    "WorkerRecord",
    "has_password",
    "has_studies",
    "masked",
    "open_store",
    "patiently",
]

"""The shared store: Optuna's tables, and tunefront's own beside them in the same database."""

from tunefront.storage.answers import Answers
from tunefront.storage.curves import Epoch
from tunefront.storage.database.connection import Store, StoreError, has_studies, open_store, patiently
from tunefront.storage.database.passwords import has_password, masked
from tunefront.storage.folder_owner import FolderTakenError
from tunefront.storage.queue import Counts, Lease, Outcome
from tunefront.storage.studies import StudyRecord, WorkerRecord
from tunefront.storage.trials import TrialRecord

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

"""The shared store: Optuna's tables, and tunefront's own beside them in the same database."""

from tunefront.storage.answers import Answers
from tunefront.storage.attempts import Lease
from tunefront.storage.counts import Counts
from tunefront.storage.curves import Epoch
from tunefront.storage.database.connection import Store, has_studies, open_store
from tunefront.storage.database.locks import StoreError
from tunefront.storage.database.passwords import has_password, masked
from tunefront.storage.database.patience import patiently
from tunefront.storage.folder_owner import FolderTakenError
from tunefront.storage.outcomes import Outcome
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

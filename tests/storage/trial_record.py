"""A trial as the store gives it, of which a test says only what matters to it."""

from __future__ import annotations

from typing import Any

from tunefront.storage.trials import TrialRecord


def trial_record(number: int, **fields: Any) -> TrialRecord:
    """Return a trial that is complete and feasible, without values or parameters, but for these fields."""
    plain: dict[str, Any] = {
        "state": "complete", "reason": "", "values": None, "is_feasible": True, "parameters": {}, "measurements": {},
        "epochs": (), "n_attempts": 1, "worker_id": "", "slot": "", "started_at": 0.0, "ended_at": 1.0,
        "model_path": "",
    }  # fmt: skip
    return TrialRecord(number, **(plain | fields))

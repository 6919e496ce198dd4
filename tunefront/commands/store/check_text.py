"""A check of a store as text for people, and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunefront.storage.check.store_check import StoreCheck, StudyCheck

_N_LISTED = 20


def describe_check(check: StoreCheck, storage: str) -> str:
    """Return what a store has, study by study, and what is wrong with it."""
    from tunefront.storage.check.store_check import is_older
    from tunefront.storage.database.passwords import masked

    lines = [f"{masked(storage)}: tables of version {check.version}"]
    if is_older(check):
        lines.append("  an older tunefront made them: the next run upgrades them. Make a backup first")
    for study in check.studies:
        lines += _describe_study(study)
    if not check.defects:
        return "\n".join([*lines, "", "nothing is wrong"])
    n = len(check.defects)
    lines += ["", f"{n} thing{'s are' if n > 1 else ' is'} wrong:"]
    for defect in check.defects[:_N_LISTED]:
        lines += [
            f"{defect.study}: {defect.what}" if defect.study else defect.what,
            f"  what to do: {defect.remedy}",
        ]
    if n > _N_LISTED:
        lines.append(f"and {n - _N_LISTED} more: --json lists all of them")
    return "\n".join(lines)


def _describe_study(study: StudyCheck) -> list[str]:
    counts, models = study.counts, study.models
    states = ", ".join(f"{n} {state}" for state, n in asdict(counts).items() if n)
    lines = [
        f"{study.name}: {counts.finished} of {study.n_trials} trials are done" + (f" ({states})" if states else "")
    ]
    if models.n_here or models.n_elsewhere:
        elsewhere = f", {models.n_elsewhere} elsewhere" if models.n_elsewhere else ""
        lines.append(f"  kept models: {models.n_here} here{elsewhere}")
    return lines


def check_json(check: StoreCheck) -> dict[str, Any]:
    """Return a check as plain data."""
    return {
        "version": check.version,
        "studies": [
            {
                "name": study.name,
                "trials": study.n_trials,
                "done": study.counts.finished,
                **asdict(study.counts),
                "models_here": study.models.n_here,
                "models_elsewhere": study.models.n_elsewhere,
            }
            for study in check.studies
        ],
        "defects": [asdict(defect) for defect in check.defects],
    }

"""The report page's section about deployed variants."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunefront.objectives.quantities import format_quantity
from tunefront.reports.deployment.deployed_front import DeployedFront
from tunefront.reports.deployment.tables import TITLES, cells
from tunefront.storage.deployment.deployed import DeployedVariant


def deployment_context(front: DeployedFront | None, folder: Path) -> dict[str, Any]:
    """Return the variables of ``section.html.j2`` in a report in `folder`."""
    if front is None:
        return {"deployed": None}
    machines = sorted({str(variant.machine.get("cpu", "")) for variant in front.variants} - {""})
    return {
        "deployed": front,
        "deployed_titles": TITLES,
        "deployed_cells": {(v.trial, v.variant): cells(front, v) for v in front.variants},
        "deployed_links": {(v.trial, v.variant): _link(v, folder) for v in front.variants},
        "deployed_device": _describe_device(front),
        "deployed_machines": ", ".join(machines),
        "n_offered": sum(not front.why_not(variant) for variant in front.variants),
    }


def _link(variant: DeployedVariant, folder: Path) -> str:
    """Return the target of a link to the file; empty if it does not lie below the report's folder."""
    return f"deployed/{quote(variant.file)}" if variant.file and (folder / "deployed" / variant.file).is_file() else ""


def _describe_device(front: DeployedFront) -> str:
    if front.device is None:
        return ""
    flash, ram = (format_quantity(front.device[name], "bytes") for name in ("flash_bytes", "ram_bytes"))
    source = front.device.get("source")
    return f"{front.device['name']}: {flash} flash, {ram} RAM" + (f" ({source})" if source else "")

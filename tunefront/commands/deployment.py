"""The command `deploy`: a study's models as files for phones, small computers and microcontrollers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunefront.commands.options import JsonOption, OutOption, StorageOption
from tunefront.commands.session import announce_code, line_teller, publish_report, results_folder, shown_progress
from tunefront.commands.terminal import suggest, writable_folder
from tunefront.study import DEFAULT_STORAGE, find_study


def deploy(
    study: Annotated[str, typer.Argument(help="Name of the study; 'tunefront status' lists them.")],
    variants: Annotated[
        str,
        typer.Option(
            help="Which to make, with commas between: float32, float16, dynamic, int8, onnx.  "
            "[default: all whose packages are installed]"
        ),
    ] = "",
    device: Annotated[
        str,
        typer.Option(
            help="The board that the models must fit, such as arduino_nano_33_ble (see docs/spec.md), or none.  "
            "[default: that of the last time, or of the spec]"
        ),
    ] = "",
    measured: Annotated[
        Path | None,
        typer.Option(help="CSV file with trial,variant,latency_seconds as measured on the device, for the front."),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make files of a study's front for LiteRT and ONNX Runtime, measure each, and show the front of what ships.

    Every file is run in its runtime, one thread, one image at a time, in a process of its own; its accuracy is measured
    again, on the test images for confirmed models. Interrupted, the same command goes on.
    """
    from tunefront.objectives.devices import Device
    from tunefront.search.deployment.deployment import Deployment, choose_variants, make_export_asker
    from tunefront.search.deployment.measured_csv import read_measured
    from tunefront.search.deployment.plan import plan_deployment
    from tunefront.search.models.extras import check_installed
    from tunefront.search.spec.deploy import find_device
    from tunefront.storage import folder_owner
    from tunefront.storage.deployment import deployed

    tell = line_teller(as_json)
    board = find_device(device, "--device") if device and device != "none" else None
    if board is not None:
        check_installed(["micro"], f"--device {device}")
    chosen = choose_variants(variants, tell)
    found = find_study(storage, study, is_writer=True)
    folder = writable_folder(out or results_folder(found.record))
    folder_owner.check_owner(folder, found.record, study)
    plan = plan_deployment(found)
    times = read_measured(measured, [model.number for model in plan.models]) if measured is not None else {}
    announce_code(plan.spec, as_json)
    folder_owner.claim(folder, found.record)
    for number, why in plan.missing.items():
        tell(f"trial {number} is not deployed: {why}")
    fitted = plan.spec.deploy.device
    if device:
        deployed.save_device(found, board.as_json() if board else None)
    elif fitted is not None and not deployed.has_device_choice(found):
        deployed.save_device(found, Device(fitted.name, fitted.flash, fitted.ram).as_json())
    deployment = Deployment(found, plan, chosen, folder, times)
    with shown_progress() as progress, make_export_asker(progress) as asker:
        deployment.carry_out(asker, tell)
    publish_report(find_study(storage, study), folder, as_json)
    if not as_json:
        suggest(f"open {folder / 'report.html'}", f"ls {folder / 'deployed'}")

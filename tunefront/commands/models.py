"""The commands `profile`, which tells what models weigh, `pretrain`, `retrain` and `deploy`."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunefront.commands.options import DataRootOption, JsonOption, OutOption, OwnCodeOption, StorageOption
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.session import (
    announce,
    announce_code,
    command_asker,
    interrupted_early,
    line_teller,
    publish_report,
    read_checked_spec,
    results_folder,
    shown_progress,
    trust_in,
)
from tunefront.commands.terminal import UserError, say, show, show_json, suggest, writable_folder
from tunefront.study import DEFAULT_STORAGE, find_study

if TYPE_CHECKING:
    from tunefront.search.spec.study_spec import StudySpec


class Part(StrEnum):
    """The images that a retraining sees."""

    TRAIN = "train"
    ALL = "train+validation"


def profile(
    spec: Annotated[Path | None, typer.Argument(help="Study spec: what its candidates would weigh.")] = None,
    architecture: Annotated[
        str, typer.Option(help="Instead of a spec: names, with commas between, such as VGG16,MobileNetV2.")
    ] = "",
    freeze: Annotated[str, typer.Option(help="Freeze fractions of pretrained backbones, such as 0,0.1,0.8,1.")] = "0",
    classes: Annotated[int, typer.Option(min=2, max=1_000_000, help="Number of classes.")] = 10,
    image_size: Annotated[int, typer.Option(min=1, max=4096, help="Height and width of the images in pixels.")] = 224,
    channels: Annotated[int, typer.Option(min=1, max=4096, help="Channels of the images.")] = 3,
    optimizer: Annotated[str, typer.Option(help="Optimizer, whose variables a saved model holds too.")] = "adam",
    width: Annotated[float | None, typer.Option(help="Width of the backbones that have one.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Show counts and bytes to the last digit.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell what models weigh and compute, without training any.

    `tunefront profile --architecture VGG16,ResNet50,MobileNetV2 --freeze 0,0.1,0.8,1` is a whole grid.
    """
    from tunefront.commands.profile_table import profiles_table
    from tunefront.search.profiling.profile_grid import ProfileGrid
    from tunefront.search.profiling.profiler import profile_in_child
    from tunefront.search.spec.file import check_own_space

    if (spec is None) == (not architecture):
        raise UserError("give either a spec or --architecture, such as --architecture MobileNetV2,ResNet50")
    what: ProfileGrid | StudySpec
    if spec:
        what = read_checked_spec(spec, line_teller(as_json))
        announce_code(what, as_json)
        check_own_space(spec, what)
    else:
        what = ProfileGrid.parse(architecture, freeze, classes, image_size, channels, optimizer, width)
    with command_asker() as asker:
        profiles, note = profile_in_child(asker, what)
    if as_json:
        show_json([found.as_json() for found in profiles])
        return
    show(profiles_table(profiles, is_exact=exact))
    if note:
        say(note)


def pretrain(
    spec: Annotated[
        Path, typer.Argument(help="Study spec with a [pretrain] table, such as examples/digits_transfer.toml.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Train a backbone on one dataset and keep its weights, for transfer to the study's own.

    The spec's [pretrain] says on what, how long, and where the weights go; [space] then names that file.
    """
    from dataclasses import asdict

    from tunefront.search.preparation.own_code import code_of_data
    from tunefront.search.preparation.pretraining import pretrain as pretrain_backbone

    study_spec = read_checked_spec(spec)
    if study_spec.pretrain is not None:
        announce(code_of_data(study_spec.pretrain.data), as_json)
    with command_asker() as asker:
        done = pretrain_backbone(asker, study_spec)
    if as_json:
        show_json(asdict(done))
        return
    say(
        f"{done.architecture}: accuracy {done.accuracy:.2%} on the validation images of its own "
        f"{done.n_classes} classes, best in epoch {done.best_epoch}\nwrote {done.weights}"
    )
    suggest(f"tunefront run {spec}")


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
    data_root: DataRootOption = None,
    allow_own_code: OwnCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make files of a study's front for LiteRT and ONNX Runtime, measure each, and show the front of what ships.

    Every file is run in its runtime, one thread, one image at a time, in a process of its own; its accuracy is measured
    again, on the test images for confirmed models. Interrupted, the same command goes on.
    """
    with at_work("reading the storage"):
        from tunefront.objectives.devices import Device
        from tunefront.search.confirmation.candidates_again import read_stored_spec
        from tunefront.search.deployment.deployment import Deployment, choose_variants, make_export_asker
        from tunefront.search.deployment.measured_csv import read_measured
        from tunefront.search.deployment.plan import plan_deployment
        from tunefront.search.models.extras import check_installed
        from tunefront.search.spec.deploy import find_device
        from tunefront.storage import folder_owner
        from tunefront.storage.artifacts.model_files import bring_models
        from tunefront.storage.deployment import deployed

    tell = line_teller(as_json)
    board = find_device(device, "--device") if device and device != "none" else None
    if board is not None:
        check_installed(["micro"], f"--device {device}")
    chosen = choose_variants(variants, tell)
    found = find_study(storage, study, is_writer=True)
    folder = writable_folder(out or results_folder(found.record))
    folder_owner.check_owner(folder, found.record, study)
    trust_in(data_root, allow_own_code).check(found, read_stored_spec(found.record))
    with at_work("fetching models"):
        problems = bring_models(found, folder)
    for problem in problems:
        tell(problem)
    plan = plan_deployment(found, folder)
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


def retrain(
    study: Annotated[str, typer.Argument(help="Name of the search; 'tunefront status' lists them.")],
    trial: Annotated[int, typer.Argument(min=0, help="Number of the trial, such as 'tunefront select' names.")],
    on: Annotated[
        Part, typer.Option("--on", help="The images to train on; validation has nothing left to choose.")
    ] = Part.ALL,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000_000,
            help="Epochs to train.  [default: the candidate's best epoch, the mean over its confirmed trainings]",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**31 - 1, help="Seed of weights and order.  [default: the trial's own]")
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    out: OutOption = None,
    data_root: DataRootOption = None,
    allow_own_code: OwnCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a trial's candidate once more, for use: on the validation images too, for the epochs that were best.

    Nothing validates, so that nothing stops it early. Its score is that on the test images, if there are any, which it
    is never trained on. The model and its card lie in `retrained/`; the study and its other models stay as they are.
    """
    from tunefront.search.confirmation.candidates_again import read_stored_spec
    from tunefront.search.retraining.plan import plan_retraining
    from tunefront.search.retraining.retraining import Retraining
    from tunefront.search.system.links import refuse_links
    from tunefront.storage import folder_owner

    search = find_study(storage, study)
    folder = writable_folder(out or results_folder(search.record))
    folder_owner.check_owner(folder, search.record, study)
    refuse_links(folder)
    spec = read_stored_spec(search.record)
    trust_in(data_root, allow_own_code).check(search, spec)
    announce_code(spec, as_json)  # before planning, which makes the candidate by that code
    plan = plan_retraining(search, trial, on.value, epochs, seed)
    line_teller(as_json)(plan.describe())
    folder_owner.claim(folder, search.record)
    with (
        interrupted_early(storage, as_json, "Interrupted; nothing was written."),
        command_asker() as asker,
    ):
        done = Retraining(search, plan, folder).carry_out(asker)
    if as_json:
        show_json({**done.card, "model": str(done.path)})
        return
    path = folder / "retrained" / done.path.name
    say(done.describe())
    say(f"wrote {path}, {path.with_suffix('.json')}")
    taken = done.card["input"]
    what = "TABLE.csv" if taken.get("columns") else "FOLDER" if taken["values"].startswith("pixels") else "ARRAYS.npy"
    suggest(f"tunefront predict {shlex.quote(str(path))} {what}")

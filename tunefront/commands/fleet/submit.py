"""The command `submit`, which puts a study into the store for any worker to take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunefront.commands.options import ArtifactsOption, StorageOption
from tunefront.commands.screen.spinner import at_work
from tunefront.commands.session import announce_code, command_asker, interrupted_early, line_teller
from tunefront.commands.terminal import say, storage_argument, suggest
from tunefront.study import DEFAULT_STORAGE


def submit(
    spec: Annotated[Path, typer.Argument(help="Study spec, a TOML file. Start from examples/digits.toml.")],
    storage: StorageOption = DEFAULT_STORAGE,
    priority: Annotated[
        int | None,
        typer.Option(
            min=-1_000_000,
            max=1_000_000,
            help="Workers take trials of studies with a higher one first.  [default: as it is, at first 0]",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, max=10_000_000, help="Trials of the study, instead of what the spec says.")
    ] = None,
    artifacts: ArtifactsOption = "",
) -> None:
    """Put a study into the storage, for the workers of `tunefront work` to run.

    The data are prepared and checked here, and every worker compares its own with them. Nothing is trained here. Paths
    in the spec must lead to the same data on all machines.
    """
    with at_work("reading the spec"):
        from tunefront.search.fleet.filled_in import check_filled_in
        from tunefront.search.fleet.named_files import approve_written
        from tunefront.search.fleet.submission import Submission, submit_study
        from tunefront.search.preparation.prepare import check_files
        from tunefront.search.spec.file import check_own_space, read_spec
        from tunefront.search.spec.stored_spec import stored_spec_in
        from tunefront.storage.artifacts.address import open_artifacts

    study_spec = read_spec(spec, stored_spec_in(storage), line_teller(False), trials=trials)
    if artifacts:
        open_artifacts(artifacts).prepare()
    check_filled_in(spec, study_spec)
    announce_code(study_spec, False)
    check_own_space(spec, study_spec)
    check_files(spec, study_spec.data)
    problem = approve_written(spec, artifacts)  # before any worker of this machine sees the study
    if problem:
        say(f"caution: {problem}")
    with interrupted_early(storage, False), command_asker() as asker:
        request = Submission(study_spec, spec, storage, priority, artifacts)
        study, counts = submit_study(request, asker, line_teller(False))
    done = f", of which {counts.finished} are done" if counts.finished else ""
    n_trials = f"{study_spec.trials} trial{'s' if study_spec.trials > 1 else ''}"
    say(f"submitted study {study.name}: {n_trials}{done}. Any worker takes trials of it from here on")
    where = storage_argument(storage)
    suggest(f"tunefront work{where}", f"tunefront status {study.name}{where}")

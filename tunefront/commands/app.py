"""The command `tunefront`. Each command imports what it needs when it is called; only `run` loads Keras."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.main import get_command

from tunefront.commands.terminal import Commands, mistakes_explained
from tunefront.program_end import leave

# command -> the module of this folder that has it, in the order of `--help`; a module is loaded with its command
COMMANDS = {
    "new": "first_spec",
    "run": "study",
    "submit": "fleet.submit",
    "work": "fleet.work",
    "data": "data",
    "profile": "models",
    "pretrain": "models",
    "record": "replay",
    "confirm": "study",
    "deploy": "models",
    "retrain": "models",
    "replay": "replay",
    "status": "reports",
    "pause": "steering.command",
    "resume": "steering.command",
    "stop": "steering.command",
    "cancel": "steering.command",
    "priority": "steering.command",
    "report": "reports",
    "select": "selection",
    "errors": "errors",
    "predict": "prediction.command",
    "compare": "tables",
    "table": "tables",
    "figure": "tables",
    "delete": "study",
    "dashboard": "reports",
    "store": "store.command",
}


class LightCommands(Commands):
    """The commands of the table above; a command line imports the module of its own command alone."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "commands": dict.fromkeys(COMMANDS)})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command; None if no command has that name."""
        if cmd_name in COMMANDS and self.commands[cmd_name] is None:
            found = getattr(import_module(f"tunefront.commands.{COMMANDS[cmd_name]}"), cmd_name)
            if not isinstance(found, typer.Typer):  # a function, and not a group of commands
                function, found = found, typer.Typer(add_completion=False, rich_markup_mode="markdown")
                found.command(cmd_name)(function)
            self.commands[cmd_name] = get_command(found)
        return self.commands.get(cmd_name)


app = typer.Typer(
    cls=LightCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Find which Keras image model to use when accuracy is not all that counts.\n\n"
    "**0.** `tunefront new FOLDER` writes a spec for your images.\n\n"
    "**1.** `tunefront data examples/digits.toml` shows the images, `tunefront profile` what models weigh.\n\n"
    "**2.** `tunefront run examples/digits.toml` searches, and writes a report to `results/digits`.\n\n"
    "**3.** `tunefront status` tells how studies stand; `tunefront dashboard` shows trials in a browser. `pause`, "
    "`resume`, `stop` and `cancel` steer them.\n\n"
    "**4.** `tunefront report digits` writes the report again at any time, also while the study runs.\n\n"
    "**5.** `tunefront confirm digits` trains its front again with other seeds, and scores it on the test images.\n\n"
    "**6.** `tunefront select digits --at-most memory=100kB` chooses one model, and says why.\n\n"
    "**7.** `tunefront errors digits` tells what that model gets wrong.\n\n"
    "**8.** `tunefront predict digits photo.png` puts that model to use.\n\n"
    "**9.** `tunefront deploy digits` makes files of its models for phones and microcontrollers, and measures each.\n\n"
    "**10.** `tunefront delete digits` removes a study, with `--results` also its files.\n\n"
    "**11.** `tunefront submit SPEC` queues a study, and `tunefront work` on any machine runs what is queued.\n\n"
    "**12.** `tunefront store start` starts a database that several machines share; `store backup` and `store check` "
    "look after any.",
)


@app.callback()
def _commands() -> None:
    pass


def main() -> None:
    """Run the command line; the end is always a SystemExit."""
    with mistakes_explained():
        app()


def program() -> None:
    """Run the command line as a process of its own, and end that: this is the entry point."""
    try:
        main()
    except SystemExit as ending:
        if ending.code is not None and not isinstance(ending.code, int):
            raise  # a text, which Python prints
        leave(ending.code or 0)

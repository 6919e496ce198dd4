"""Terminal output of results and messages with names in them that others chose."""

from __future__ import annotations

import pytest
import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tunefront.commands.terminal import Commands, UserError, make_console, mistakes_explained, say, show, suggest, tell

HOSTILE = "\x1b[31m[red]cat[/red]\x9b2J\u202e:boom:"
HARMLESS = "\\x1b[31m[red]cat[/red]\\x9b2J\\u202e:boom:"


def _show_text() -> None:
    show(Text(HOSTILE))


def _show_string() -> None:
    show(HOSTILE)


def _show_table() -> None:
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE, min_width=60)
    table.add_row(HOSTILE)
    show(table)


def _tell() -> None:
    tell(make_console(), HOSTILE)


def _redraw() -> None:
    with Live(HOSTILE, console=make_console()):
        pass


@pytest.mark.parametrize(
    "write", [_show_text, _show_string, _show_table, _tell, _redraw, lambda: say(HOSTILE), lambda: suggest(HOSTILE)]
)
def test_nothing_in_a_name_is_obeyed(write: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(write)
    write()
    output = capsys.readouterr().out
    assert HARMLESS in output
    assert "\x1b" not in output
    assert "\x9b" not in output


def test_a_mistake_is_one_message_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, mistakes_explained():
        raise UserError(f"there is no {HOSTILE}")
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"tunefront: there is no {HARMLESS}\n"


def test_an_interrupted_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    commands = typer.Typer(cls=Commands)

    @commands.command()
    def wait() -> None:
        raise KeyboardInterrupt

    @commands.command()
    def rest() -> None:
        """Without a second command there is no group."""

    with pytest.raises(SystemExit) as ended:
        commands(["wait"])
    assert ended.value.code == 130
    assert capsys.readouterr().err == "\nInterrupted; what was finished is kept.\n"


def test_ctrl_c_while_a_class_is_made_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Python 3.11 raises a RuntimeError there, which was shown with its traceback while libraries loaded."""
    with pytest.raises(SystemExit) as ended, mistakes_explained():
        raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "\nInterrupted; what was finished is kept.\n"

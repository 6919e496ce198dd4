"""What all commands say alike: results, next steps, a user's mistakes. Light, because `--help` needs it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from typer.core import TyperGroup
from typer.exceptions import TyperException

from tunefront.mistakes import TunefrontError
from tunefront.printable import printable
from tunefront.study import DEFAULT_STORAGE, STORAGE_VARIABLE

if TYPE_CHECKING:
    from rich.console import Console

# SQLAlchemy's and Optuna's, by name, so that --help imports neither.
_LOST_STORAGE = ("OperationalError", "InterfaceError", "StorageInternalError")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


# In any text: what stands between a user's name and the host of a URL, and in its query. One slash is left where a path
# was made of it; a password may have blanks in it.
_PASSWORD = re.compile(r"(\w:/{1,2}[^\s:/]*:).*@")
_IN_QUERY = re.compile(r"([?&][^\s=&]*(?:pass|pwd|secret|token|odbc_connect)[^\s=&]*=)[^\s&'\"]+", re.IGNORECASE)


class UserError(TunefrontError):
    """A mistake in a command's arguments: the message names the remedy."""


@contextlib.contextmanager
def mistakes_explained() -> Iterator[None]:
    """A user's mistake ends the program with one message and exit code 2, without a traceback."""
    try:
        yield
    except Exception as error:
        if isinstance(error, TunefrontError):
            _fail(str(error))
        if type(error).__name__ in _LOST_STORAGE:
            _fail(f"the storage was lost: {_last_cause(error)}. What was finished is kept: run the same command again")
        if isinstance(error, OSError) and (error.filename is not None or error.errno in _FULL):
            where = "" if error.filename is None else f"{error.filename}: "
            remedy = "make room there" if error.errno in _FULL else "mend this"
            _fail(f"{where}{error.strerror}. What was finished is kept: {remedy} and run the command again")
        raise


def writable_folder(path: Path, option: str = "--out") -> Path:
    """The same path, if files can be written there once it is made. Makes nothing.

    Raises:
        UserError: Names the option and what is in the way.
    """
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    if not nearest.is_dir():
        raise UserError(f"{path} cannot be written: {nearest} is a file. Name another folder with {option}")
    if not os.access(nearest, os.W_OK):
        raise UserError(f"{path} cannot be written: no permission for {nearest}. Name another folder with {option}")
    return path


class Commands(TyperGroup):
    """The commands; what is printed of a wrong command line has no password in it."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except TyperException as error:
            if hasattr(error, "message"):
                error.message = _without_passwords(str(error.message))
            raise


def _without_passwords(text: str) -> str:
    """Hide passwords where a URL stands in place of something else, a study's name for example."""
    return _IN_QUERY.sub(r"\1***", _PASSWORD.sub(r"\1***@", text))


def _fail(message: str) -> NoReturn:
    say(f"tunefront: {_without_passwords(message)}", sys.stderr)
    raise SystemExit(2)


def _last_cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().splitlines()[0]


def make_console(*, stderr: bool = False, width: int | None = None) -> Console:
    """A console of rich for content with names in it that others chose: nothing in them is obeyed.

    Brackets are no markup, and control characters become escapes before they reach the terminal.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.text import Text

    class PlainConsole(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            # Whatever is printed comes through here: texts, the cells of tables, and what is redrawn in place. Texts
            # are changed before they are wrapped, or what escapes make longer would be cut off; nothing else is missed.
            if isinstance(renderable, str):
                renderable = printable(renderable)
            elif isinstance(renderable, Text) and printable(renderable.plain) != renderable.plain:
                renderable = renderable.copy()
                renderable.plain = printable(renderable.plain)
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(printable(segment.text), segment.style)

    return PlainConsole(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def show(content: Any) -> None:
    """Print a text or a table of rich to stdout."""
    # A log or a pipe has no edge to wrap at.
    make_console(width=None if sys.stdout.isatty() else 200).print(content)


def show_json(content: Any) -> None:
    """Print for programs."""
    print(json.dumps(content, indent=2))


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a text as it is, to stdout unless another stream is named."""
    print(printable(text), file=stream or sys.stdout, flush=True)


def tell(console: Console, text: str) -> None:
    """Print to a console: a command to copy has no line breaks of ours."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def suggest(*steps: str) -> None:
    """Print what to do next."""
    say("next: " + "\n      ".join(steps))


def storage_argument(url: str) -> str:
    """The option to repeat for another storage than the default; never one with a password."""
    from tunefront.storage.database.passwords import has_password

    if url == DEFAULT_STORAGE:
        return ""
    return f" (with {STORAGE_VARIABLE} set)" if has_password(url) else f" --storage {shlex.quote(url)}"


def command_again(storage: str) -> str:
    """The command line, to be copied; without its --storage, if there is a password in it."""
    from tunefront.storage.database.passwords import has_password

    arguments = sys.argv[1:]
    if not has_password(storage):
        return shlex.join(["tunefront", *arguments])
    kept = [
        argument
        for before, argument in zip(["", *arguments], arguments, strict=False)
        if "--storage" not in (before, argument) and not argument.startswith("--storage=")
    ]
    return shlex.join(["tunefront", *kept]) + storage_argument(storage)

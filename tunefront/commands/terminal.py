"""Output that all commands share: results, next steps, mistakes. It imports little, because `--help` needs it."""

from __future__ import annotations

import contextlib
import errno
import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from typer.core import TyperGroup
from typer.exceptions import TyperException

from tunefront.mistakes import TunefrontError
from tunefront.printable import printable
from tunefront.study import DEFAULT_STORAGE, STORAGE_VARIABLE

if TYPE_CHECKING:
    from rich.console import Console

# Errors of SQLAlchemy and Optuna are compared by name, so that --help imports neither.
_LOST_STORAGE_ERRORS = ("OperationalError", "InterfaceError", "StorageInternalError")
_INTERRUPTED = "Interrupted; what was finished is kept."
_FULL_DISK_CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


# A password in a URL within any text: between the user's name and the host, or in the query. Making a path of the URL
# leaves only one of its slashes. A password may have blanks in it. A URL that is masked already is passed over, because
# the rest of its line may have an @ too.
_URL_PASSWORD = re.compile(r"(\w:/{1,2}[^\s:/]*:)(?!\*\*\*@).*@")
_QUERY_PASSWORD = re.compile(
    r"([?&](?!passfile=)[^\s=&]*(?:pass|pwd|secret|token|odbc_connect)[^\s=&]*=)[^\s&'\"]+", re.IGNORECASE
)


class UserError(TunefrontError):
    """A mistake in a command's arguments; the message names the remedy."""


@contextlib.contextmanager
def mistakes_explained() -> Iterator[None]:
    """End the program on a user's mistake with one message and exit code 2, without a traceback."""
    try:
        yield
    except Exception as error:
        if _is_interruption(error):
            say(f"\n{_INTERRUPTED}", sys.stderr)
            raise SystemExit(130) from None
        if isinstance(error, TunefrontError):
            _fail(str(error))
        if type(error).__name__ in _LOST_STORAGE_ERRORS:
            _fail(f"the storage was lost: {_last_cause(error)}. What was finished is kept: run the same command again")
        if isinstance(error, OSError) and (error.filename is not None or error.errno in _FULL_DISK_CODES):
            where = "" if error.filename is None else f"{error.filename}: "
            remedy = "make room there" if error.errno in _FULL_DISK_CODES else "mend this"
            _fail(f"{where}{error.strerror}. What was finished is kept: {remedy} and run the command again")
        raise


def _is_interruption(error: BaseException | None) -> bool:
    """Return whether Ctrl-C is the cause of an error: Python 3.11 wraps it in one where a class was being made."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None


def writable_folder(path: Path, option: str = "--out") -> Path:
    """Return `path` if files can be written there once it is made. Leaves nothing.

    Raises:
        UserError: If they cannot; the message names the option and the obstacle.
    """
    import tempfile

    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    if not nearest.is_dir():
        raise UserError(f"{path} cannot be written: {nearest} is a file. Name another folder with {option}")
    try:  # permissions do not tell of read-only disks, nor anything to root
        Path(tempfile.mkdtemp(prefix=".tunefront-", dir=nearest)).rmdir()
    except OSError as error:
        why = f"no permission for {nearest}" if isinstance(error, PermissionError) else f"{nearest}: {error.strerror}"
        raise UserError(f"{path} cannot be written: {why}. Name another folder with {option}") from None
    return path


class Commands(TyperGroup):
    """A group of commands whose messages about a wrong command line have no passwords in them."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say(f"\n{_INTERRUPTED}", sys.stderr)
            raise  # the exit code becomes 130
        except TyperException as error:
            if hasattr(error, "message"):
                error.message = _without_passwords(str(error.message))
            raise


def _without_passwords(text: str) -> str:
    """Hide passwords of URLs anywhere in a text, for example where a URL was given as a study's name."""
    return _QUERY_PASSWORD.sub(r"\1***", _URL_PASSWORD.sub(r"\1***@", text))


def _fail(message: str) -> NoReturn:
    say(f"tunefront: {_without_passwords(message)}", sys.stderr)
    raise SystemExit(2)


def _last_cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().splitlines()[0]


def make_console(*, stderr: bool = False, width: int | None = None, file: TextIO | None = None) -> Console:
    """Return a console of rich for content with names that others chose, none of which it obeys.

    Brackets are not read as markup, and control characters become escapes before they reach the terminal.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.text import Text

    class PlainConsole(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            # Everything that is printed passes here: texts, the cells of tables, and what is redrawn in place. Escapes
            # make texts longer, so texts are escaped before they are wrapped: otherwise their ends would be cut off.
            # Segments are escaped too, for everything that is not a text.
            if isinstance(renderable, str):
                renderable = printable(renderable)
            elif isinstance(renderable, Text) and printable(renderable.plain) != renderable.plain:
                renderable = renderable.copy()
                renderable.plain = printable(renderable.plain)
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(printable(segment.text), segment.style)

    return PlainConsole(stderr=stderr, width=width, file=file, markup=False, emoji=False, highlight=False)


def show(content: Any) -> None:
    """Print a text or a table of rich to stdout."""
    # A log or a pipe has no width of its own, so lines are wrapped at 200 columns.
    make_console(width=None if sys.stdout.isatty() else 200).print(content)


def show_json(content: Any) -> None:
    """Print content as JSON for programs."""
    print(json.dumps(content, indent=2))


def say(text: str, stream: TextIO | None = None, *, is_prose: bool = True) -> None:
    """Print a text with its unsafe characters escaped, to stdout unless another stream is given.

    A terminal gets lines that break between words, so that no path is broken inside; commands are not broken at all.

    Args:
        is_prose: Whether lines may be broken; a table for a paper or a command to copy must not be.
    """
    stream, text = stream or sys.stdout, printable(text)
    if is_prose and stream.isatty():
        text = "\n".join(_broken_between_words(line) for line in text.split("\n"))
    print(text, file=stream, flush=True)


_WORD = re.compile(r"'tunefront [^']*'\S*|\S+")  # a command in quotes is one word


def _broken_between_words(line: str) -> str:
    words, width = _WORD.findall(line), shutil.get_terminal_size().columns
    if len(line) <= width or not words or words[0] == "tunefront":
        return line
    indent = line[: len(line) - len(line.lstrip())]
    lines = [indent + words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(indent + word)
    return "\n".join(lines)


def say_written(paths: Sequence[Path]) -> None:
    """Say which files were written: the first one's path, and the names of those beside it."""
    first, *others = paths
    names = [str(path.relative_to(first.parent)) if path.parent == first.parent else str(path) for path in others]
    say(f"wrote {first}" + (f" and beside it {', '.join(names)}" if names else ""))


def tell(console: Console, text: str) -> None:
    """Print a text to a console without wrapping it, so that a command in it can be copied."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def suggest(*steps: str) -> None:
    """Print what to do next."""
    say("next: " + "\n      ".join(steps), is_prose=False)


def storage_argument(url: str) -> str:
    """Return the option that a repeated command needs for this storage; empty for the default.

    A URL with a password is never shown: the environment variable is named instead.
    """
    from tunefront.storage.database.passwords import has_password

    if url == DEFAULT_STORAGE:
        return ""
    return f" (with {STORAGE_VARIABLE} set)" if has_password(url) else f" --storage {shlex.quote(url)}"


def command_again(storage: str) -> str:
    """Return the command line for copying, without its --storage if that has a password in it."""
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

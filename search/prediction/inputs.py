"""What a user names to be predicted: files, folders and addresses, found and checked before a model loads."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from tunefront.mistakes import TunefrontError
from tunefront.printable import on_one_line
from tunefront.search.data.examples import EncodedFile, readable
from tunefront.search.data.sources.folders.entries import images_below
from tunefront.search.prediction.array_input import ArrayInput
from tunefront.search.prediction.download import Download
from tunefront.search.prediction.examples import ExampleSource
from tunefront.search.prediction.image_input import ImageInput
from tunefront.search.prediction.natural_order import natural_key
from tunefront.search.prediction.prediction_card import InputCard
from tunefront.search.prediction.table_input import TableInput
from tunefront.search.prediction.web_address import is_address, parse_address
from tunefront.search.system.regular_files import user_path

_ARRAY_ENDINGS = (".npy", ".npz")
_CREDENTIALS = re.compile(":.*@", re.DOTALL)  # of an address without its http://, which no message may show
_TABLE_ENDINGS = (".csv", ".csv.gz")


class InputError(TunefrontError):
    """Something that was named to be predicted is not there, or nothing for this model; the message says why."""


def find_inputs(named: Sequence[str], card: InputCard) -> list[ExampleSource]:
    """Return what the names stand for: files in the order of the numbers in their names, then addresses as named.

    A folder stands for the files in it and in its folders that the model can take. Nothing is read or fetched yet.

    Raises:
        InputError: If a path is not there, or a folder has nothing for this model.
        AddressError: If an address is none of http or https.
    """
    addresses = [text for text in named if is_address(text)]
    paths = [file for text in named if not is_address(text) for file in _files(user_path(text), card)]
    ordered = sorted(dict.fromkeys(paths), key=natural_key)
    return [*(_of_file(path, card) for path in ordered), *(_of_address(text, card) for text in addresses)]


def _files(path: Path, card: InputCard) -> list[str]:
    shown = readable(str(path))
    if not path.is_dir():
        if not os.path.lexists(path):
            if _CREDENTIALS.search(shown):
                raise InputError(
                    "there is no such file or folder; if this is an address with a user and a password, write http:// "
                    "or https:// before it"
                )
            raise InputError(f"there is no file or folder {shown!r} (looked for in {os.getcwd()}): correct the path")
        return [str(path)]
    if not os.access(path, os.R_OK | os.X_OK):
        raise InputError(f"the folder {shown} cannot be read: give this user the right to, or name another")
    images = images_below(path) if card.decoding is not None else ()
    # Beside image files an array is something else, such as their features.
    found = [*images, *(_other_files_below(path, card) if card.size is None else ())]
    if not found:
        wanted = "table (.csv)" if card.columns else "array (.npy, .npz)" if card.decoding is None else "image"
        raise InputError(f"the folder {shown} has no {wanted} in it, which is what this model takes")
    return found


def _other_files_below(folder: Path, card: InputCard) -> list[str]:
    endings = _TABLE_ENDINGS if card.columns else _ARRAY_ENDINGS
    found = (path for path in folder.rglob("*") if path.name.lower().endswith(endings))
    return [str(path) for path in found if not path.name.startswith(".") and path.is_file()]


def _of_file(text: str, card: InputCard) -> ExampleSource:
    path, name = Path(text), on_one_line(readable(text))
    if card.columns:
        return TableInput(name, path, card.columns)
    if path.suffix.lower() in _ARRAY_ENDINGS:
        return ArrayInput(name, path, card)
    if card.decoding is None:
        shape = " x ".join(map(str, card.example_shape))
        raise InputError(
            f"{name}: this model takes arrays of shape {shape}, no images: give them as .npy or .npz files"
        )
    return ImageInput(name, EncodedFile(text), card.decoding)


def _of_address(text: str, card: InputCard) -> ExampleSource:
    address = parse_address(text)
    if card.decoding is None:
        raise InputError(f"{address.shown}: this model takes no images, and nothing else can be fetched: give files")
    return ImageInput(address.shown, Download(address), card.decoding)

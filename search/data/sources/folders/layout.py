"""The class folders of a folder: directly in it, or in one folder for each split."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tunefront.search.data.examples import DataError, SplitName, readable, some_of, split_named
from tunefront.search.data.sources.folders.entries import is_image, list_folder
from tunefront.search.data.sources.split_names import split_in, split_meant

_REPLACEABLE_SPLITS = {"test": "a test split", "validation": "a validation split"}
_LAYOUT = "Images lie as path/CLASS/FILE or path/{train,validation,test}/CLASS/FILE"


def find_class_folders(top: Path, classes: Collection[str]) -> list[tuple[SplitName | None, Path]]:
    """Return the class folders, each with its split; None in place of splits if there are none.

    Args:
        classes: Names that the spec gives, without white space around them. If a folder has one of these names,
            folders directly in `top` are classes, whatever they look like.

    Raises:
        DataError: Names the folder that is in the way, and what to do with it.
    """
    folders = [entry for entry in list_folder(top) if entry.is_dir()]
    splits = {folder: split for folder in folders if (split := split_named(folder.name))}
    if "train" not in splits.values() or _are_classes(folders, splits):
        _refuse_unsplit(top, folders, classes)
        return [(None, folder) for folder in _class_folders(top, None)]
    others = [folder.name for folder in folders if folder not in splits]
    if others:
        raise DataError(
            f"data.path: {readable(str(top))} has a folder for training, and so is split, but also "
            f"{readable(others[0])!r}{f' and {len(others) - 1} more' if len(others) > 1 else ''}, which is no split: "
            "only train (or training), validation (valid, val) and test (testing) can be there. "
            f"{_remedy(others[0], splits.values())}"
        )
    if len(set(splits.values())) < len(splits):
        raise DataError(f"data.path: {readable(str(top))} has several folders for one split: leave one")
    # Training comes first: if no split is sorted into classes, moving the test images away would not help.
    by_need = sorted(splits.items(), key=lambda item: item[1] != "train")
    found = {parent: _class_folders(parent, split) for parent, split in by_need}
    return [(split, folder) for parent, split in splits.items() for folder in found[parent]]


def image_files(class_folder: Path, top: Path) -> list[Path]:
    """Return the files of a class folder.

    Raises:
        DataError: If it is empty, or has folders in it.
    """
    files = list_folder(class_folder)
    if not files:
        raise DataError(
            f"data.path: the class folder {readable(str(class_folder))} has no image in it: "
            "add some, remove it, or name the classes to use with classes = [...]"
        )
    inner = [file for file in files if file.is_dir()]
    if inner:
        raise DataError(
            f"data.path: {readable(str(inner[0]))} is a folder inside a class folder. {_LAYOUT}: "
            f"{_remedy_for_inner(inner, class_folder, top)}"
        )
    return files


def _are_classes(folders: Sequence[Path], splits: Mapping[Path, SplitName]) -> bool:
    """Return whether folders with the name of a split are classes, such as bus, car and train.

    That is so if there are other folders beside them, and none of them has folders in it.
    """
    return len(splits) < len(folders) and not any(_has_folders(folder) for folder in splits)


def _has_folders(folder: Path) -> bool:
    return any(entry.is_dir() for entry in list_folder(folder))


def _refuse_unsplit(top: Path, folders: Sequence[Path], classes: Collection[str]) -> None:
    """Refuse folders that have the names of splits and would be taken as classes."""
    if any(readable(folder.name).strip() in classes for folder in folders):
        return
    alike = {folder: meant for folder in folders if (meant := split_meant(folder.name))}
    if any(_has_folders(folder) for folder in alike):
        raise DataError(f"data.path: {readable(str(top))} seems to be split. {_renaming(alike)}")
    # bus, car and train are classes. train_images and test_images are the parts of one data set.
    if len(alike) == len(folders) and len(set(alike.values())) > 1:
        named = " and ".join(repr(readable(folder.name)) for folder in alike)
        raise DataError(
            f"data.path: {readable(str(top))} has {named} with images directly in them, which would be the classes. "
            "If they are splits, sort the images into a folder for each class, as in "
            'path/train/CLASS/FILE, or name their classes in a CSV file (source = "table"). If they are classes, '
            "say so with classes = [...]"
        )


def _renaming(alike: Mapping[Path, str]) -> str:
    """Return the remedy for folders whose names are nearly those of splits."""
    wrong = {folder: name for folder, name in alike.items() if split_named(folder.name) != name}
    if len(set(alike.values())) < len(alike):
        shown = ", ".join(repr(readable(folder.name)) for folder in alike)
        return f"It has {shown}: leave one folder for each split, called train, validation and test"
    remedies = [f"rename {readable(folder.name)!r} to {name}" for folder, name in wrong.items()]
    if "train" not in alike.values():
        shown = " and ".join(repr(readable(folder.name)) for folder in alike)
        remedies.append(
            f"call the folder for training train (there is {shown}, and none for training), or name one of them as path"
        )
    text = ", and ".join(remedies)
    return f"{text[:1].upper()}{text[1:]}"


def _remedy(name: str, taken: Collection[str]) -> str:
    """Return the remedy for a folder beside those of the splits."""
    meant = split_meant(name)
    free = [split for split in ("validation", "test") if split not in taken and split in meant]
    return f"Rename it to {' or '.join(free)}" if free else "Move it away"


def _class_folders(parent: Path, split: SplitName | None) -> list[Path]:
    entries = list_folder(parent)
    loose = [readable(str(file)) for file in entries if is_image(file.name) and not file.is_dir()]
    folders = [entry for entry in entries if entry.is_dir()]
    if not folders and split in _REPLACEABLE_SPLITS:
        raise DataError(
            f"data.path: {readable(str(parent))} has no folders in it, and images without a class cannot be scored: "
            f"move it away, and {_REPLACEABLE_SPLITS[split]} is taken from the training images; or give it a folder "
            "for each class"
        )
    if not folders:
        raise DataError(
            f"data.path: {readable(str(parent))} has no folders in it, and needs one for each class, "
            "with the images of that class"
        )
    if loose:
        raise DataError(
            f"data.path: {len(loose)} images lie beside the class folders and so have no class. "
            f"Move each into the folder of its class:\n{some_of(loose)}"
        )
    return folders


def _remedy_for_inner(inner: Sequence[Path], class_folder: Path, top: Path) -> str:
    """Return the remedy for folders where images were expected; never advise to merge folders of different splits."""
    parent = class_folder.parent
    is_alone = sum(entry.is_dir() for entry in list_folder(parent)) == 1
    split_folders = [folder for folder in inner if split_in(folder.name)]
    if split_folders and not any(_has_folders(folder) for folder in split_folders):
        return f"the splits come first, such as {split_in(split_folders[0].name)}/{readable(class_folder.name)}/FILE"
    if parent == top and (split_folders or is_alone):
        return f'if its folders are those of the data, write path = "{readable(str(class_folder))}"'
    if is_alone:
        return f"if its folders are the classes, move them up into {readable(str(parent))}"
    return "move them up"

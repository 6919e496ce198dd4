"""The split that one of the words in a file's or folder's name stands for."""

from __future__ import annotations

import re

from tunefront.search.data.examples import SplitName, split_named

_WORDINGS = (  # each finds the words of a name in its own way: a word of any of them counts
    re.compile(r"[a-z]+", re.IGNORECASE),  # trainset, TRAIN
    re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+"),  # flowersTrain, TestImages
    re.compile(r"(?<=[A-Z]{2})[a-z]+"),  # CIFARtrain
)
_NEARLY = {
    "dev": "validation or test",
    "development": "validation or test",
    "eval": "validation or test",
    "evaluation": "validation or test",
    "holdout": "validation or test",
    "heldout": "validation or test",
    "trn": "train",
    "tst": "test",
}


def split_in(name: str) -> SplitName | None:
    """The split that the last word of its kind says, as in ``flowers_train-00000-of-00002`` or ``TestImages``."""
    found = [
        (word.end(), split)
        for wording in _WORDINGS
        for word in wording.finditer(name)
        if (split := split_named(word.group()))
    ]
    return max(found)[1] if found else None


def split_meant(name: str) -> str:
    """What a folder that is called nearly as a split is should be called; empty if it is called otherwise."""
    split = split_in(name)
    if split:
        return split
    letters = re.sub(r"[ _-]", "", name.strip().lower()).removesuffix("set")
    words = [letters, *re.split(r"[^a-z]+", name.lower())]
    return next((_NEARLY[word] for word in words if word in _NEARLY), "")

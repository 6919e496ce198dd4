"""The split that one of the words in a file's or folder's name stands for."""

from __future__ import annotations

import re

from tunefront.search.data.examples import SplitName, split_named

_WORDINGS = (  # ways to cut a name into words: a split's name found in any of these ways counts
    re.compile(r"[a-z]+", re.IGNORECASE),  # trainset, TRAIN
    re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+"),  # flowersTrain, TestImages
    re.compile(r"(?<=[A-Z]{2})[a-z]+"),  # CIFARtrain
)
_SIMILAR_WORDS = {
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
    """Return the split that the last such word of a name says: ``flowers_train-00000-of-00002``, ``TestImages``."""
    found = [
        (word.end(), split)
        for wording in _WORDINGS
        for word in wording.finditer(name)
        if (split := split_named(word.group()))
    ]
    return max(found)[1] if found else None


def split_meant(name: str) -> str:
    """Return the split that a folder's name probably means, also if it is misspelled; empty if it means none."""
    split = split_in(name)
    if split:
        return split
    letters = re.sub(r"[ _-]", "", name.strip().lower()).removesuffix("set")
    words = [letters, *re.split(r"[^a-z]+", name.lower())]
    return next((_SIMILAR_WORDS[word] for word in words if word in _SIMILAR_WORDS), "")

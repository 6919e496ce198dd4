"""The division of examples into splits, with copies, leaks and rare classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.search.data.pictures import picture, pictures, sizes, source
from tunefront.search.data.cache import prepare
from tunefront.search.data.examples import DataError, Examples
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.data.splitting.division import Division, divide_examples
from tunefront.search.data.splitting.duplicates import groups_of, n_contradictions
from tunefront.search.data.splitting.splits import LEFT_OUT, TEST, TRAIN, TRAIN_IN_EVERY_FOLD, VALIDATION

COPIES = "examples are exact copies of others"
CONTRADICTIONS = "examples have the content of another one, but not its class"
LEAKED = "examples were left out, because another split has them too"
ALONE = "examples of 1 classes with too few for two splits are trained on alone: z"
DROPPED = "examples of 1 classes with too few for every split were left out: z"
UNTESTED = "classes have too few examples for one in the test split"


def divided(labels: str, contents: str = "", splits: str = "", seed: int = 1, **settings: Any) -> Division:
    """Divide examples given as letters: class, content (without it, all differ), and given split (t, v or e)."""
    class_names = sorted(set(labels))
    words = {"t": "train", "v": "validation", "e": "test"}
    examples = Examples(
        names=[f"x[{row}]" for row in range(len(labels))],
        labels=np.array([class_names.index(label) for label in labels]),
        class_names=class_names,
        content=np.zeros((len(labels), 1), np.float32),
        splits=[words[split] for split in splits] or None,  # type: ignore[misc]
    )
    npz = NpzSource.model_validate({"source": "npz", "path": "", **settings})
    return divide_examples(examples, list(contents) or [str(row) for row in range(len(labels))], npz, seed)


@pytest.mark.parametrize(
    ("contents", "expected"), [("abc", [0, 1, 2]), ("aba", [0, 1, 0]), ("aaa", [0, 0, 0]), ("abbca", [0, 1, 1, 3, 0])]
)
def test_groups_of_gives_the_first_row_of_each_content(contents: str, expected: list[int]) -> None:
    assert groups_of(list(contents)).tolist() == expected


@pytest.mark.parametrize(
    ("contents", "labels", "expected"), [("abc", [0, 1, 0], 0), ("aab", [0, 0, 1], 0), ("aaab", [0, 0, 1, 1], 3)]
)
def test_n_contradictions_counts_examples(contents: str, labels: list[int], expected: int) -> None:
    assert n_contradictions(groups_of(list(contents)), np.array(labels)) == expected


# Copies


def test_copies_follow_the_first_of_them() -> None:
    contents = "abcdefghijklmnopqrst" + "aaaabbbbccccdddd"
    division = divided("xy" * 10 + "xxxxyyyyxxxxyyyy", contents)
    parts_of = {
        letter: {int(p) for c, p in zip(contents, division.parts, strict=True) if c == letter} for letter in "abcd"
    }
    assert all(len(parts) == 1 for parts in parts_of.values())
    assert division.notes == {COPIES: 16}
    assert division.parts[:20].tolist() == divided("xy" * 10).parts.tolist()  # as without the copies


def test_copies_follow_the_first_of_them_into_folds() -> None:
    contents = "abcdefghijklmnopqrst" + "aaaabbbbccccdddd"
    parts = divided("xy" * 18, contents, folds=3).parts
    assert all(len({int(p) for c, p in zip(contents, parts, strict=True) if c == letter}) == 1 for letter in "abcd")


def test_copies_of_another_class_are_counted() -> None:
    division = divided("xy" * 10 + "x", "abcdefghijklmnopqrst" + "b")
    assert division.notes == {COPIES: 1, CONTRADICTIONS: 2}
    assert division.parts[20] == division.parts[1]


# Leaks


def test_leaks_are_named_in_pairs() -> None:
    with pytest.raises(DataError) as caught:
        divided("xyxyxyxyx", "abcdefaba", "tttttvveet"[:9])
    message = str(caught.value)
    assert "3 examples are in two splits" in message
    assert "x[0] (train) is x[8] (test)" in message or "x[0] (train) is x[6] (validation)" in message
    assert 'on_leak = "drop"' in message


@pytest.mark.parametrize(
    ("contents", "splits", "expected"),
    [
        # the test example of each content stays, or else the one for validation
        ("abcdabef", "ttttvvee", [LEFT_OUT, LEFT_OUT, TRAIN, TRAIN, VALIDATION, VALIDATION, TEST, TEST]),
        ("abcdefab", "ttttvvee", [LEFT_OUT, LEFT_OUT, TRAIN, TRAIN, VALIDATION, VALIDATION, TEST, TEST]),
        ("abcdefgf", "ttttvvee", [TRAIN, TRAIN, TRAIN, TRAIN, VALIDATION, LEFT_OUT, TEST, TEST]),
    ],
)
def test_leaks_are_dropped_from_the_split_nearer_to_training(contents: str, splits: str, expected: list[int]) -> None:
    division = divided("xyxyxyxy", contents, splits, on_leak="drop")
    assert division.parts.tolist() == expected
    assert division.notes[LEAKED] == expected.count(LEFT_OUT)


def test_copies_in_one_given_split_are_no_leak() -> None:
    assert divided("xyxyxyxy", "ababefgh", "ttttvvee").notes == {COPIES: 2}


def test_leaks_between_training_and_validation_are_none_where_folds_join_them() -> None:
    division = divided("xy" * 8, "abcdefghijklabop", "t" * 12 + "vvee", folds=2)
    assert sorted(set(division.parts.tolist())) == [TEST, 0, 1]
    assert division.parts[0] == division.parts[12]


# Rare classes


def test_rare_classes_are_named_with_their_counts() -> None:
    with pytest.raises(DataError) as caught:
        divided("x" * 20 + "y" * 20 + "z" * 2)
    for fragment in ("too few different examples", "z: 2", 'rare_classes = "drop"', 'rare_classes = "train"'):
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("policy", "folds", "n_rare", "parts", "notes"),
    [
        ("train", 0, 1, [TRAIN], {ALONE: 1}),
        ("train", 0, 2, [TRAIN, VALIDATION], {UNTESTED: 1}),  # enough to be validated
        ("drop", 0, 2, [LEFT_OUT] * 2, {DROPPED: 2}),
        ("train", 2, 1, [TRAIN_IN_EVERY_FOLD], {ALONE: 1}),
        ("train", 2, 2, [0, 1], {UNTESTED: 1}),
        ("drop", 2, 2, [LEFT_OUT] * 2, {DROPPED: 2}),
    ],
)
def test_rare_classes_go_where_the_spec_says(
    policy: str, folds: int, n_rare: int, parts: list[int], notes: dict[str, int]
) -> None:
    division = divided("x" * 20 + "y" * 20 + "z" * n_rare, rare_classes=policy, folds=folds)
    assert sorted(division.parts[40:].tolist()) == parts
    assert division.notes == notes


@pytest.mark.parametrize("policy", ["train", "drop"])
def test_other_classes_are_split_as_if_a_class_that_is_set_aside_were_not_there(policy: str) -> None:
    division = divided("x" * 20 + "y" * 20 + "z", rare_classes=policy)
    assert division.parts[:40].tolist() == divided("x" * 20 + "y" * 20).parts.tolist()


@pytest.mark.parametrize("folds", [0, 2])
@pytest.mark.parametrize(
    ("labels", "contents"),
    [
        ("xy" * 10 + "zz", "0123456789ABCDEFGHIJ" + "01"),  # z has copies of an x and a y that come before,
        ("zz" + "xy" * 10, "01" + "0123456789ABCDEFGHIJ"),  # or after
    ],
)
def test_copies_stay_together_when_some_are_of_a_rare_class(labels: str, contents: str, folds: int) -> None:
    for seed in range(10):
        parts = divided(labels, contents, seed=seed, rare_classes="train", folds=folds).parts
        for letter in "01":
            assert len({int(part) for part, other in zip(parts, contents, strict=True) if other == letter}) == 1


def test_a_class_is_rare_when_its_different_examples_are_few() -> None:
    with pytest.raises(DataError, match="z: 1"):
        divided("x" * 10 + "y" * 10 + "z" * 5, "abcdefghijklmnopqrst" + "zzzzz")


@pytest.mark.parametrize("policy", ["error", "train", "drop"])
def test_a_class_with_enough_is_in_every_split_though_its_share_rounds_to_none(policy: str) -> None:
    labels = "x" * 40 + "y" * 40 + "z" * 3
    division = divided(labels, validation_fraction=0.1, test_fraction=0.1, rare_classes=policy)
    assert sorted(division.parts[80:].tolist()) == [TEST, TRAIN, VALIDATION]
    assert division.notes == {}


@pytest.mark.parametrize("policy", ["error", "train", "drop"])
def test_given_splits_stay_whatever_becomes_of_rare_classes(policy: str) -> None:
    labels, splits = "a" * 10 + "b" * 10 + "r" + "abr" * 5, "t" * 21 + "e" * 15
    if policy == "error":
        with pytest.raises(DataError, match=r"1 classes have too few .* in each of 2 splits(.|\n)*r: 1"):
            divided(labels, splits=splits)
        return
    division = divided(labels, splits=splits, rare_classes=policy)
    tested = division.parts[21:].tolist()
    assert tested == ([TEST] * 15 if policy == "train" else [TEST, TEST, LEFT_OUT] * 5)
    assert division.parts[20] == (TRAIN if policy == "train" else LEFT_OUT)


def named_apart(policy: str) -> Division:
    names = ["Cat", "Dog", "cat", "dog"]
    labels = np.array([0] * 10 + [1] * 10 + [2] * 3 + [3] * 3)
    examples = Examples(
        names=[f"x[{row}]" for row in range(26)],
        labels=labels,
        class_names=names,
        content=np.zeros((26, 1), np.float32),
        splits=["train"] * 20 + ["test"] * 6,
    )
    npz = NpzSource.model_validate({"source": "npz", "path": "", "rare_classes": policy})
    return divide_examples(examples, [str(row) for row in range(26)], npz, seed=1)


@pytest.mark.parametrize("policy", ["error", "train"])
def test_classes_of_the_test_alone_are_refused_with_the_nearest_name(policy: str) -> None:
    with pytest.raises(DataError) as caught:
        named_apart(policy)
    message = str(caught.value)
    assert "2 classes are given for validation or test, and have no example to train on" in message
    assert "'cat' (in training there is 'Cat')" in message


def test_a_test_split_of_which_nothing_can_be_learnt_is_refused() -> None:
    with pytest.raises(DataError, match="none of the classes of the given test split has an example to train on"):
        named_apart("drop")


def test_a_class_that_is_only_in_the_given_test_split_can_be_left_out() -> None:
    with pytest.raises(DataError, match="'z'"):
        divided("xyxyxyxyz", splits="ttttvveee")
    division = divided("xyxyxyxyz", splits="ttttvveee", rare_classes="drop")
    assert division.parts[8] == LEFT_OUT
    assert division.notes["classes have no example to train on, and were left out: z"] == 1


def test_no_test_split_is_taken_where_its_share_is_nothing() -> None:
    parts = divided("xy" * 10, test_fraction=0).parts
    assert sorted(set(parts.tolist())) == [TRAIN, VALIDATION]
    given = divided("xy" * 10, splits="t" * 14 + "v" * 6, test_fraction=0).parts
    assert given.tolist() == [TRAIN] * 14 + [VALIDATION] * 6


def test_a_class_that_a_given_test_split_lacks_is_counted() -> None:
    notes = divided("xyzxyzxy", splits="tttvvvee").notes
    assert notes == {"classes have no example in the given test split": 1}


@pytest.mark.parametrize("policy", ["error", "train", "drop"])
def test_rare_classes_alone_are_refused(policy: str) -> None:
    with pytest.raises(DataError, match="only 1 classes have enough, and two are needed"):
        divided("x" * 20 + "y", rare_classes=policy)


# As prepared from files


def test_copies_are_found_by_their_pixels(tmp_path: Path) -> None:
    from PIL import Image

    folder = pictures(tmp_path / "images")
    Image.open(folder / "cat" / "0.png").save(folder / "cat" / "same.bmp")  # other bytes, same pixels
    picture(folder / "dog" / "wrong.png", 1)  # the content of cat/1.png
    assert prepare(source(folder), seed=1).notes == {COPIES: 2, CONTRADICTIONS: 2}


def test_leaks_between_given_folders_name_both_files(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    pictures(folder / "train")
    pictures(folder / "test", n_per_class=5, seed=7)  # 7, 8 and 9 are in both
    with pytest.raises(DataError) as caught:
        prepare(source(folder), seed=1)
    assert f"{folder}/train/cat/7.png (train) is {folder}/test/cat/0.png (test)" in str(caught.value)
    dataset = prepare(source(folder, on_leak="drop"), seed=1)
    assert sizes(dataset) == (11, 3, 10)
    assert dataset.notes == {COPIES: 6, LEAKED: 6}


@pytest.mark.parametrize(
    ("policy", "class_names", "n_examples", "positive"),
    [("train", ("ant", "bee", "cat"), 22, 2), ("drop", ("bee", "cat"), 20, 1)],
)
def test_classes_are_numbered_anew_when_one_is_dropped(
    tmp_path: Path, policy: str, class_names: tuple[str, ...], n_examples: int, positive: int
) -> None:
    folder = pictures(tmp_path / "images", classes=("bee", "cat"))
    pictures(folder, n_per_class=2, classes=("ant",), seed=500)
    dataset = prepare(source(folder, rare_classes=policy, positive_class="cat"), seed=1)
    assert (dataset.class_names, sum(sizes(dataset)), dataset.positive_class) == (class_names, n_examples, positive)
    labels = np.concatenate([dataset.split(name).labels for name in ("train", "validation", "test")])
    assert set(labels.tolist()) == set(range(len(class_names)))


def test_folds_keep_rare_classes_in_training(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    pictures(folder, n_per_class=1, classes=("ant",), seed=500)
    dataset = prepare(source(folder, rare_classes="train", folds=2), seed=1)
    for fold in range(2):
        assert (dataset.split("train", fold).labels == 0).sum() == 1
        assert (dataset.split("validation", fold).labels == 0).sum() == 0

"""The meaning of a stored spec: at the time it was stored, and for a file that continues its study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tunefront.search.spec.differences import KINDS, MAY_CHANGE
from tunefront.spaces.architectures import BACKBONE_NAMES
from tunefront.spaces.freeze_choices import FREEZE_FRACTION, is_same_choice
from tunefront.spaces.ranges import parse_range
from tunefront.spaces.settings import under_own_names
from tunefront.spaces.space import FAMILY_NAMES, GENERAL, settings_of

Json = Mapping[str, Any]
FindSpec = Callable[[str], Json | None]  # by a study's name

_MISSING = object()
# Specs were first stored without the ranges that their file had left out. These were the defaults that differ today.
_FIRST_FREEZE_FRACTIONS = (0.0, 0.8, 0.9, 1.0)


def stored_spec_in(url: str) -> FindSpec:
    """Return a function that looks up a study's stored spec by name; it returns None without such a study or store."""
    # Imported here, because trial processes read specs, and would load the database for nothing.
    from tunefront.storage import studies
    from tunefront.storage.database.connection import has_studies, open_store

    def find(name: str) -> Json | None:
        study = studies.find(open_store(url), name) if has_studies(url) else None
        return None if study is None else study.record.spec

    return find


def with_first_defaults(data: Json) -> dict[str, Any]:
    """Fill in what a stored spec lacks and whose defaults have changed since, or which came later.

    A spec that was stored by this version lacks nothing.
    """
    pruner = data.get("pruner")
    if isinstance(pruner, Mapping) and pruner.get("name", "pareto") == "pareto":
        data = {**data, "pruner": {"tolerance": False, "front_loss": 0.05, **pruner}}
    sampler = data.get("sampler")  # none where only a part of a spec is read, as of a recording
    if isinstance(sampler, Mapping) and sampler.get("name", "tpe") not in ("grid", "pbt"):
        data = {**data, "sampler": {"repeats": True, **sampler}}
    training, space = data.get("training", {}), data.get("space", {})
    if isinstance(training, Mapping):
        data = {**data, "training": {"feature_cache": 0.0, **training}}
    if not isinstance(space, Mapping):
        return dict(data)
    backbones = [name for name in _chosen(space, "architecture", "plain_cnn") if name in BACKBONE_NAMES]
    filled = {name: {FREEZE_FRACTION: list(_FIRST_FREEZE_FRACTIONS), **space.get(name, {})} for name in backbones}
    return {**data, "space": {**space, **filled}}


def written_in(data: Json) -> dict[str, Any]:
    """Return the content of a file, with every setting of its space under the setting's own name."""
    space = data.get("space")
    if not isinstance(space, Mapping):
        return dict(data)
    tables = {name: table for name, table in space.items() if name not in GENERAL}
    own = {name: under_own_names(table, settings_of(name), f"space.{name}") for name, table in tables.items()}
    return {**data, "space": {**space, **own}}


def continued(stored: Json, written: Json, given: Json) -> dict[str, Any]:
    """Return the spec that a file means for a study that has begun: a key that it leaves out has the study's value.

    So a default that has changed since then neither changes the study nor refuses it. A key without a default, such as
    a limit, must have been written before. If it is missing now, it was removed.

    Args:
        stored: The study's spec with all its ranges, as JSON.
        written: The keys of the file alone, as JSON; see :func:`written_in`.
        given: The file's spec with today's defaults, as JSON.
    """
    merged = {name: _merge(stored.get(name), written.get(name, _MISSING), given[name]) for name in given}
    if isinstance(stored["space"], Mapping) and isinstance(given["space"], Mapping):
        merged["space"] = _continued_space(stored["space"], written.get("space", {}), given["space"])
    return {**merged, **{key: given[key] for key in MAY_CHANGE}}


def is_left_out(written: Json, key: str) -> bool:
    """Return whether a file leaves out a key such as ``training.epochs``."""
    found: Any = written
    for name in key.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return True
        found = found[name]
    return False


def _merge(stored: Any, written: Any, given: Any) -> Any:
    is_missing = written is _MISSING
    if _is_table(stored) and _is_table(given):
        if any(kind in given and stored.get(kind) != given[kind] for kind in KINDS):
            return stored if is_missing else given
        inner = {} if is_missing else written
        names = dict.fromkeys([*stored, *given])
        return {name: _merge(stored.get(name), inner.get(name, _MISSING), given.get(name)) for name in names}
    return stored if is_missing and given not in (None, []) else given


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and "low" not in value  # a range is one value


def _continued_space(stored: Json, written: Json, given: Json) -> dict[str, Any]:
    general = {key: given[key] if key in written else stored.get(key, given[key]) for key in GENERAL}
    chosen = dict.fromkeys(name for family in FAMILY_NAMES for name in _chosen(general, family, ""))
    tables = {name: _continued_settings(name, stored, written, given) for name in chosen}
    # Keys of names that the space does not choose are kept, so that they are refused as in any file.
    return {**{key: value for key, value in written.items() if key not in GENERAL}, **general, **tables}


def _continued_settings(name: str, stored: Json, written: Json, given: Json) -> dict[str, Any]:
    before, now, own = (space.get(name, {}) for space in (stored, given, written))
    merged = {key: now.get(key) if key in own else before.get(key, now.get(key)) for key in {**before, **now}}
    if FREEZE_FRACTION in merged and FREEZE_FRACTION in before:
        ranges = parse_range(before[FREEZE_FRACTION]), parse_range(merged[FREEZE_FRACTION])
        if is_same_choice(name, *ranges):  # the study may be older than the merging of such choices
            merged[FREEZE_FRACTION] = before[FREEZE_FRACTION]
    return merged


def _chosen(table: Json, family: str, default: str) -> Iterable[str]:
    value = table.get(family, default)
    return value if isinstance(value, list) else [value]

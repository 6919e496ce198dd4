"""The rules of layering: which package may import which."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GROUND = {"approvals", "file_lock", "mistakes", "printable"}  # modules of `tunefront` that every package may import
PACKAGES = ("objectives", "storage", "spaces", "search", "reports", "tunefront")  # folders of the one import package
FRAMEWORKS = {"keras", "tensorflow", "jax", "jaxlib", "torch"}

# package -> packages of ours that it may import, besides itself and the ground
MAY_IMPORT: dict[str, set[str]] = {
    "approvals": {"file_lock", "mistakes"},
    "file_lock": set(),
    "mistakes": set(),
    "printable": set(),
    "objectives": set(),
    "storage": {"objectives"},
    "spaces": set(),
    "search": {"spaces", "storage", "objectives"},
    "reports": {"storage", "objectives"},
    "tunefront": {"search", "storage", "objectives", "reports", "spaces"},
}

# package -> third-party packages that it may import; a package without an entry may import any
THIRD_PARTY: dict[str, set[str]] = {
    "approvals": set(),
    "file_lock": set(),
    "mistakes": set(),
    "printable": set(),
    "objectives": {"moocore", "numpy"},
    "storage": {"alembic", "boto3", "botocore", "optuna", "sqlalchemy"},
    "spaces": {"optuna", "keras", "numpy"},
}
NO_FRAMEWORK = {*GROUND, "objectives", "storage", "reports", "tunefront"}  # not even inside a function
LOADED_LATE = {
    f"tunefront/commands/{name}.py"
    for name in (
        "cache_table",
        "column_table",
        "data_table",
        "profile_table",
        "screen/fleet_views",
        "screen/snapshot_text",
        "screen/views",
        "screen/watch",
    )
}  # of the front door, not by --help
NO_SCREEN = {
    "objectives",
    "storage",
    "spaces",
    "search",
}  # words on a screen are made in reports/ and tunefront/commands/
SCREEN = {"rich", "typer"}

# Folders whose modules may import frameworks at module level, because the trial's own process runs them.
TRIAL_PROCESS_FOLDERS = ("search/trial/", "search/models/")
SHARED_TRIAL_MODULES = {
    f"search/trial/{name}.py"
    for name in (
        "__init__",
        "class_curves",
        "final_scores",
        "goal",
        "image_answers",
        "messages",
        "process",
        "scores",
    )
}

# Folders of search/: each imports nothing of a higher floor, and on its own floor only itself.
FLOORS: dict[str, int] = {
    "system": 0,
    "checkpoints": 1,
    "data": 1,
    "spec": 2,
    "launching": 2,
    "models": 2,
    "trial": 3,
    "pruning": 3,
    "sampling": 3,
    "confirmation": 3,
    "deployment": 4,
    "prediction": 4,
    "preparation": 4,
    "profiling": 4,
    "replay": 4,
    "supervisor": 5,
    "fleet": 6,
    "retraining": 6,
}


@dataclass(frozen=True)
class Import:
    module: str
    line: int
    is_inside_function: bool
    is_for_types: bool  # under `if TYPE_CHECKING`

    @property
    def top(self) -> str:
        """The package of ours, the module of the ground, or the top-level name of others."""
        return _top_of(self.module.split("."))


def _top_of(parts: Sequence[str]) -> str:
    return parts[1] if parts[0] == "tunefront" and len(parts) > 1 and parts[1] in {*PACKAGES, *GROUND} else parts[0]


def imports_of(source: str, package: str) -> Iterator[Import]:
    """Yield every import of a file, also inside functions and by `import_module("literal")`."""
    yield from _imports_in(ast.parse(source), package, inside=False, for_types=False)


def _imports_in(node: ast.AST, package: str, *, inside: bool, for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, inside, for_types)
        elif isinstance(child, ast.ImportFrom):
            module = f"tunefront.{package}" if child.level else str(child.module)
            is_parent = module in ("tunefront", "tunefront.search")
            names = [f"{module}.{alias.name}" for alias in child.names] if is_parent else [module]
            for name in names:
                yield Import(name, child.lineno, inside, for_types)
        elif isinstance(child, ast.Call) and ast.unparse(child.func).endswith(("import_module", "__import__")):
            if child.args and isinstance(child.args[0], ast.Constant):
                yield Import(str(child.args[0].value), child.lineno, inside, for_types)
        yield from _imports_in(child, package, inside=inside or is_function, for_types=for_types or is_for_types)


def violations(root: Path) -> list[str]:
    """Return the imports that break the rules above in the tree at `root`, as ``file:line: why``."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            importer = _top_of(name.removesuffix(".py").split("/"))
            for imported in imports_of(path.read_text(), package):
                why = _violation(importer, name, imported)
                if why:
                    found.append(f"{name}:{imported.line}: {importer} must not import {imported.module}{why}")
    return found


def _violation(package: str, file: str, imported: Import) -> str:
    if imported.module.startswith("tunefront.search.") and file.startswith("search/"):
        return _climb(file.split("/")[1], imported.module.split(".")[2])
    if imported.top in {*PACKAGES, *GROUND}:
        may_import = MAY_IMPORT[package] if package in GROUND else MAY_IMPORT[package] | GROUND
        if imported.top != package and imported.top not in may_import:
            return " "
        is_late = imported.is_inside_function or imported.is_for_types
        if package == "tunefront" and file not in LOADED_LATE and imported.top != package and not is_late:
            return "" if imported.top in GROUND else " at module level"
        return ""
    if imported.top in FRAMEWORKS:
        if package in NO_FRAMEWORK:
            return " "
        is_early = not imported.is_inside_function and not imported.is_for_types
        is_in_child = file.startswith(TRIAL_PROCESS_FOLDERS) and file not in SHARED_TRIAL_MODULES
        return " at module level" if is_early and not is_in_child else ""
    if imported.top in SCREEN and package in NO_SCREEN:
        return " "
    is_third_party = imported.top not in sys.stdlib_module_names
    if is_third_party and package in THIRD_PARTY and imported.top not in THIRD_PARTY[package]:
        return " "
    return ""


def _climb(here: str, there: str) -> str:
    """Return why a folder of search/ may not import another one; empty if it may."""
    if here == there or here.endswith(".py") or FLOORS[there] < FLOORS[here]:
        return ""
    return f" of {'the same' if FLOORS[there] == FLOORS[here] else 'a higher'} floor"

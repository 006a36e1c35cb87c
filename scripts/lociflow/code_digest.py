"""Digests of the source that a step runs, blind to comments, docstrings and layout."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = "lociflow"


def code_digest(scripts: Path, script: str, modules: Iterable[str] = ()) -> str:
    """Digest a script together with every module of the package that it imports, however far away.

    Parameters
    ----------
    scripts
        Folder that holds the scripts and the package.
    script
        File name of the script.
    modules
        Names that a configuration adds at run time: the ``_target_`` of an architecture, a loss or a split. Names
        outside the package are left out.

    Returns
    -------
    str
        16 hexadecimal digits. The same for the same program text whatever its comments, docstrings, blank lines and
        modification times.
    """
    digest = hashlib.sha256()
    for path in sorted(import_closure(scripts, script, modules)):
        digest.update(f"{path.relative_to(scripts)}\0{_source(scripts, path).program}\0".encode())
    return digest.hexdigest()[:16]


def import_closure(scripts: Path, script: str, modules: Iterable[str] = ()) -> set[Path]:
    """Return the files of a script and of every module of the package that it imports; parameters as above."""
    start = {scripts / script}
    for name in modules:
        found = _module_file(scripts, name)
        if found is not None:
            start.add(found)
    reached: set[Path] = set()
    while start:
        path = start.pop()
        reached.add(path)
        start |= _source(scripts, path).imports - reached
    return reached


def _module_file(scripts: Path, name: str) -> Path | None:
    """Find the file of a dotted name, or of the module that defines the object of that name."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return None
    while parts:
        path = scripts.joinpath(*parts)
        if path.with_suffix(".py").is_file():
            return path.with_suffix(".py")
        if (path / "__init__.py").is_file():
            return path / "__init__.py"
        parts.pop()
    return None


class Source(NamedTuple):
    """What is read of a file."""

    program: str
    """Its text without comments, docstrings and layout."""
    imports: frozenset[Path]
    """Files of the package that it names in an import, wherever that stands."""


@cache
def _source(scripts: Path, path: Path) -> Source:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    names: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    found = {_module_file(scripts, name) for name in names}
    return Source(_program(tree), frozenset(file for file in found if file is not None))


def program(path: Path) -> str:
    """Return the text of a file without comments, docstrings and layout."""
    return _program(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))


def _program(tree: ast.Module) -> str:
    for node in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                # A body may not be empty: a function that is only a docstring keeps a `pass`.
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield a module and the statements in it, however deep; what they compute is left out, as it is most of a tree."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            todo.extend(getattr(node, part, ()))

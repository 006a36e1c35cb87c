"""The conda environment of each step: what its script imports and what that requires, at the versions of the lock."""

import ast
import csv
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lociflow.code_digest import PACKAGE, import_closure
from lociflow.command import UserError, atomic
from lociflow.instantiate import targets_of

CHANNELS = ("conda-forge", "bioconda", "nodefaults")
# Groups of config whose _target_s a script finds by name at run time: they add to what it imports.
CHOSEN: dict[str, tuple[str, ...]] = {
    "make_windows.py": ("dataset",),
    "train.py": ("model", "training"),
    "predict.py": ("model", "training"),
    "encode_latent.py": ("model", "training"),
    "export_model.py": ("model", "training"),
    "attribute.py": ("model", "interpretation"),
    "check_explanations.py": ("model", "interpretation"),
    "map_attention.py": ("model",),
    "score_prefixes.py": ("model",),
    "extract_filters.py": ("model",),
    "measure_importance.py": ("model",),
    "score_background.py": ("model", "training"),
    "score_variants.py": ("model", "training"),
    "saturate_region.py": ("model", "training"),
    "predict_tracks.py": ("model", "training"),
    "fit_baseline.py": ("baseline",),
    "preflight.py": ("model", "training"),
}
# What a script needs without naming it: torch.onnx imports onnxscript when it writes a file.
UNNAMED: dict[str, tuple[str, ...]] = {"export_model.py": ("onnxscript",)}
# Programs that a Python package calls.
PROGRAMS = {"pybedtools": "bedtools"}
# Markers of requirements are judged for the interpreter of the environments, whichever makes them.
PLATFORM = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"}
# What torch's CUDA build brings in versions of its own choice, and its CPU build does not.
ACCELERATOR = re.compile(r"(nvidia-|cuda-|triton$)")
TABLE = "\n## Packages\n"


class Step(NamedTuple):
    """A rule's script and the file of its environment."""

    script: str
    environment: str


class Listing(NamedTuple):
    """What a channel's page lists of a package: the version of the lock, or else the newest that it has."""

    channel: str
    name: str
    version: str
    seen: str
    """How much of it: a build by its platform and hash, or the version alone."""
    page: str


class Contents(NamedTuple):
    """An environment: its packages, with their versions, by their names in the lock; programs and Python by theirs."""

    channel: dict[str, str]
    """What conda installs."""
    pypi: dict[str, str]
    """What pip installs."""


def pin_environments(home: Path, output: Path) -> None:
    """Write the environment files and the table of packages in their README.

    Parameters
    ----------
    home
        Folder of the checkout: ``workflow``, ``scripts``, ``config``, ``envs/channels.tsv`` and the locks.
    output
        Folder to write to; ``README.md`` there keeps what stands before its table.
    """
    for name, text in environments(home).items():
        with atomic(output / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    introduction = (output / "README.md").read_text(encoding="utf-8").partition(TABLE)[0]
    with atomic(output / "README.md") as temporary:
        temporary.write_text(f"{introduction}{TABLE}\n{package_table(home)}", encoding="utf-8")


def environments(home: Path) -> dict[str, str]:
    """Return the text of each environment file by its name."""
    listings = listed(home)
    return {name: _text(contents, listings) for name, contents in all_contents(home).items()}


def all_contents(home: Path) -> dict[str, Contents]:
    """Return what each environment file holds, by its name."""
    versions, listings = locked(home), listed(home)
    return {name: contents_of(packages, versions, listings) for name, packages in needed(home).items()}


def needed(home: Path) -> dict[str, set[str]]:
    """Return the packages of each environment by its file's name: what its steps import, with what that requires."""
    found: dict[str, set[str]] = {}
    for step in steps(home / "workflow" / "rules"):
        found.setdefault(step.environment, set()).update(imported(home, step.script))
    python = _python(listed(home))
    return {name: with_requirements(packages, python) for name, packages in sorted(found.items())}


def steps(rules: Path) -> Iterator[Step]:
    """Yield the step of each rule but those that Snakemake itself carries out.

    Raises
    ------
    UserError
        A rule names no script or no environment.
    """
    for path in sorted(rules.glob("*.smk")):
        for rule in re.split(r"^rule ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            if "\n    run:\n" in rule:
                continue
            script = re.search(r'script\("(\w+\.py)"\)', rule)
            environment = re.search(r'envs/(\w+\.yaml)"', rule)
            if script is None or environment is None:
                raise UserError(
                    f"{path}: rule {rule.partition(':')[0]} names no script or no environment, expected "
                    'script("NAME.py") and conda: "../../envs/NAME.yaml"; add what is missing'
                )
            yield Step(script[1], environment[1])


def imported(home: Path, script: str) -> set[str]:
    """Return the distributions that a step imports, at any depth inside the package."""
    targets = {target for group in CHOSEN.get(script, ()) for target in _targets(home / "config" / group)}
    modules: set[str] = set()
    for path in import_closure(home / "scripts", script, targets):
        modules |= _modules(path)
    return {_distribution(name) for name in modules} | set(UNNAMED.get(script, ()))


@cache
def _targets(group: Path) -> frozenset[str]:
    """Return every _target_ that a file of a group can bring into a step."""
    files = sorted(group.glob("*.yaml"))
    return frozenset(
        target for path in files for target in targets_of(yaml.safe_load(path.read_text(encoding="utf-8")))
    )


@cache
def _modules(path: Path) -> frozenset[str]:
    """Return the top-level modules from elsewhere that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return frozenset(names - {PACKAGE, *sys.stdlib_module_names})


def _distribution(module: str) -> str:
    found = _installed().get(module)
    if found is None:
        raise UserError(f"module {module}: no installed package has it; run make setup, or correct the import")
    return canonicalize_name(found[0])


@cache
def _installed() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def with_requirements(packages: Iterable[str], python: str) -> set[str]:
    """Return packages with all that they require, at any depth, as their installed metadata say.

    Parameters
    ----------
    packages
        Normalised names of distributions.
    python
        Version of the interpreter that markers are judged for, as in ``3.11.7``.
    """
    platform = {**PLATFORM, "python_version": ".".join(python.split(".")[:2]), "python_full_version": python}
    waiting = [(name, "") for name in packages]
    reached: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in reached:
            continue
        reached.add((name, extra))
        for requirement in _requirements(name):
            required = canonicalize_name(requirement.name)
            if ACCELERATOR.match(required):
                continue
            if requirement.marker is None or requirement.marker.evaluate({**platform, "extra": extra}):
                waiting += [(required, wanted) for wanted in ("", *requirement.extras)]
    return {name for name, _ in reached}


@cache
def _requirements(name: str) -> tuple[Requirement, ...]:
    return tuple(Requirement(line) for line in importlib.metadata.requires(name) or ())


def locked(home: Path) -> dict[str, str]:
    """Return the versions that the lock pins, torch included, by normalised name."""
    text = "".join(
        (home / name).read_text(encoding="utf-8") for name in ("requirements.lock", "requirements-torch.txt")
    )
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s\\]+)", text, flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def listed(home: Path) -> dict[str, Listing]:
    """Return what ``envs/channels.tsv`` says of packages, by their names in the lock or of the program."""
    with (home / "envs" / "channels.tsv").open(encoding="utf-8", newline="") as lines:
        return {row.pop("package"): Listing(**row) for row in csv.DictReader(lines, delimiter="\t")}


def _python(listings: Mapping[str, Listing]) -> str:
    return listings["python"].version


def from_channel(package: str, versions: Mapping[str, str], listings: Mapping[str, Listing]) -> bool:
    """Say whether a channel lists the lock's version of a package and of all that it requires.

    A package of which one requirement is missing comes from PyPI with it: conda would choose another version of that
    requirement, over which pip would then install the lock's.
    """
    return all(
        name in listings and listings[name].version == versions[name]
        for name in with_requirements([package], _python(listings))
    )


def contents_of(packages: set[str], versions: Mapping[str, str], listings: Mapping[str, Listing]) -> Contents:
    """Say what of an environment conda installs and what pip, with the interpreter and the programs that it needs.

    Raises
    ------
    UserError
        The lock does not pin one of the packages.
    """
    missing = sorted(packages - versions.keys())
    if missing:
        raise UserError(
            f"requirements.lock: pins no {', '.join(missing)}, which a step imports or what it imports requires; "
            "name it among the dependencies in pyproject.toml and run make lock"
        )
    channel = {name for name in packages if from_channel(name, versions, listings)}
    pypi = {name: versions[name] for name in sorted(packages - channel)}
    tools = {"python", *(PROGRAMS[name] for name in packages & PROGRAMS.keys()), *({"pip"} if pypi else ())}
    return Contents({name: listings[name].version for name in sorted(tools | channel)}, pypi)


def _text(contents: Contents, listings: Mapping[str, Listing]) -> str:
    lines = ["# Made by `make environments`.", "channels:", *(f"  - {name}" for name in CHANNELS), "dependencies:"]
    lines += [f"  - {listings[name].name}={version}" for name, version in contents.channel.items()]
    if contents.pypi:
        lines += ["  - pip:", *(f"      - {name}=={version}" for name, version in contents.pypi.items())]
    return "\n".join(lines) + "\n"


def package_table(home: Path) -> str:
    """Return the Markdown table of all packages: version, origin, how that was checked, and where it is needed."""
    listings = listed(home)
    users: dict[tuple[str, str, str], list[str]] = {}
    for file, contents in all_contents(home).items():
        for name, version in contents.channel.items():
            users.setdefault((name, version, listings[name].channel), []).append(Path(file).stem)
        for name, version in contents.pypi.items():
            users.setdefault((name, version, "PyPI"), []).append(Path(file).stem)
    rows = ["| package | version | from | checked | in |", "|---|---|---|---|---|"]
    for (name, version, origin), environments in sorted(users.items()):
        checked = _checked(version, origin, listings.get(name))
        rows.append(f"| {name} | {version} | {origin} | {checked} | {', '.join(environments)} |")
    return "\n".join(rows) + "\n"


def _checked(version: str, origin: str, listing: Listing | None) -> str:
    """Say how the version of a package was checked."""
    if listing is None:
        return "digests in the lock; not looked up on a channel"
    if origin != "PyPI":
        return f"{listing.seen}, on {listing.page}"
    if listing.version != version:
        return f"digests in the lock; {listing.channel} listed {listing.version} at most ({listing.page})"
    return f"digests in the lock; listed on {listing.page}, but not all that it requires"

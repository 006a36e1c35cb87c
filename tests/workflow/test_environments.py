"""Each step's conda environment holds what the step imports, at the versions of the lock."""

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
import yaml

from lociflow.code_digest import import_closure
from lociflow.instantiate import targets_of

HOME = Path(__file__).parents[2]
SCRIPTS = HOME / "scripts"
ENVIRONMENTS = sorted((HOME / "envs").glob("*.yaml"))

# Names on conda-forge and bioconda that differ from PyPI's.
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "igraph": "python-igraph"}
# Found by name at run time: the groups whose _target_s add to a step's imports.
CHOSEN = {
    "make_windows.py": ["dataset"],
    "train.py": ["model", "training"],
    "predict.py": ["model", "training"],
    "encode_latent.py": ["model", "training"],
    "export_model.py": ["model", "training"],
    "attribute.py": ["model", "interpretation"],
    "check_explanations.py": ["model", "interpretation"],
    "map_attention.py": ["model"],
    "score_prefixes.py": ["model"],
    "extract_filters.py": ["model"],
    "measure_importance.py": ["model"],
    "score_background.py": ["model", "training"],
    "score_variants.py": ["model", "training"],
    "saturate_region.py": ["model", "training"],
    "predict_tracks.py": ["model", "training"],
    "fit_baseline.py": ["baseline"],
    "preflight.py": ["model", "training"],
}


def chosen(script):
    """Return every _target_ that a file of config can bring into a step."""
    files = [path for group in CHOSEN.get(script, []) for path in (HOME / "config" / group).glob("*.yaml")]
    return sorted({target for path in files for target in targets_of(yaml.safe_load(path.read_text()))})


def pins(path):
    """Return the pinned packages of an environment file, by name."""
    found = {}
    for entry in yaml.safe_load(path.read_text())["dependencies"]:
        for pin in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, _, version = re.sub("==", "=", pin).partition("=")
            found[name] = version
    return found


def locked():
    """Return the versions that the lock pins, torch included, by conda's names."""
    text = (HOME / "requirements.lock").read_text() + (HOME / "requirements-torch.txt").read_text()
    versions = dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s\\]+)", text, flags=re.MULTILINE))
    return {CONDA_NAMES.get(name, name): version for name, version in versions.items()}


def steps():
    """Return the script and the environment of each rule but the one that Snakemake itself carries out."""
    found = []
    for path in sorted((HOME / "workflow" / "rules").glob("*.smk")):
        for rule in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            script = re.search(r'script\("(\w+\.py)"\)', rule)
            environment = re.search(r'envs/(\w+\.yaml)"', rule)
            if "\n    run:\n" in rule:
                assert rule.startswith("write_manifest:")
                continue
            assert script, rule.splitlines()[0]
            assert environment, rule.splitlines()[0]
            found.append((script[1], environment[1]))
    return found


def imported_distributions(script):
    """Return the distributions that a step imports, at any depth inside the package."""
    distributions = importlib.metadata.packages_distributions()
    names = set()
    for path in import_closure(SCRIPTS, script, chosen(script)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    names -= {"lociflow", *sys.stdlib_module_names}
    return {CONDA_NAMES.get(name, name) for name in ({distributions[name][0].lower() for name in names})}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_every_pin_is_exact_and_the_locks(path):
    versions = locked()
    for name, version in pins(path).items():
        assert re.fullmatch(r"[0-9][0-9A-Za-z.+]*", version), f"{name} is not pinned to one version"
        if name in versions:
            assert version == versions[name], name


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_channels_are_in_the_order_that_bioconda_asks_for(path):
    assert yaml.safe_load(path.read_text())["channels"] == ["conda-forge", "bioconda", "nodefaults"]


@pytest.mark.parametrize(("script", "environment"), steps())
def test_an_environment_holds_what_its_step_imports(script, environment):
    missing = imported_distributions(script) - {name.lower() for name in pins(HOME / "envs" / environment)}
    assert not missing


def test_the_steps_that_only_move_intervals_do_without_torch():
    for environment in ("fetch", "simulate", "genome", "evaluate", "report"):
        assert not {"pytorch", "torch", "pytorch-lightning"} & set(pins(HOME / "envs" / f"{environment}.yaml"))
    for script, environment in steps():
        if environment in ("fetch.yaml", "simulate.yaml", "genome.yaml", "evaluate.yaml", "report.yaml"):
            assert not {"pytorch", "pytorch-lightning"} & imported_distributions(script), script


def test_no_environment_is_left_over():
    assert {path.name for path in ENVIRONMENTS} == {environment for _, environment in steps()}

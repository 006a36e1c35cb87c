"""What the rules share: the checked configuration of the run, and the answers that input functions and params need."""

import json
import os
import re
import shlex
import sys
from functools import cache, wraps
from pathlib import Path

HOME = Path(str(workflow.current_basedir)).resolve().parents[1]
sys.path.insert(0, str(HOME / "scripts"))

from lociflow import (
    exports,
    layout,
    run,
    sources,
    track_requests,
    variant_effects,
    variants,
)
from lociflow.code_digest import code_digest
from lociflow.command import UserError, write_json
from lociflow.config import Configuration, attribution, canonical, check_schema
from lociflow.explained_outputs import check_explained_outputs
from lociflow.genome.split_schemes import pooled_splits
from lociflow.instantiate import targets_of
from lociflow.listed_gpus import listed_gpus
from lociflow.masking import masked, without_secrets
from lociflow.plan import Plan
from lociflow.ranked_explanations import (
    check_files,
    explained_scores,
    motif_checks,
    motif_sets,
    truth_files,
)
from lociflow.run_sources import every_source, secret_addresses
from lociflow.trainings import check_experiments, check_learnable


def stop(message):
    """End the run with one sentence."""
    print(masked(f"error: {message}"), file=sys.stderr)
    raise SystemExit(1)


def told(function):
    """Let a user's mistake end the run with its sentence instead of a traceback."""

    @wraps(function)
    def asked(*args, **named):
        try:
            return function(*args, **named)
        except UserError as error:
            stop(error)

    return asked


@told
def checked_run():
    """Check the configuration of the run and return it with the groups that it names."""
    for key in ("datasets", "models"):
        # --config passes text: several names are separated by commas.
        if isinstance(config.get(key), str):
            config[key] = [name.strip() for name in config[key].split(",")]
    check_schema(
        dict(config),
        HOME / "workflow" / "schemas" / "run.schema.yaml",
        "configuration of the run",
    )
    groups = Configuration(
        HOME / "config",
        HOME / "workflow" / "schemas",
        [Path(folder) for folder in config.get("config_dirs") or []],
    )
    run.check_run(config, groups)
    check_experiments(config, groups)
    check_explained_outputs(config, groups)
    variant_effects.check(config, groups)
    plan = Plan(dict(config), groups)
    track_requests.check_tracks(plan)
    # Read here, where a mistake in a file of published numbers can still be told in one sentence.
    plan.published
    plan.export_folders()
    found = every_source(config, groups, plan.datasets)
    # Command lines, which Snakemake prints and keeps, hold no token of an address: the steps read it here.
    os.environ.update(LOCIFLOW_ADDRESSES=json.dumps(secret_addresses(found)))
    return (
        plan,
        without_secrets(found),
        sources.stores(groups, plan.datasets),
    )


PLAN, SOURCES, STORES = checked_run()
RUN, GROUPS = PLAN.run, PLAN.groups
LABELS = {label for _, label in PLAN.trained}
if RUN.get("mirror"):
    # An environment variable and no param: the same file from another place is no reason to fetch it again.
    os.environ.update(LOCIFLOW_MIRROR=str(RUN["mirror"]))


def one_of(names):
    """Return the pattern that matches these names and no other."""
    return "|".join(re.escape(name) for name in sorted(names)) or "(?!)"


# A file of another run, data set or model is refused: what this configuration does not name, it cannot know how to make.
wildcard_constraints:
    run=re.escape(RUN["run"]),
    dataset=one_of(PLAN.datasets),
    split=one_of(PLAN.all_splits),
    genome=one_of(STORES),
    model=one_of(LABELS),
    seed=r"\d+",
    seeds=r"\d+(-\d+)*",
    method="[A-Za-z0-9_]+",
    baseline="[A-Za-z0-9_.-]+",
    file=one_of(SOURCES),


def script(name):
    """Return a script's path relative to the working directory, so that a moved checkout reruns nothing."""
    return os.path.relpath(HOME / "scripts" / name)


@cache
def _code(name, targets):
    return code_digest(HOME / "scripts", name, targets)


def code(name, *configs):
    """Digest the program text that a script runs, with the objects that configurations name by _target_."""
    return _code(
        name,
        tuple(sorted({target for config in configs for target in targets_of(config)})),
    )


@cache
@told
def dataset(name):
    """Return a data set's resolved configuration."""
    return GROUPS.dataset(name)


@cache
@told
def files_of(name):
    """Return a data set's configuration in which every source is filled in."""
    return sources.dataset_files(dataset(name), GROUPS)


def paths(found):
    """Return where the files of sources lie, each once."""
    return sorted(
        {
            layout.SOURCE.format(file=source["file"])
            for source in sources.sources_in(found)
        }
    )


def store_of(name):
    """Return the input function for a file of the sequence store of the wildcards' data set."""
    return (
        lambda wildcards: f"{layout.GENOME.format(genome=sources.store_name(dataset(wildcards.dataset)))}/{name}"
    )


def encoded_files(name):
    """Return the files that a sequence store is made from, in their order."""
    store = STORES[name]
    found = store["source"] if "source" in store else store["sequences"]
    return [
        layout.SOURCE.format(file=source["file"])
        for source in sources.sources_in(found)
    ]


def store_config(name):
    """Return what decides a store's codes, as JSON in which the order of pinned contigs is the order of the store."""
    store = STORES[name]
    if "sequences" in store:
        return json.dumps(
            {"name": name, "sequences": sources.files_only(store["sequences"])}
        )
    return json.dumps(
        {key: store.get(key) for key in ("name", "soft_mask", "contig_md5")}
    )


def flag(name, files):
    """Return a command line's flag with its file, or nothing where there is no file."""
    return f"{name} {shlex.quote(str(files[0]))}" if files else ""


def flags(name, files):
    """Return a command line's flag with all of its files, or nothing where there is none."""
    return f"{name} {' '.join(map(shlex.quote, map(str, files)))}" if files else ""


@cache
def paired_sites(name):
    """Return the planted motifs of a simulated genome with a spacing rule as a list of one file, or none."""
    return [layout.SITES.format(dataset=name)] if PLAN.paired(name) else []


@cache
def planted_pair(name):
    """Return the pair of factors with a spacing rule as a list of one JSON, or none."""
    return [canonical(PLAN.paired(name))] if PLAN.paired(name) else []


def beside(name, file):
    """Return a file that a data set's YAML names as a list of one path, or none where it names none."""
    return [os.path.relpath(GROUPS.beside(name, file))] if isinstance(file, str) else []


@cache
@told
def windows_config(name):
    """Return what decides a data set's bins, labels and splits."""
    config, files = dataset(name), files_of(name)
    targets = sources.files_only(files["targets"])
    if "named" in targets:
        targets["named"] = targets["named"]["file"]
    if "files" in targets:
        targets["files"] = {
            target: found["file"] if isinstance(found, dict) else found
            for target, found in targets["files"].items()
        }
    if "sheet" in config["targets"] and sources.has_places(
        GROUPS.beside(name, config["targets"]["sheet"])
    ):
        # The sheet says itself where its files lie: thousands of them would not fit a command line.
        targets = {
            **{key: value for key, value in targets.items() if key != "files"},
            "sheet": True,
        }
    found = {
        "targets": targets,
        "contig_aliases": (
            beside(name, config.get("contig_aliases"))
            or [config.get("contig_aliases") or {}]
        )[0],
        "windows": config["windows"],
        "labels": config.get("labels") or {},
        "split": config["split"],
        "clean": bool(config.get("clean")),
        "thresholds": {
            key: value
            for key, value in (
                (config.get("audit") or {}).get("near_duplicates") or {}
            ).items()
            if key in ("identity", "coverage")
        },
    }
    if "sequences" in files:
        found["sequences"] = sources.files_only(files["sequences"])
    return found


def folds_of(name, split):
    """Return the folds whose test predictions are those of a split, none where it is a split of its own."""
    return pooled_splits(dataset(name)).get(split, [])


def pooled_names():
    """Return the names under which the folds of the run's data sets are scored together."""
    return {name for found in PLAN.datasets for name in pooled_splits(dataset(found))}


@cache
@told
def scored_files():
    """Return what the run compares, once all of it can be learnt: an audit alone does not ask."""
    check_learnable(RUN, GROUPS)
    return PLAN.scored_files()


@told
def training_config(wildcards):
    """Return the resolved configuration of a training."""
    return PLAN.training_config(**place(wildcards))


def place(wildcards):
    """Return which training the wildcards name."""
    return {
        "dataset": wildcards.dataset,
        "split": wildcards.split,
        "label": wildcards.model,
        "seed": int(wildcards.seed),
    }


def checkpoints_of_seeds(wildcards):
    """Return the checkpoints of the seeds that the wildcards name."""
    return [
        f"{layout.TRAINED.format(**wildcards, seed=seed)}/model.ckpt"
        for seed in wildcards.seeds.split("-")
    ]


@told
def training_of_seeds(wildcards):
    """Return the resolved configuration of the first of the seeds' trainings: they differ in the seed alone."""
    first = int(wildcards.seeds.partition("-")[0])
    return PLAN.training_config(
        wildcards.dataset, wildcards.split, wildcards.model, first
    )


@told
def origin_checkpoint(wildcards):
    """Return the checkpoint from which a training starts, or none."""
    begun = PLAN.origin(**place(wildcards))
    return [f"{layout.TRAINED.format(**begun._asdict())}/model.ckpt"] if begun else []


@told
def baseline_config(wildcards):
    """Return the resolved configuration of a baseline."""
    return GROUPS.baseline(wildcards.dataset, wildcards.baseline)


def scores_of_tool(wildcards):
    """Return the tables of the tool that a baseline names, none where it names none."""
    tool = baseline_config(wildcards).get("tool")
    return paths(files_of(wildcards.dataset)["predictions"].get(tool, []))


@cache
def gpus():
    """Return the GPUs of a step that can use one: a profile's set-resources overrides this machine's answer."""
    return 1 if listed_gpus() else 0


@cache
def grows(first):
    """Return a resource that doubles with every attempt: where a profile retries, it asks for more."""
    return lambda wildcards, attempt: first * 2 ** (attempt - 1)

"""What the rules share: the checked configuration of the run, and the answers that input functions and params need."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from functools import cache, wraps
from pathlib import Path

STARTED = time.time()
HOME = Path(str(workflow.current_basedir)).resolve().parents[1]
sys.path.insert(0, str(HOME / "scripts"))

from lociflow import layout, run, sources
from lociflow.code_digest import code_digest
from lociflow.command import UserError
from lociflow.config import Configuration, attribution, canonical, check_schema
from lociflow.genome.split_schemes import split_schemes
from lociflow.instantiate import targets_of
from lociflow.preflight import preflight
from lociflow.preflight.finding import ERROR, OK


def stop(message):
    """End the run with one sentence."""
    print(f"error: {message}", file=sys.stderr)
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
    files = sources.all_sources(groups, config["datasets"])
    return (
        dict(config),
        groups,
        files,
        sources.stores(groups, config["datasets"]),
    )


RUN, GROUPS, SOURCES, STORES = checked_run()
if RUN.get("mirror"):
    # An environment variable and no param: the same file from another place is no reason to fetch it again.
    os.environ.update(LOCIFLOW_MIRROR=str(RUN["mirror"]))


@told
def splits_of(name):
    """Return the names of the splits of a data set that the run uses."""
    return run.splits_of(RUN, GROUPS.dataset(name))


def one_of(names):
    """Return the pattern that matches these names and no other."""
    return "|".join(re.escape(name) for name in sorted(names)) or "(?!)"


# A file of another run, data set or model is refused: what this configuration does not name, it cannot know how to make.
wildcard_constraints:
    run=re.escape(RUN["run"]),
    dataset=one_of(RUN["datasets"]),
    split=one_of({split for name in RUN["datasets"] for split in splits_of(name)}),
    genome=one_of(STORES),
    model=one_of(RUN["models"]),
    seed=r"\d+",
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
            target: source["file"] for target, source in targets["files"].items()
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


def audit_config(name):
    """Return what an audit needs to know of a data set: its thresholds, and what a failed check does."""
    config = dataset(name)
    audit = dict(config.get("audit") or {})
    if RUN.get("audit"):
        audit["on_failure"] = RUN["audit"]
    return {
        "name": name,
        "description": config["description"],
        "audit": audit,
        "evaluation": config.get("evaluation"),
        **{
            key: value
            for key, value in windows_config(name).items()
            if key in ("windows", "contig_aliases", "sequences")
        },
    }


@told
def trained(name, label):
    """Return the resolved configuration of a training without its seed, and how the model may be explained."""
    model, _ = layout.split_label(label)
    return GROUPS.trained(name, model, RUN["training"], run.overrides_of(RUN, label))


@told
def training_config(wildcards):
    """Return the resolved configuration of a training."""
    found = trained(wildcards.dataset, wildcards.model)["training"]
    run.check_trainable(dataset(wildcards.dataset), int(found["model"]["input_length"]))
    return {
        **found,
        "dataset": {"name": wildcards.dataset, "split": wildcards.split},
        "seed": int(wildcards.seed),
    }


@told
def baseline_config(wildcards):
    """Return the resolved configuration of a baseline."""
    run.check_trainable(dataset(wildcards.dataset))
    return GROUPS.baseline(wildcards.dataset, wildcards.baseline)


@cache
@told
def interpretation(name):
    """Return how the models of a data set are explained."""
    return GROUPS.interpretation(name, RUN["interpretation"])


@told
def attribution_config(wildcards):
    """Return how one model is explained: the interpretation, with what is valid for its architecture."""
    offered = trained(wildcards.dataset, wildcards.model)["attribution"]
    return attribution(interpretation(wildcards.dataset), wildcards.model, offered)


def evaluation_config(wildcards):
    """Return how scores get their intervals."""
    return {
        "block": None,
        "draws": 1000,
        "level": 0.95,
        "seed": 1,
        **(dataset(wildcards.dataset).get("evaluation") or {}),
    }


def trained_files(name, *patterns):
    """Return files of every training of a data set in this run."""
    return expand(
        [f"{layout.TRAINED}/{pattern}" for pattern in patterns],
        dataset=name,
        split=splits_of(name),
        model=RUN["models"],
        seed=RUN["seeds"],
    )


def baselines_of(name):
    """Return the baselines of a data set; a simulated genome adds the best score that its truth allows."""
    return [
        *RUN["baselines"],
        *(["ceiling"] if sources.is_simulated(dataset(name)) else []),
    ]


def baseline_files(name, *patterns):
    """Return files of every baseline of a data set in this run."""
    return expand(
        [f"{layout.BASELINE}/{pattern}" for pattern in patterns],
        dataset=name,
        split=splits_of(name),
        baseline=baselines_of(name),
    )


def interpreted_models():
    """Return the models of this run that are explained."""
    if not RUN["interpretation"]:
        return []
    return RUN["models"] if RUN.get("interpret") is None else RUN["interpret"]


def interpreted_files(name, *patterns, model=None):
    """Return files of every explained training of a data set, or of one model's: each with the first split and seed."""
    return expand(
        [f"{layout.INTERPRETATION}/{pattern}" for pattern in patterns],
        dataset=name,
        split=splits_of(name)[0],
        model=model or interpreted_models(),
        seed=RUN["seeds"][0],
    )


def labelled_motifs(wildcards):
    """Return LABEL=FILE for each motif file of a data set, so that matches say whose motif they are of."""
    return [
        f"{model}/seed{RUN['seeds'][0]}/{kind}={path}"
        for model in interpreted_models()
        for kind in ("modisco", "filters")
        for path in interpreted_files(wildcards.dataset, f"{kind}.meme", model=model)
    ]


def scored_files(wildcards):
    """Return the metrics, curves and histories of everything that the run compares."""
    return [
        path
        for name in RUN["datasets"]
        for path in (
            *trained_files(
                name, "metrics.json", "curves.npz", "history.csv", "config.json"
            ),
            *baseline_files(name, "metrics.json", "curves.npz"),
            f"{layout.DATASET.format(dataset=name)}/windows.json",
            f"{layout.DATASET.format(dataset=name)}/targets.tsv",
            f"{layout.DATASET.format(dataset=name)}/audit.json",
            *(
                layout.SOURCE_RECORD.format(file=file)
                for file in sources.all_sources(GROUPS, [name])
            ),
        )
    ]


def explained_files(wildcards):
    """Return the motifs, their matches and the scores of the explanations of the run."""
    if not interpreted_models():
        return []
    files = []
    for name in RUN["datasets"]:
        files += interpreted_files(
            name, "modisco.meme", "modisco.tsv", "filters.meme", "filters.tsv"
        )
        if sources.is_simulated(dataset(name)):
            files += interpreted_files(name, "truth.json")
        files += [
            pattern.format(run=wildcards.run, dataset=name)
            for pattern in (layout.MATCHES, layout.MATCHED_MOTIFS)
        ]
    return files


def manifest():
    """Return what the report needs to know of the run beside its files."""
    # Where files come from is no part of what a run is.
    shown = {
        key: value for key, value in RUN.items() if key not in ("mirror", "config_dirs")
    }
    datasets = []
    for name in RUN["datasets"]:
        config = dataset(name)
        for split in splits_of(name):
            datasets.append(
                {
                    "name": name,
                    "description": config["description"],
                    "split": split,
                    "splits": len(splits_of(name)),
                    "clean_of": split_schemes(config)[split].get("clean_of"),
                    "explained": split == splits_of(name)[0],
                    "simulation": config.get("simulation"),
                    "contigs_pinned": bool(config.get("genome", {}).get("contig_md5")),
                    "models": [
                        {
                            "label": label,
                            "control": run.is_control(trained(name, label)["training"]),
                        }
                        for label in RUN["models"]
                    ],
                    "baselines": baselines_of(name),
                    "sources": sorted(sources.all_sources(GROUPS, [name])),
                }
            )
    return {
        "run": RUN["run"],
        "config": shown,
        "seeds": RUN["seeds"],
        "interpreted": interpreted_models(),
        "datasets": datasets,
    }


@told
def check_needs():
    """End the run before its first job where a tool, a source, a name or the room for it is missing."""
    if "preflight" in workflow.dag_settings.targets:
        return
    findings = preflight.look(RUN, GROUPS, STEPS_HAVE_CONDA)
    told_of = [finding for finding in findings if finding.verdict != OK]
    if told_of:
        print(preflight.table(told_of), file=sys.stderr)
    if wrong := [finding for finding in told_of if finding.verdict == ERROR]:
        stop(f"preflight: {wrong[0].told}")


def gpus():
    """Return the GPUs of a step that can use one: a profile's set-resources overrides this machine's answer."""
    return 1 if shutil.which("nvidia-smi") else 0


def tell_what_is_left():
    """Say so where an audit that ran by itself has hidden other changes from this run.

    A new verdict must not retrain, so trainings take their admission as ancient; but whatever lies behind a job that
    runs, Snakemake does not look at for changes of its own.
    """
    audited = [
        Path(layout.DATASET.format(dataset=name), "audit.json")
        for name in RUN["datasets"]
    ]
    if not any(path.is_file() and path.stat().st_mtime > STARTED for path in audited):
        return
    again = subprocess.run(
        [sys.executable, "-m", "snakemake", *sys.argv[1:], "--dry-run", "--quiet"],
        capture_output=True,
        text=True,
    )
    if "Nothing to be done" not in again.stdout + again.stderr:
        print(
            "\nThe audits ran anew, and other changes are still to be followed: run the same command again.",
            file=sys.stderr,
        )


def print_scores():
    """End the run with the table of scores and the path of the report."""
    scores = Path(layout.RUN.format(run=RUN["run"])) / "scores.txt"
    if scores.is_file():
        print(
            f"\n{scores.read_text()}\nreport: {scores.parent / 'report.html'}",
            file=sys.stderr,
        )


STEPS_HAVE_CONDA = "conda" in {
    str(method) for method in workflow.deployment_settings.deployment_method
}

if workflow.is_main_process and not STEPS_HAVE_CONDA:
    if not shutil.which("bedtools"):
        stop(
            "bedtools: no such program; install it with `apt-get install bedtools`, "
            "`conda install -c bioconda bedtools` or `brew install bedtools`, or run with --sdm conda"
        )

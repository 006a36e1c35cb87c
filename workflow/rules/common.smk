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
from lociflow.killed_steps import advise
from lociflow.masking import masked, without_secrets
from lociflow.plan import Plan
from lociflow.preflight import preflight
from lociflow.preflight.finding import ERROR, OK
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


def mark_unfinished():
    """Mark what is to be made again as unfinished, so that old results never pass for new ones.

    Snakemake removes the outputs of a job that fails or is killed. Where all that follows from them is still there from
    an earlier run, it would have nothing to do the next time: what was changed since would never reach the report.
    """
    for job in workflow.dag.needrun_jobs():
        if any(os.path.exists(file) for file in job.output):
            workflow.persistence.started(job)


@told
def check_needs():
    """End the run before its first job where a tool, a source, a name or the room for it is missing."""
    if "preflight" in workflow.dag_settings.targets:
        return
    trained = dict.fromkeys(
        (job.wildcards.dataset, job.wildcards.model)
        for job in workflow.dag.needrun_jobs()
        if job.rule.name == "train"
    )
    findings = preflight.look(RUN, GROUPS, STEPS_HAVE_CONDA, trained)
    told_of = [finding for finding in findings if finding.verdict != OK]
    if told_of:
        print(preflight.table(told_of), file=sys.stderr)
    if wrong := [finding for finding in told_of if finding.verdict == ERROR]:
        stop(f"preflight: {wrong[0].told}")


def gpus():
    """Return the GPUs of a step that can use one: a profile's set-resources overrides this machine's answer."""
    return 1 if shutil.which("nvidia-smi") else 0


def grows(first):
    """Return a resource that doubles with every attempt: where a profile retries, it asks for more."""
    return lambda wildcards, attempt: first * 2 ** (attempt - 1)


def look_only_when_jobs_end():
    """Leave out Snakemake's own limit of 100 jobs a second, which costs a core in a long run.

    With a limit, the scheduler looks again a second after each look at jobs that wait, and every job that ends begins one
    more such chain (Snakemake 9.27): after some hundred jobs it does nothing else. A limit that was asked for stays.
    """
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


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
        # With --directory, relative paths on the command line are still those of where snakemake was called.
        cwd=workflow.rundir,
        capture_output=True,
        text=True,
    )
    if (
        again.returncode == 0
        and "Nothing to be done" not in again.stdout + again.stderr
    ):
        print(
            "\nThe audits ran anew, and other changes are still to be followed: run the same command again.",
            file=sys.stderr,
        )


def tell_of_memory(logs):
    """Name the steps that were ended for want of memory, and what helps: a killed step cannot say it itself."""
    for sentence in advise(logs):
        print(f"error: {sentence}", file=sys.stderr)


def list_runs():
    """Rebuild the page that lists every run of this folder: no output of a rule, so that no run reruns for another."""
    if Path(layout.RUNS).is_dir():
        # Imported here: pandas and the templates cost every start and every remote job a second.
        from lociflow.report.index import write_index

        write_index(Path(layout.RUNS), Path(layout.INDEX))


def print_scores():
    """End the run with the tables of scores and of published numbers and the path of the report."""
    folder = Path(layout.RUN.format(run=RUN["run"]))
    tables = [
        folder / "scores.txt",
        *(Path(path) for path in PLAN.ledger_files() if path.endswith(".txt")),
    ]
    told = [path.read_text() for path in tables if path.is_file()]
    if told:
        places = [f"all runs: {layout.INDEX}", f"report: {folder / 'report.html'}"]
        print("", *told, *places, sep="\n", file=sys.stderr)


STEPS_HAVE_CONDA = "conda" in {
    str(method) for method in workflow.deployment_settings.deployment_method
}

if workflow.is_main_process and not STEPS_HAVE_CONDA:
    if not shutil.which("bedtools"):
        stop(
            "bedtools: no such program; install it with `apt-get install bedtools`, "
            "`conda install -c bioconda bedtools` or `brew install bedtools`, or run with --sdm conda"
        )

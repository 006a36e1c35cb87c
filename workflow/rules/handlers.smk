"""What a run does at its start and at its end, besides its steps."""

import gc
import inspect
import shutil
import subprocess
import time

from snakemake.resources import Resource

from lociflow.killed_steps import advise
from lociflow.preflight import preflight
from lociflow.preflight.finding import ERROR, OK

STARTED = time.time()

STEPS_HAVE_CONDA = "conda" in {
    str(method) for method in workflow.deployment_settings.deployment_method
}

if workflow.is_main_process and not STEPS_HAVE_CONDA:
    if not shutil.which("bedtools"):
        stop(
            "bedtools: no such program; install it with `apt-get install bedtools`, "
            "`conda install -c bioconda bedtools` or `brew install bedtools`, or run with --sdm conda"
        )


@told
def check_limit_of_gpus():
    """Refuse a limit that Snakemake would cut a step's GPUs to without a word."""
    limit = workflow.global_resources.get("gpu").value
    for step, resources in workflow.resource_settings.overwrite_resources.items():
        asked = resources.get("gpu")
        asked = getattr(asked, "value", asked)
        if isinstance(limit, int) and isinstance(asked, int) and 0 < limit < asked:
            raise UserError(
                f"set-resources, {step}: found gpu: {asked}, expected at most {limit}, the limit of profiles/default or "
                "--resources; on a cluster name its profile with --workflow-profile, which takes the place of "
                f"profiles/default, not with --profile; on one machine add --resources gpu={asked}"
            )


def plan_fast():
    """Spare Snakemake what it would do anew for each of thousands of jobs.

    Whenever it calls a function of a rule it asks for its parameters, which ``__signature__`` answers at once. And while
    jobs are made Python would search all of them for garbage again and again, and find none.
    """
    gc.set_threshold(100_000)
    called = {Resource.evaluate}
    for step in workflow.rules:
        items = (
            getattr(item, "callable", item) for item in (*step.input, *step.params)
        )
        called.update(item for item in items if inspect.isfunction(item))
    for function in called:
        function.__signature__ = inspect.signature(function)


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


def mark_unfinished():
    """Mark what is to be made again as unfinished, so that old results never pass for new ones.

    Snakemake removes the outputs of a job that fails or is killed. Where all that follows from them is still there from
    an earlier run, it would have nothing to do the next time: what was changed since would never reach the report.
    """
    for job in workflow.dag.needrun_jobs():
        if any(os.path.exists(file) for file in job.output):
            workflow.persistence.started(job)


def look_only_when_jobs_end():
    """Leave out Snakemake's own limit of 100 jobs a second, which costs a core in a long run.

    With a limit, the scheduler looks again a second after each look at jobs that wait, and every job that ends begins one
    more such chain (Snakemake 9.27): after some hundred jobs it does nothing else. A limit that was asked for stays.
    """
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


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

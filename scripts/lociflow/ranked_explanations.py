"""Which explanations of a run are ranked against planted truth, and where their files lie."""

from typing import Any

from lociflow import layout, sources
from lociflow.explanation_plan import ExplanationPlan

BENCHMARK = "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/attribute.jsonl"


def ranked_datasets(plan: ExplanationPlan) -> list[str]:
    """Return the simulated data sets of a run whose models are explained."""
    if not plan.explained():
        return []
    return [name for name in plan.run["datasets"] if sources.is_simulated(plan.groups.dataset(name))]


def motif_sets(plan: ExplanationPlan, dataset: str) -> dict[str, str]:
    """Return the files of motifs that are scored against the planted ones, by model and method, or ``filters``."""
    every = plan.interpretation(dataset).get("motifs_of") == "all"
    found: dict[str, str] = {}
    for model in plan.explained():
        searched = plan.methods(dataset, model) if every else plan.methods(dataset, model)[:1]
        paths = plan.method_files(dataset, [model], "modisco.meme")
        found.update((f"{model}/{method}", path) for method, path in zip(searched, paths[: len(searched)], strict=True))
        found[f"{model}/filters"] = plan.interpretation_files(dataset, [model], "filters.meme")[0]
    return found


def motif_checks(plan: ExplanationPlan, dataset: str) -> dict[str, str]:
    """Return the checks of the explanation behind each set of motifs; controls are shown whatever they fail."""
    found: dict[str, str] = {}
    sets = motif_sets(plan, dataset)
    for model in plan.explained():
        if not plan.is_control(dataset, model):
            paths = plan.method_files(dataset, [model], "checks.json")
            found.update(
                (f"{model}/{method}", path) for method, path in zip(plan.methods(dataset, model), paths, strict=True)
            )
    return {label: path for label, path in found.items() if label in sets}


def check_files(plan: ExplanationPlan, dataset: str) -> list[str]:
    """Return the checks of every explanation of a data set."""
    return plan.method_files(dataset, plan.explained(), "checks.json")


def truth_files(plan: ExplanationPlan, dataset: str) -> list[str]:
    """Return the scores of every explanation of a data set."""
    return plan.method_files(dataset, plan.explained(), "truth.json")


def explained_scores(plan: ExplanationPlan, dataset: str) -> list[str]:
    """Return the scores of each explained model, which also say how well it knows a spacing rule."""
    place = plan.explained_place(dataset)
    return [f"{layout.TRAINED.format(**place, model=model)}/metrics.json" for model in plan.explained()]


def ranked(plan: ExplanationPlan, dataset: str) -> dict[str, Any]:
    """Return what :func:`lociflow.report.explanation_ranking.rank_explanations` reads, and the level of intervals."""
    place = plan.explained_place(dataset)
    scores = dict(zip(plan.explained(), explained_scores(plan, dataset), strict=True))
    explained, left_out = [], []
    for model in plan.explained():
        config = plan.resolve(dataset, model)["training"]
        named = {"model": model, "architecture": layout.split_label(model)[0], "kind": _kind(plan, dataset, model)}
        methods = plan.methods(dataset, model)
        files = (plan.method_files(dataset, [model], file) for file in ("truth.json", "checks.json"))
        for method, truth, checks in zip(methods, *files, strict=True):
            explained.append(
                {
                    **named,
                    "method": method,
                    "given": bool(config["model"].get("given_motifs")),
                    "truth": truth,
                    "checks": checks,
                    "benchmark": BENCHMARK.format(**place, model=model, method=method),
                    "metrics": scores[model],
                }
            )
        left_out += [
            {"model": model, "kind": named["kind"], "method": method, "reason": reason}
            for method, reason in plan.invalid_methods(dataset, model).items()
        ]
    return {
        "explained": explained,
        "left_out": left_out,
        "recovery": layout.MOTIF_RECOVERY.format(run=plan.run["run"], dataset=dataset),
        "level": plan.evaluation(dataset)["level"],
    }


def _kind(plan: ExplanationPlan, dataset: str, model: str) -> str:
    """Tell an untrained control, which has the architecture alone, from others."""
    if not plan.is_control(dataset, model):
        return "model"
    training = plan.resolve(dataset, model)["training"]["training"]
    return "untrained" if training.get("max_epochs") == 0 else "control"

"""How models are explained, and what of explanations the report reads."""

@cache
@told
def explained_files():
    """Return the explanations of the run; an audit alone does not ask whether its models can be explained."""
    return PLAN.explained_files()


@told
def interpretation(name):
    """Return how the models of a data set are explained."""
    return PLAN.interpretation(name)


def jaspar_config(name):
    """Return what a data set's motifs are matched to, without the user's own file, which is an input."""
    found = interpretation(name)["jaspar"]
    return {key: value for key, value in found.items() if key != "library"}


@told
def attribution_config(wildcards):
    """Return how one model is explained by the wildcards' method, found valid for its architecture."""
    offered = PLAN.resolve(wildcards.dataset, wildcards.model)["attribution"]
    return attribution(
        interpretation(wildcards.dataset), wildcards.model, offered, wildcards.method
    )


def few_config(wildcards):
    """Return how a few windows of a second seed are explained, to be compared with the first."""
    config = attribution_config(wildcards)
    few = (interpretation(wildcards.dataset).get("checks") or {}).get(
        "agreement_windows", 20
    )
    return {**config, "windows_per_target": min(few, config["windows_per_target"])}


def checks_config(wildcards):
    """Return how the explanations of one model are checked: with the method that made them, and its seed."""
    checks = interpretation(wildcards.dataset).get("checks") or {}
    explained = attribution_config(wildcards)
    return {
        **{key: value for key, value in checks.items() if key != "agreement_windows"},
        **{key: explained[key] for key in ("method", "call", "seed", "threads")},
    }


@told
def motif_file(wildcards):
    """Return the user's file of motifs, or none where known and discovered motifs are asked about."""
    name = PLAN.importance_config(wildcards.dataset).get("motifs")
    if name in (None, "known", "discovered"):
        return []
    if not Path(name).is_file():
        raise UserError(
            f"importance.motifs: found {name}, expected known, discovered, null or the path of a MEME file"
        )
    return [name]


@told
def checks_behind_motifs(wildcards):
    """Return the checks of the explanation whose motifs a model is asked about; controls are asked whatever they fail."""
    name, model = wildcards.dataset, wildcards.model
    if PLAN.importance_config(name).get("motifs") not in (None, "discovered"):
        return []
    return (
        []
        if PLAN.is_control(name, model)
        else PLAN.explanation_files(name, [model], "checks.json")
    )


@told
def importance_config(wildcards):
    """Return how the wildcards' model is asked about motifs."""
    return PLAN.importance_config(wildcards.dataset)

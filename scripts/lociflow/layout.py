"""Where every file of a run lies, relative to the working directory."""

SOURCE = "resources/sources/{file}"
SOURCE_RECORD = "resources/sources/{file}.source.json"
SIMULATED = "simulated/{dataset}"
GENOME = "resources/sequences/{genome}"
DATASET = "results/{dataset}"
BASELINE = "results/{dataset}/{split}/baselines/{baseline}"
TRAINED = "results/{dataset}/{split}/{model}/seed{seed}"
INTERPRETATION = TRAINED + "/interpretation"
RUN = "results/runs/{run}"
MATCHES = RUN + "/{dataset}.motifs.tsv"
MATCHED_MOTIFS = RUN + "/{dataset}.matched.meme"


def model_label(model: str, variant: str | None) -> str:
    """Return ``model`` or ``model+variant``, the name by which a run and the results' paths know it."""
    return f"{model}+{variant}" if variant else model


def split_label(label: str) -> tuple[str, str | None]:
    """Return the model and the variant that ``model+variant`` names."""
    model, _, variant = label.partition("+")
    return model, variant or None

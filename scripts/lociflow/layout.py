"""Where every file of a run lies, relative to the working directory."""

SOURCE = "resources/sources/{file}"
SOURCE_RECORD = "resources/sources/{file}.source.json"
SIMULATED = "simulated/{dataset}"
SITES = SOURCE.format(file=f"{SIMULATED}/sites.tsv")
GENOME = "resources/sequences/{genome}"
DATASET = "results/{dataset}"
BASELINE = "results/{dataset}/{split}/baselines/{baseline}"
CEILING = "results/{dataset}/{split}/baselines/ceiling"
TRAINED = "results/{dataset}/{split}/{model}/seed{seed}"
ENSEMBLE = "results/{dataset}/{split}/{model}/ensemble"
INTERPRETATION = TRAINED + "/interpretation"
INDEX = "results/index.html"
RUNS = "results/runs"
RUN = RUNS + "/{run}"
COMPARISONS = RUN + "/comparisons.tsv"
MATCHES = RUN + "/{dataset}.motifs.tsv"
MATCHED_MOTIFS = RUN + "/{dataset}.matched.meme"


def split_label(label: str) -> tuple[str, str | None]:
    """Return the model and the variant that ``model+variant`` names."""
    model, _, variant = label.partition("+")
    return model, variant or None

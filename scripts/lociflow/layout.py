"""Where every file of a run lies, relative to the working directory."""

from collections.abc import Sequence

SOURCE = "resources/sources/{file}"
SOURCE_RECORD = "resources/sources/{file}.source.json"
SIMULATED = "simulated/{dataset}"
SITES = SOURCE.format(file=f"{SIMULATED}/sites.tsv")
GENOME = "resources/sequences/{genome}"
DATASET = "results/{dataset}"
BASELINE = "results/{dataset}/{split}/baselines/{baseline}"
CEILING = "results/{dataset}/{split}/baselines/ceiling"
TRAINED = "results/{dataset}/{split}/{model}/seed{seed}"
# Of which seeds a mean is stands in its name, so that runs with others do not overwrite it.
ENSEMBLE = "results/{dataset}/{split}/{model}/ensemble-{seeds}"
INTERPRETATION = TRAINED + "/interpretation"
EXPLANATION = INTERPRETATION + "/{method}"
# Seeds as in ENSEMBLE.
EFFECTS = "results/{dataset}/{split}/{model}/effects/seeds-{seeds}"
TRACKS = "results/{dataset}/{split}/{model}/tracks/{regions}/seeds-{seeds}"
EXPORT = TRAINED + "/export"
INDEX = "results/index.html"
RUNS = "results/runs"
RUN = RUNS + "/{run}"
CRATE = RUN + "/ro-crate-metadata.json"
COMPARISONS = RUN + "/comparisons.tsv"
MATCHES = RUN + "/{dataset}.motifs.tsv"
MATCHED_MOTIFS = RUN + "/{dataset}.matched.meme"
MOTIF_RECOVERY = RUN + "/{dataset}.motif_recovery.json"
EXPLANATION_RANKING = RUN + "/{dataset}.explanations.tsv"
EXPLAINED_FACTORS = RUN + "/{dataset}.explanation_factors.tsv"
EXPLANATION_FIGURE = RUN + "/{dataset}.explanations.svg"
AGREEMENT = RUN + "/{dataset}.agreement.tsv"


def split_label(label: str) -> tuple[str, str | None]:
    """Return the model and the variant that ``model+variant`` names."""
    model, _, variant = label.partition("+")
    return model, variant or None


def joined(seeds: Sequence[int]) -> str:
    """Return how the name of a mean over seeds says of which it is."""
    return "-".join(map(str, seeds))

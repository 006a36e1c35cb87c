"""What the steps beside training and explanation read and are told, where a run asks for them."""


def variants_of(name):
    """Return the file of a name among the run's variants, none where it names none."""
    source = variant_effects.file_sources(RUN).get(name)
    return [layout.SOURCE.format(file=source["file"])] if source else []


def effect_settings(wildcards):
    """Return how variants are scored on a data set, as JSON."""
    return canonical(
        {
            **variant_effects.settings(RUN),
            "contig_aliases": windows_config(wildcards.dataset)["contig_aliases"],
        }
    )


def regions_file(wildcards):
    """Return the file of regions that the wildcards name, none where they are whole contigs."""
    return paths(track_requests.file_sources(RUN).get(wildcards.regions, {}))


def contributions(*files):
    """Return the input function for tracks of contributions, none where the model is not explained."""
    return lambda wildcards: (
        [f"{layout.TRACKS.format(**wildcards)}/{file}" for file in files]
        if track_requests.is_explained(PLAN, wildcards.dataset, wildcards.model)
        else []
    )


@told
def track_config(wildcards):
    """Return what is predicted of the regions that the wildcards name."""
    return track_requests.settings(
        PLAN,
        wildcards.dataset,
        wildcards.regions,
        windows_config(wildcards.dataset)["contig_aliases"],
    )


@told
def card_baselines(wildcards):
    """Return the scores of the baselines on the same bins, by name."""
    place_of = {"dataset": wildcards.dataset, "split": wildcards.split}
    return {
        name: f"{layout.BASELINE.format(**place_of, baseline=name)}/metrics.json"
        for name in PLAN.baselines(wildcards.dataset)
    }


def card_sources(wildcards):
    """Return the records of the files that a model card names."""
    files = list(sources.all_sources(GROUPS, [wildcards.dataset]))
    return [
        layout.SOURCE_RECORD.format(file=file) for file in files[: exports.MOST_SOURCES]
    ]


def other_records():
    """Return the records of sources that belong to no data set of the run's manifest."""
    shown = {file for name in RUN["datasets"] for file in PLAN.sources_of(name)}
    return [
        layout.SOURCE_RECORD.format(file=file) for file in sorted(set(SOURCES) - shown)
    ]

"""Read the results of a run from the files that its manifest names.

The manifest is written by the workflow: which data sets, which trainings, baselines and controls belong to the run, and
where each of their files lies.
"""

import csv
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.formats import read_stamped
from lociflow.interpretation.attention import read_attention
from lociflow.interpretation.checks.verdicts import failed, read_checks
from lociflow.interpretation.motifs.meme import read_meme
from lociflow.report.along_bins import read_along
from lociflow.report.along_genome import read_genome_tracks
from lociflow.report.loci import read_loci
from lociflow.report.planted import planted_motifs
from lociflow.report.results import KINDS, Curves, DatasetResults, Entry, Match, Motif, Restored, RunResults
from lociflow.report.variant_effects import read_variant_effects

# What stands before the names of the user's own motifs in the table of matches.
LIBRARY = "library:"
# The label of a motif file: the training, perhaps inside a path.
TRAINING = r"^(?:.*/)?([^/]+/seed\d+)(?:/.*)?$"


def read_results(manifest: Mapping[str, Any]) -> RunResults:
    """Read all the files that a manifest names.

    Parameters
    ----------
    manifest
        With paths, as :func:`lociflow.report.manifest.locate` returns it: ``run``, ``config``, ``benchmarks``;
        ``matches``, ``matched_meme`` and ``agreement`` by data set; ``datasets``, each with ``name``, ``description``,
        ``split``, ``windows_counts``, ``target_table``, ``source_records``, ``simulation`` and ``entries``, each with
        ``label``, ``model``, ``variant``, ``seed``, ``kind`` (one of ``KINDS``), ``metrics``, ``curves``, ``history``,
        ``config``, ``motifs`` (``modisco`` and ``filters``, each ``meme`` and ``table``), ``truth``, ``checks`` (a file
        for each method, that of the motifs first), ``attributions`` with ``predictions``, and ``fold_histories``. A
        data set may have ``folds``, ``reconstructions``, see :func:`read_restored`, ``ensembles``, which are entries of
        their own, and, for attributions, what :func:`lociflow.report.loci.read_loci` needs; ``explanation_ranking``, a
        table. ``variant_effects`` and ``tracks``: see :func:`lociflow.report.variant_effects.read_variant_effects` and
        :func:`lociflow.report.along_genome.read_genome_tracks`. All but names, ``kind`` and ``metrics`` may be missing
        or null.

    Raises
    ------
    UserError
        A file is missing or of another format version.
    """
    matches = manifest.get("matches") or {}
    matched, agreement = manifest.get("matched_meme") or {}, manifest.get("agreement") or {}
    return RunResults(
        name=manifest["run"],
        config=manifest.get("config") or {},
        datasets=tuple(
            read_dataset(
                dataset,
                *(found.get(dataset["name"]) if is_first(dataset) else None for found in (matches, matched, agreement)),
            )
            for dataset in manifest["datasets"]
        ),
        benchmarks=read_benchmarks(manifest.get("benchmarks") or []),
        published=tuple(manifest.get("published") or ()),
        variant_effects=tuple(
            read_variant_effects(found, lambda path: read_checked(path, "variant effects"))
            for found in manifest.get("variant_effects") or []
        ),
        tracks=tuple(read_genome_tracks(found, read_checked) for found in manifest.get("tracks") or []),
    )


def read_scores(manifest: Mapping[str, Any]) -> RunResults:
    """Read only what the table of scores needs: metrics, histories and configurations."""
    kept = ("label", "model", "variant", "seed", "kind", "to_beat", "metrics", "history", "fold_histories", "config")
    return RunResults(
        name=manifest["run"],
        config={},
        datasets=tuple(
            read_dataset(
                {
                    **{key: dataset.get(key) for key in ("name", "split", "splits", "clean_of", "folds")},
                    **{
                        group: [{key: entry.get(key) for key in kept} for entry in dataset.get(group) or []]
                        for group in ("entries", "ensembles")
                    },
                },
                None,
                None,
            )
            for dataset in manifest["datasets"]
        ),
        benchmarks=read_benchmarks([]),
        published=tuple(manifest.get("published") or ()),
    )


def is_first(dataset: Mapping[str, Any]) -> bool:
    """Tell whether an entry of the manifest is the data set's first split, the one that is explained."""
    return bool(dataset.get("explained", True))


def read_dataset(
    dataset: Mapping[str, Any], matches: str | None, matched: str | None, agreement: str | None = None
) -> DatasetResults:
    """Read what belongs to one data set: its windows, its sources, its entries and their motifs."""
    table = read_matches(existing(matches)) if matches else {}
    labels = Counter(entry["label"] for entry in dataset["entries"])
    several = (dataset.get("splits") or 1) > 1
    return DatasetResults(
        name=f"{dataset['name']}.{dataset['split']}" if several else dataset["name"],
        dataset=dataset["name"],
        description=dataset.get("description") or "",
        split=dataset["split"],
        clean_of=dataset.get("clean_of"),
        is_first=is_first(dataset),
        audit=read_checked(dataset["audit"], "audit") if dataset.get("audit") else None,
        counts=read_checked(dataset["windows_counts"], "windows") if dataset.get("windows_counts") else {},
        targets=read_table(dataset["target_table"], csv.QUOTE_NONE)
        if dataset.get("target_table")
        else pd.DataFrame({"target": []}),
        sources=tuple(read_checked(path, "source") for path in dataset.get("source_records") or []),
        contigs_pinned=bool(dataset.get("contigs_pinned")),
        planted=planted_motifs(dataset["simulation"]) if dataset.get("simulation") else None,
        entries=tuple(read_entry(entry, table, labels[entry["label"]] > 1) for entry in dataset["entries"]),
        ensembles=tuple(read_entry(entry, {}, True) for entry in dataset.get("ensembles") or []),
        matched=dict(read_motif_file(existing(matched))) if matched else {},
        folds=tuple(dataset.get("folds") or ()),
        loci=read_loci(dataset),
        along=read_along(dataset),
        restored=tuple(map(read_restored, dataset.get("reconstructions") or [])),
        explanation_ranking=read_table(dataset["explanation_ranking"]) if dataset.get("explanation_ranking") else None,
        agreement=read_table(agreement) if agreement else None,
    )


def read_entry(entry: Mapping[str, Any], matches: Mapping[tuple[str, str, str], Match], several_seeds: bool) -> Entry:
    """Read one row of the leaderboard and all that belongs to it."""
    if entry["kind"] not in KINDS:
        raise UserError(f"manifest: {entry['label']} is of kind {entry['kind']!r}, expected one of {', '.join(KINDS)}")
    seed = entry.get("seed")
    key = entry["label"] if seed is None else f"{entry['label']}/seed{seed}"
    files = entry.get("motifs") or {}
    hits = read_table(entry["hits"]).set_index("motif").to_dict("index") if entry.get("hits") else {}
    checks = tuple(read_checks(existing(path)) for path in entry.get("checks") or [])
    # Controls show what chance finds: they claim nothing that a check could take back.
    wrong = failed(checks[0]) if checks and entry["kind"] != "control" else []
    motifs = [
        motif
        for group, kind in (("modisco", "modisco"), ("filters", "filter"))
        if files.get(group) and not (wrong and kind == "modisco")
        for motif in read_motifs(
            existing(files[group]["meme"]), existing(files[group]["table"]), kind, key, matches, hits
        )
    ]
    return Entry(
        name=_name(entry, several_seeds),
        label=entry["label"],
        model=entry["model"],
        variant=entry.get("variant"),
        seed=seed,
        kind=entry["kind"],
        to_beat=bool(entry.get("to_beat")),
        metrics=read_checked(entry["metrics"], "metrics"),
        curves=read_curves(existing(entry["curves"])) if entry.get("curves") else None,
        history=pd.read_csv(existing(entry["history"])) if entry.get("history") else None,
        config=read_json(entry["config"]) if entry.get("config") else None,
        motifs=tuple(motifs),
        interpreted=bool(files),
        checks=checks,
        failed_checks=tuple(wrong),
        truth=read_checked(entry["truth"], "explanation scores") if entry.get("truth") else None,
        attention=read_attention(existing(entry["attention"])) if entry.get("attention") else None,
        prefixes=read_table(entry["prefixes"]) if entry.get("prefixes") else None,
        importance=read_checked(entry["importance"], "importance") if entry.get("importance") else None,
        fold_seconds=sum(float(pd.read_csv(existing(path))["seconds"].sum()) for path in entry["fold_histories"])
        if entry.get("fold_histories")
        else None,
    )


def _name(entry: Mapping[str, Any], several_seeds: bool) -> str:
    if entry["kind"] == "ensemble":
        return f"{entry['label']}, all seeds"
    return f"{entry['label']}, seed {entry['seed']}" if several_seeds else str(entry["label"])


def read_restored(found: Mapping[str, Any]) -> Restored:
    """Read how well a model restores sequence: ``label``, ``seed`` and ``reconstruction``, a file."""
    scores = read_checked(found["reconstruction"], "reconstruction")
    test = scores["test"]
    return Restored(
        found["label"], found["seed"], scores["unit"], test["accuracy"], test["bits"], scores["composition"]
    )


def read_motifs(
    meme: Path,
    table: Path,
    kind: str,
    key: str,
    matches: Mapping[tuple[str, str, str], Match],
    hits: Mapping[Any, Mapping[Any, Any]],
) -> list[Motif]:
    """Join a file of motifs, the table about them, their best matches and their hits."""
    rows = read_table(table).set_index("motif").to_dict("index") if table.stat().st_size else {}
    motifs = []
    for name, pwm in read_motif_file(meme):
        row = rows.get(name, {})
        target = row.get("target")
        found = hits.get(name, {})
        own = "negative" if row.get("kind") == "negative" else kind
        motifs.append(
            Motif(
                name=name,
                kind=own,
                target=None if missing(target) else str(target),
                support=known_number(row.get("support")),
                pwm=pwm,
                match=matches.get((key, own, name)),
                library_match=matches.get((key, own, LIBRARY + name)),
                hits=int(found["hits"]) if found else None,
                share_used=known_number(found.get("share_used")),
                influence=known_number(row.get("influence")),
                score_change=known_number(row.get("score_change")),
            )
        )
    return motifs


def read_matches(path: Path) -> dict[tuple[str, str, str], Match]:
    """Read the best match of every motif in JASPAR and in the user's own library: the row with the lowest p-value.

    Returns
    -------
    dict[tuple[str, str, str], Match]
        By (training, kind, motif). Training is ``danq_small/seed1``, whatever stands before and after it in the label,
        so that labels may tell a model's files apart; kind is that of :class:`Motif`; for the match in the library
        ``library:`` stands before the motif.
    """
    table = read_table(path).sort_values("p", kind="stable")
    table["kind"] = table["kind"].replace("positive", "modisco")
    table["training"] = table["label"].astype(str).str.replace(TRAINING, r"\1", regex=True)
    own = table["match_id"].astype(str).str.startswith(LIBRARY)
    table["motif"] = np.where(own, LIBRARY, "") + table["motif"].astype(str)
    best = table.drop_duplicates(["training", "kind", "motif"])
    return {
        (str(row["training"]), str(row["kind"]), str(row["motif"])): Match(
            identifier=str(row["match_id"]),
            name=str(row["match_name"]),
            families=families(row["family"]),
            q=float(row["q"]),
            strand=str(row["strand"]),
        )
        for row in best.to_dict("records")
    }


def families(value: Any) -> tuple[str, ...]:
    """Split JASPAR's families of a matrix: several where it is the matrix of a dimer (``A::B``)."""
    if missing(value):
        return ()
    parts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return tuple(name.strip() for part in parts for name in str(part).replace("::", ";").split(";") if name.strip())


def read_motif_file(path: Path) -> list[tuple[str, np.ndarray]]:
    """Read names and probabilities, float (4, length), of the motifs of a MEME file; empty where it holds none."""
    return [(motif.name, motif.pwm) for motif in read_meme(path)]


def read_curves(path: Path) -> Curves:
    """Read the curves that the evaluation step wrote."""
    with np.load(path, allow_pickle=False) as file:
        return Curves(
            targets=[str(name) for name in file["targets"]],
            false_positive_rate=file["false_positive_rate"],
            true_positive_rate=file["true_positive_rate"],
            recall=file["recall"],
            precision=file["precision"],
            reliability=file["reliability"],
        )


def read_benchmarks(paths: Sequence[str]) -> pd.DataFrame:
    """Read Snakemake's benchmark files, as TSV or JSON lines.

    Returns
    -------
    pandas.DataFrame
        One row a job: ``step`` (the file's path below ``benchmarks/``, without suffix), ``seconds``, ``memory_mb``
        (largest resident set; NaN where the job was too short to be sampled).
    """
    rows: list[dict[str, Any]] = []
    for name in paths:
        path = Path(name)
        if not path.exists():  # a job that was not run again leaves no new benchmark, and an old one may be gone
            continue
        step = "/".join(path.with_suffix("").parts).partition("benchmarks/")[2] or path.stem
        records = (
            [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
            if path.suffix == ".jsonl"
            else read_table(path).to_dict("records")
        )
        for record in records:
            rows.append(
                {
                    "step": step,
                    "seconds": measured(record.get("s")),
                    "memory_mb": measured(record.get("max_rss")),
                }
            )
    return pd.DataFrame(rows, columns=["step", "seconds", "memory_mb"])


def measured(value: Any) -> float:
    """Read a number of a benchmark; NaN where Snakemake has written NA or -."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def existing(name: str) -> Path:
    """Return the path of a file that must exist.

    Raises
    ------
    UserError
        It does not.
    """
    path = Path(name)
    if not path.exists():
        raise UserError(f"{path}: named by the manifest but not found; run snakemake again to make it")
    return path


def read_json(name: str) -> dict[str, Any]:
    """Read a JSON object."""
    value: dict[str, Any] = json.loads(existing(name).read_text(encoding="utf-8"))
    return value


def read_checked(name: str, kind: str) -> dict[str, Any]:
    """Read a JSON object of one kind, in the present version.

    Raises
    ------
    UserError
        It is another kind or version.
    """
    return read_stamped(existing(name), kind)


def read_table(path: str | Path, quoting: Literal[0, 3] = csv.QUOTE_MINIMAL) -> pd.DataFrame:
    """Read a TSV file; a target called NA stays a name. The table of targets is written without quotes."""
    return pd.read_csv(existing(str(path)), sep="\t", keep_default_na=False, na_values=[""], quoting=quoting)


def known_number(value: Any) -> float | None:
    """Return the number in a cell of a table, None where it is empty."""
    return None if missing(value) else float(value)


def missing(value: Any) -> bool:
    """Say whether a cell of a table is empty."""
    return value is None or (isinstance(value, float) and math.isnan(value))

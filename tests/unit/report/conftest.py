"""A factory of results in the formats that the steps write, small but realistic enough to be looked at."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from window_files import write_holdout

from lociflow.command import write_json
from lociflow.evaluation.metrics import KIND_METRICS
from lociflow.evaluation.predictions import prediction_table, write_predictions
from lociflow.formats import stamp
from lociflow.genome.simulation import SITE_COLUMNS
from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.interpretation.motifs.meme import Motif, write_meme
from lociflow.interpretation.motifs.table import motif_row, write_table

MATCH_COLUMNS = (
    "label", "motif", "kind", "match_id", "match_name", "family", "class", "p", "q", "overlap", "offset", "strand",
)  # fmt: skip
EXPLAINED = {"attributions": "npz", "predictions": "parquet"}
# The headline metric of the k-mer baseline for each kind of labels, from which the models differ by 0.05.
VALUES = {"class": 0.9, "position_class": 0.4, "real": 0.6, "profile": 0.2}
GRID = np.linspace(0, 1, 200)
BASES = {
    "A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip
FACTORS = {
    "CTCF": ("MA0139.2", "GCCCTCTRSTGG", "More than 3 adjacent zinc fingers"),
    "GATA1": ("MA0035.5", "AGATAAGR", "C4-GATA-related"),
    "JUN": ("MA0488.2", "ATGACGTCAT", "Jun-related"),
    "MYC": ("MA0147.4", "CCACGTGC", "bHLH-ZIP"),
    "SPI1": ("MA0080.7", "AAAGAGGAAGTG", "Ets-related"),
    "TP53": ("MA0106.3", "RACATGCCYGGGCATGT", "p53-related"),
}


def pwm(consensus: str, weight: float = 0.91) -> np.ndarray:
    """Spell a consensus as probabilities, shape (4, length)."""
    columns = []
    for letter in consensus:
        column = np.full(4, (1 - weight) / 4)
        for base in BASES[letter]:
            column["ACGT".index(base)] += weight / len(BASES[letter])
        columns.append(column)
    return np.array(columns).T


def score(value: float | None, width: float = 0.02) -> dict[str, float | None]:
    if value is None:
        return {"value": None, "low": None, "high": None, "reason": "no positives or no negatives"}
    return {"value": value, "low": max(0, value - width), "high": min(1, value + width), "reason": None}


def spread(values: Sequence[float | None], width: float) -> dict[str, Any]:
    known = np.array([value for value in values if value is not None])
    counts = {"targets": len(known), "undefined": len(values) - len(known)}
    if not len(known):
        names = ("median", "mean", "sd", "q25", "q75", "low", "high", "mean_low", "mean_high")
        return {**dict.fromkeys(names), **counts}
    middle, mean = float(np.median(known)), float(known.mean())
    return {
        "median": middle, "mean": mean, "sd": float(known.std(ddof=1)) if len(known) > 1 else None,
        "q25": float(np.percentile(known, 25)), "q75": float(np.percentile(known, 75)),
        "low": max(0.0, middle - width), "high": middle + width, "mean_low": mean - width,
        "mean_high": mean + width, **counts,
    }  # fmt: skip


def reliability(prevalence: Mapping[str, float]) -> np.ndarray:
    """Return bins, mean probability and share of positives of 15 groups: probabilities that are half too high."""
    shares = np.array([np.linspace(0.1, 1.9, 15) * each for each in prevalence.values()])
    return np.stack([np.full_like(shares, 134), np.minimum(1.5 * shares, 1), shares], axis=1)


def binormal(auroc: float, prevalence: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the ROC curve, the precision-recall curve and the AUPRC of two normal distributions."""
    shift = norm.ppf(auroc) * np.sqrt(2)
    with np.errstate(invalid="ignore"):
        true_positive_rate = norm.cdf(shift + norm.ppf(GRID))
        false_positive_rate = norm.cdf(norm.ppf(GRID) - shift)
    called = GRID * prevalence + false_positive_rate * (1 - prevalence)
    precision = np.divide(GRID * prevalence, called, out=np.full_like(GRID, np.nan), where=called > 0)
    precision[0] = precision[1]
    return true_positive_rate, precision, float(np.trapezoid(precision, GRID))


class Results:
    """Writes results below a folder and collects their manifest."""

    values = VALUES

    def __init__(self, folder: Path, run: str = "quickstart") -> None:
        self.folder = folder
        self.random = np.random.default_rng(7)
        self.manifest: dict[str, Any] = {
            "run": run,
            "config": {"run": run, "datasets": [], "models": ["deepbind_small", "danq_small"], "seeds": [1]},
            "datasets": [], "matches": {}, "matched_meme": {}, "benchmarks": [],
            "commit": "0123456789abcdef0123456789abcdef01234567", "versions": {"python": "3.11.7", "torch": "2.13.0"},
        }  # fmt: skip

    def dataset(self, name: str, targets: Sequence[str], *, planted: bool = False, unpinned: int = 0) -> dict[str, Any]:
        folder = self.folder / name
        folder.mkdir(parents=True)
        prevalence = dict(zip(targets, self.random.uniform(0.004, 0.03, len(targets)), strict=True))
        bins = {"train": 8421, "validation": 1500, "test": 2013}
        lines = ["\t".join(["target", "peaks", "kept", *(f"positives_{split}" for split in bins), "ignored", "group"])]
        for target in targets:
            counts = [max(1, round(prevalence[target] * number)) for number in bins.values()]
            lines.append("\t".join(map(str, [target, sum(counts) + 9, sum(counts), *counts, 4, "x"])))
        (folder / "targets.tsv").write_text("\n".join(lines) + "\n")
        labels = {
            side: {
                "known": [number] * len(targets), "missing": [0] * len(targets),
                "positives": [max(1, round(share * number)) for share in prevalence.values()],
            }
            for side, number in bins.items()
        }  # fmt: skip
        write_json(
            folder / "windows.json",
            {
                **stamp("windows"),
                "genome": {"name": "simulated", "digest": "ab" * 32, "contigs": 6},
                "bins": {
                    "made": 12100, "background": 0, "dropped": {"ambiguous_bases": 96, "blacklist": 0, "no_split": 70},
                    "kept": 11934, "shuffled": 0, "negatives": [],
                },
                "blacklist": None, "targets": list(targets), "kind": "binary", "removed": {},
                "regions": {
                    "files": [], "read": dict.fromkeys(targets, 6054 // len(targets)), "on_genome": 6054,
                    "kept": 6010, "without_bin": dict.fromkeys(targets, 2),
                },
                "splits": {"holdout": {"bins": bins, "labels": labels}},
                "digests": {"windows": "0" * 64, "targets": "1" * 64},
            },
        )  # fmt: skip
        records = []
        for number in range(unpinned):
            path = folder / f"source{number}.source.json"
            record = {
                **stamp("source"), "file": f"peaks/{number}.bed.gz", "via": "url", "sha256": f"{number:064x}",
                "from": [f"https://example.org/peaks/{number}.bed.gz"], "bytes": 123456 + number, "pinned": number > 0,
                "held_to": "sha256" if number else "the sha256 of its first download", "derived_from": None,
            }  # fmt: skip
            write_json(path, record)
            records.append(str(path))
        found = {
            "name": name, "description": f"A made-up data set with {len(targets)} targets.", "split": "holdout",
            "windows_counts": str(folder / "windows.json"), "target_table": str(folder / "targets.tsv"),
            "source_records": records, "entries": [], "prevalence": prevalence,
            "simulation": {
                "release": "JASPAR2024",
                "factors": {factor: {"matrix": FACTORS[factor][0]} for factor in targets if factor in FACTORS},
            } if planted else None,
        }  # fmt: skip
        self.manifest["datasets"].append(found)
        self.manifest["config"]["datasets"].append(name)
        self.manifest["matches"][name] = str(folder / "motifs.tsv")
        (folder / "motifs.tsv").write_text("\t".join(MATCH_COLUMNS) + "\n")
        self.manifest["matched_meme"][name] = str(folder / "matched.meme")
        write_meme(
            folder / "matched.meme",
            [Motif(matrix, factor, pwm(word), 100) for factor, (matrix, word, _) in FACTORS.items()],
        )
        return found

    def entry(
        self,
        dataset: dict[str, Any],
        model: str,
        auroc: float | None,
        *,
        kind: str = "model",
        variant: str | None = None,
        seed: int | None = 1,
        best: int | None = 8,
        epochs: int = 12,
        motifs: Sequence[str] | None = None,
        truth: float | None = None,
        negative: Sequence[str] = (),
        width: float = 0.02,
    ) -> dict[str, Any]:
        label = f"{model}+{variant}" if variant else model
        folder = self.folder / dataset["name"] / label / f"seed{seed}"
        folder.mkdir(parents=True)
        rows, true_positive_rates, precisions = [], [], []
        for target, prevalence in dataset["prevalence"].items():
            if auroc is None:
                area, curves, precision_area = None, (np.full(200, np.nan), np.full(200, np.nan)), None
            else:
                area = float(np.clip(auroc + self.random.normal(0, 0.04 if auroc > 0.55 else 0.008), 0.05, 0.995))
                *curves, precision_area = binormal(area, prevalence)  # type: ignore[assignment]
            true_positive_rates.append(curves[0])
            precisions.append(curves[1])
            rows.append(
                {
                    "target": target, "bins": 2013, "positives": 0 if area is None else round(prevalence * 2013),
                    "prevalence": prevalence, "auroc": score(area, width), "auprc": score(precision_area, width),
                    "lift": None if precision_area is None else precision_area / prevalence,
                }
            )  # fmt: skip
        values = {metric: [row[metric]["value"] for row in rows] for metric in ("auroc", "auprc")}
        write_json(
            folder / "metrics.json",
            {
                **stamp("metrics"),
                "bins": {"test": 2013, "validation": 1500},
                "interval": {"method": "block bootstrap, percentiles", "block": 20000, "draws": 200, "level": 0.95,
                             "seed": 0, "blocks": 20, "reason": None},
                "targets": rows,
                "summary": {
                    **{metric: spread(values[metric], width) for metric in values},
                    "lift": spread([row["lift"] for row in rows], 0),
                    "prevalence": spread([row["prevalence"] for row in rows], 0),
                },
            },
        )  # fmt: skip
        np.savez_compressed(
            folder / "curves.npz", targets=np.array(list(dataset["prevalence"]), dtype=np.str_),
            false_positive_rate=GRID, recall=GRID,
            true_positive_rate=np.array(true_positive_rates, dtype=np.float32),
            precision=np.array(precisions, dtype=np.float32), reliability=reliability(dataset["prevalence"]),
        )  # fmt: skip
        found: dict[str, Any] = {
            "label": label, "model": model, "variant": variant, "seed": seed, "kind": kind,
            "metrics": str(folder / "metrics.json"), "curves": str(folder / "curves.npz"), "history": None,
            "config": None, "motifs": None, "truth": None, "to_beat": kind == "baseline",
        }  # fmt: skip
        if kind in ("model", "control"):
            found["history"] = str(self._history(folder / "history.csv", best, epochs))
            write_json(
                folder / "config.json",
                {
                    "dataset": {"name": dataset["name"]}, "model": {"name": model, "input_length": 200},
                    "training": {
                        "max_epochs": epochs if best is not None else 0, "label_permutation": kind == "control",
                        "early_stopping": {"monitor": "validation_loss", "patience": 4, "min_delta": 0.0},
                    },
                    "seed": seed, "parameters": 48211, "kept_epoch": best or 0,
                },
            )  # fmt: skip
            found["config"] = str(folder / "config.json")
        if motifs is not None:
            found["motifs"] = self._motifs(folder, dataset["name"], f"{label}/seed{seed}", motifs, negative)
        if truth is not None:
            found["truth"] = str(folder / "truth.json")
            write_json(
                folder / "truth.json",
                {
                    **stamp("explanation scores"),
                    "not_planted": [],
                    "overall": {"auprc": truth, "base_rate": 0.055, "decoy_ratio": 0.42},
                    "factors": {
                        factor: {"auprc": truth + 0.02 * number, "base_rate": 0.05, "decoy_ratio": 0.3 + 0.05 * number}
                        for number, factor in enumerate(dataset["simulation"]["factors"])
                    },
                },
            )
        dataset["entries"].append(found)
        return found

    def of_kind(self, kind: str) -> dict[str, Any]:
        """Write results on other labels than binary ones: two models and the k-mer baseline, see :data:`VALUES`."""
        names = {"class": ["j:EI", "j:IE", "j:N"], "position_class": ["s:donor", "s:acceptor"]}.get(kind, ["a", "b"])
        data = self.dataset(kind, ["a", "b"])
        for model, of, better in (("good", "model", 0.05), ("bad", "model", -0.05), ("kmer_logistic", "baseline", 0.0)):
            entry = self.entry(data, model, 0.9, kind=of, seed=None if of == "baseline" else 1)
            self._change(Path(entry["metrics"]), kind, VALUES[kind] + better, names)
            if not KIND_METRICS[kind].ranked:
                np.savez(
                    entry["curves"], targets=np.empty(0, "U1"), false_positive_rate=GRID, recall=GRID,
                    true_positive_rate=np.empty((0, 200)), precision=np.empty((0, 200)),
                    reliability=np.empty((0, 3, 15)),
                )  # fmt: skip
        return data

    def count_errors(self, entry: dict[str, Any], value: float) -> None:
        """Add the share of wrong calls to the metrics of an entry."""
        found = json.loads(Path(entry["metrics"]).read_text())
        for target in found["targets"]:
            target["error"] = score(value)
        found["summary"]["error"] = spread([value], 0.02)
        write_json(Path(entry["metrics"]), found)

    def _change(self, path: Path, kind: str, value: float, names: list[str]) -> None:
        found, metrics = json.loads(path.read_text()), KIND_METRICS[kind]
        about = {"prevalence": 0.3, "lift": 2.0, "positives": 7} if metrics.ranked else {}
        scores = {metric: score(value) for metric in metrics.columns}
        found["targets"] = [{"target": name, "bins": 20, **about, **scores} for name in names]
        found["summary"] = {metric: spread([value], 0.02) for metric in (*metrics.columns, *metrics.targets)}
        if metrics.ranked:
            found["summary"] |= {"prevalence": spread([0.3], 0), "lift": spread([2.0], 0)}
        if metrics.targets:
            found["whole_targets"] = [{"target": "j", "bins": 20, **{name: score(value) for name in metrics.targets}}]
        write_json(path, {**found, "kind": kind})

    def _history(self, path: Path, best: int | None, epochs: int) -> Path:
        scores = ["validation_auroc", "validation_auprc"]
        fields = ["epoch", "train_loss", "validation_loss", *scores, "learning_rate", "seconds"]
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(fields)
            for epoch in range(1, epochs + 1) if best is not None else ():
                loss = 0.12 + 0.2 * np.exp(-epoch / 3)
                validation = 0.15 + 0.012 * abs(epoch - best) ** 1.2
                writer.writerow(
                    [epoch, f"{loss:.4f}", f"{validation:.4f}", 0.9, f"{0.6 - validation:.4f}", 0.001, 3.25]
                )
        return path

    def _motifs(
        self, folder: Path, dataset: str, key: str, factors: Sequence[str], negative: Sequence[str]
    ) -> dict[str, Any]:
        files: dict[str, Any] = {}
        lines = []
        for group, kind in (("modisco", "positive"), ("filters", "filter")):
            found = []
            for number, factor in enumerate(factors):
                matrix, word, family = FACTORS[factor]
                flank = "NNN" if kind == "positive" else "N"
                matrix_found = pwm(flank + word[1:] + flank, 0.8 if kind == "positive" else 0.6)
                found.append((Motif(f"{kind}_{number}", kind, matrix_found, 400 - 50 * number), factor))
                q = 1e-7 * 10**number if kind == "positive" else 0.004
                lines.append([key + ("/filters" if kind == "filter" else ""), f"{kind}_{number}", kind, matrix, factor,
                              family, "", q / 100, q, len(word) - 1, 1, "+"])  # fmt: skip
            for number in range(3):
                unknown = self.random.dirichlet([0.3] * 4, 8).T
                found.append((Motif(f"{kind}_{len(factors) + number}", kind, unknown, 40 - number), ""))
                lines.append([key + ("/filters" if kind == "filter" else ""), f"{kind}_{len(factors) + number}", kind,
                              "MA0001.1", "AGL3", "MIKC", "", 0.01, 0.6, 5, 0, "-"])  # fmt: skip
            for number, factor in enumerate(negative if kind == "positive" else ()):
                matrix, word, family = FACTORS[factor]
                found.append((Motif(f"negative_{number}", "negative", pwm(word), 90), factor))
                lines.append([key, f"negative_{number}", "negative", matrix, factor, family, "", 1e-9, 1e-8,
                              len(word), 0, "+"])  # fmt: skip
            write_meme(folder / f"{group}.meme", [motif for motif, _ in found])
            write_table(
                folder / f"{group}.tsv",
                [motif_row(motif, target if kind == "positive" else "", motif.alternate) for motif, target in found],
            )
            files[group] = {"meme": str(folder / f"{group}.meme"), "table": str(folder / f"{group}.tsv")}
        with Path(self.manifest["matches"][dataset]).open("a") as file:
            for line in lines:
                file.write("\t".join(map(str, line)) + "\n")
        return files

    def explain(self, dataset: dict[str, Any], *entries: dict[str, Any], reverse: bool = False) -> None:
        """Write four bins of 200 bases, what they are labelled and predicted, and attributions to the first target.

        Of bin b the bases 95 to 104 of the window, counted from 0 as it is read, are TGACGTCACC and contribute 1 each;
        the others contribute nothing and are A. The bins 1, 2 and 3 are positive; their probabilities fall.
        """
        folder, names = self.folder / dataset["name"], list(dataset["prevalence"])
        start = 1000 * np.arange(4)
        strand = ["-" if reverse else "."] * 4
        frame = pd.DataFrame({"contig": "chrX", "start": start, "end": start + 200, "strand": strand, "split": "test"})
        write_holdout(folder / "windows.parquet", frame)
        labels = np.zeros((4, len(names)), np.int8)
        labels[1:, 0] = 1
        labels[1, 1:] = 1
        np.save(folder / "targets.npy", labels)
        dataset |= {"windows": str(folder / "windows.parquet"), "targets": str(folder / "targets.npy")}
        if dataset["simulation"]:
            site = ["chrX", 1095, 1105, "+", names[0], "site", 1, "MA0000.1", "TGACGTCACC", 0]
            pd.DataFrame([site], columns=list(SITE_COLUMNS)).to_csv(folder / "sites.tsv", sep="\t", index=False)
            dataset["sites"] = str(folder / "sites.tsv")
        codes = np.zeros((3, 200), np.uint8)
        codes[:, 95:105] = ["ACGT".index(base) for base in "TGACGTCACC"]
        hypothetical = np.zeros((3, 4, 200), np.float32)
        hypothetical[:, codes[0, 95:105], np.arange(95, 105)] = 1
        for entry in entries:
            place = Path(entry["metrics"]).parent
            rows = np.arange(4)
            scores = np.repeat([[0.1], [0.9], [0.5], [0.25]], len(names), axis=1)
            write_predictions(
                place / "predictions.parquet", prediction_table(rows, ["test"] * 4, scores, names), split_digest="0"
            )
            meta = {"method": "deep_lift_shap", "targets": [{"target": names[0], "column": 0}]}
            write_attributions(
                place / "attributions.npz", Attributions(rows[1:], np.zeros(3), codes, hypothetical, meta)
            )
            entry |= {name: str(place / f"{name}.{end}") for name, end in EXPLAINED.items()}

    def benchmark(self, step: str, seconds: float) -> None:
        path = self.folder / "benchmarks" / f"{step}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"s": seconds, "max_rss": 812.5 if seconds > 2 else "NA"}) + "\n")
        self.manifest["benchmarks"].append(str(path))


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


@pytest.fixture(scope="module")
def of_both_kinds(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A run on a simulated genome, and on a data set of 40 targets, T0 to T39, from 14 sources."""
    results = Results(tmp_path_factory.mktemp("both") / "results")
    simulate(results)
    many = results.dataset("yeast", [f"T{number}" for number in range(40)], unpinned=14)
    for model, score in (("deepbind_small", 0.85), ("danq_small", 0.7)):
        results.entry(many, model, score, motifs=["CTCF", "JUN"])
    return results


@pytest.fixture
def simulated(results: Results) -> Results:
    """A run on a simulated genome: three models, two controls, a baseline, the ceiling."""
    simulate(results)
    return results


def simulate(results: Results) -> None:
    data = results.dataset("simulated", list(FACTORS), planted=True)
    every = list(FACTORS)
    results.entry(data, "deepbind_small", 0.90, motifs=every[:4], truth=0.30, best=12)
    results.entry(data, "deepsea_small", 0.93, motifs=every, truth=0.41)
    results.entry(data, "danq_small", 0.935, motifs=every[1:], truth=0.38)
    results.entry(data, "kmer_logistic", 0.87, kind="baseline", seed=None)
    results.entry(data, "ceiling", 0.955, kind="ceiling", seed=None)
    results.entry(data, "deepsea_small", 0.51, kind="control", variant="untrained", motifs=[], truth=0.06, best=None)
    results.entry(data, "deepsea_small", 0.50, kind="control", variant="shuffled_labels", motifs=[], truth=0.05)
    results.explain(data, *(entry for entry in data["entries"] if entry["truth"]))
    for step, seconds in (("simulated/make_windows", 1.4), ("simulated/holdout/deepsea_small/seed1/train", 44.0)):
        results.benchmark(step, seconds)

"""Global importance of motifs for a model: insertion, pairs, ablation and maximising sequences, in one step."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from tangermeme.predict import predict

from lociflow.command import UserError, atomic, status, write_json
from lociflow.data.bins import bins_of_split, read_bins
from lociflow.data.targets import open_targets, read_target_names
from lociflow.data.views import View, sequence_view
from lociflow.evaluation.predict import check_alphabet
from lociflow.formats import stamp
from lociflow.genome.label_kinds import label_kind
from lociflow.genome.window_table import about_windows
from lociflow.interpretation.attribute import choose_targets, sample_windows
from lociflow.interpretation.checks.verdicts import failed, read_checks
from lociflow.interpretation.experiments.maximise import Maximised, aligned_pwm, maximise
from lociflow.interpretation.experiments.rows import (
    Positives,
    Subject,
    ablations,
    insertions,
    interactions,
    pairs_of,
)
from lociflow.interpretation.labelled_bins import (
    answers,
    count_bins,
    other_strand,
    outputs_asked,
    target_columns,
    unlabelled_bins,
)
from lociflow.interpretation.motifs.known_motifs import fitting, found_motifs, own_motifs, planted, words_of
from lociflow.interpretation.motifs.meme import Motif, consensus, read_meme, word, write_meme
from lociflow.interpretation.references import dinucleotide_shuffled
from lociflow.interpretation.scalars import scalar_model
from lociflow.interpretation.settings import read_settings
from lociflow.models.checkpoint import load_model
from lociflow.models.device import resolve_device
from lociflow.sequence.one_hot import one_hot
from lociflow.sequence.store import open_store

KIND = "importance"
# Draws of backgrounds are set apart from those of a target's windows by a column that no target has.
BACKGROUNDS = 1 << 32
COLUMNS = (
    "experiment", "motif", "second", "orientation", "gap", "target", "sequences", "effect", "effect_low", "effect_high",
    "null", "null_low", "null_high", "excess", "excess_low", "excess_high", "p", "q",
)  # fmt: skip


class ImportanceConfig(NamedTuple):
    """What the step is told: ``importance`` of ``config/interpretation``, with what it needs to know of the data set.

    ``config/README.md`` explains the keys of the nested groups.
    """

    backgrounds: Mapping[str, Any]
    """``kind`` and ``count``."""
    pairs: Mapping[str, Any]
    """``named``, ``motifs``, ``backgrounds``, ``gaps`` and ``step``."""
    ablation: Mapping[str, Any]
    """``windows``, ``p`` and ``shuffles``."""
    maximise: Mapping[str, Any]
    """``starts``, ``steps``, ``learning_rate``, ``penalty`` and ``width``."""
    intervals: Mapping[str, Any]
    """``draws`` and ``level``."""
    jaspar: Mapping[str, Any]
    """``release``, ``collection`` and ``tax_group``."""
    motifs: str | None = None
    """``known``, ``discovered``, a MEME file; None: what is known, and what was found for the other targets."""
    max_motifs: int = 8
    targets: int | str | Sequence[str] = 6
    sites: str = "pwm"
    simulation: Mapping[str, Any] | None = None
    """Of a simulated genome."""
    seed: int = 1
    threads: int = 1
    """Of torch."""


class Data(NamedTuple):
    """Test windows of a data set, as the experiments draw them."""

    view: View
    reverse: np.ndarray
    labels: np.ndarray
    test: np.ndarray
    """Test bins, ``int64``, ascending."""


def measure_importance(
    store: Path,
    windows: Path,
    targets: Path,
    target_table: Path,
    checkpoint: Path,
    discovered: Path,
    config: Mapping[str, Any],
    importance: Path,
    table: Path,
    meme: Path,
    fasta: Path,
    motif_file: Path | None = None,
    checks: Path | None = None,
    device: str = "cpu",
) -> None:
    """Ask a model about motifs.

    Parameters
    ----------
    store, windows, targets, target_table, checkpoint
        Files of the data set and of the model.
    discovered
        What TF-MoDISco has found for the model, MEME.
    config
        As :class:`ImportanceConfig`.
    importance
        JSON to write: ``motifs`` (asked about) and ``left_out``, ``targets`` (scalars), ``insertion``, ``pairs`` and
        ``ablation`` as :mod:`lociflow.interpretation.experiments.rows` gives their rows, ``rules``, ``maximised`` and
        ``settings``.
    table
        The rows of the three experiments, TSV.
    meme, fasta
        The aligned maximising sequences of each scalar as a motif, and the sequences.
    motif_file
        The user's motifs, where the configuration names a file.
    checks
        Of the explanation in which motifs were discovered; where it has failed one, none of them is asked about.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        The model is of another data set or no function of DNA alone, or a name is not known.
    """
    settings = read_settings(ImportanceConfig, "importance", config)
    torch.set_num_threads(settings.threads)
    loaded = load_model(checkpoint)
    genome = open_store(store)
    check_alphabet(loaded, genome, checkpoint)
    model, names = scalar_model(loaded)
    place = resolve_device(device)
    model = model.to(place)
    every = read_target_names(target_table)
    target_columns(loaded.outputs, every, checkpoint, target_table)
    bins = read_bins(windows, genome, loaded.config["dataset"]["split"])
    about = about_windows(windows)["labels"]
    labels = open_targets(targets, len(bins), len(every), label_kind(about["kind"]))
    length = int(loaded.config["model"]["input_length"])
    data = Data(sequence_view(genome, bins, length), bins.reverse, labels, bins_of_split(bins, "test"))
    other = other_strand(bins.reverse, about["reverse"])
    asked = outputs_asked(settings.targets, names, loaded.outputs)
    columns = choose_targets(asked, names, count_bins(labels, data.test, loaded.outputs, every, other))
    subject = Subject(
        model, tuple(names[column] for column in columns), columns, place, settings.seed,
        int(settings.intervals["draws"]), float(settings.intervals["level"]),
    )  # fmt: skip
    chosen = chosen_motifs(settings, loaded.outputs.targets, discovered, motif_file)
    wrong = failed(read_checks(checks)) if checks and motif_file is None else []
    claimed = {motif.name for motif in read_meme(discovered)} if wrong else set()
    motifs, left_out = fitting([motif for motif in chosen if motif.name not in claimed], length, settings.max_motifs)
    reason = f"the explanation behind it failed {', '.join(wrong)}"
    left_out += [{"motif": motif.name, "reason": reason} for motif in chosen if motif.name in claimed]
    if claimed:
        status(f"motifs of TF-MoDISco are left out: the explanation behind them failed {', '.join(wrong)}")
    if not motifs:
        status("no motif to ask about: neither known for a target nor found by TF-MoDISco")
    backgrounds = draw_backgrounds(data, settings, loaded.outputs.kind)
    start = time.monotonic()
    inserted = insertions(subject, motifs, backgrounds, settings.sites)
    start = _told("insertion", len(motifs), "motif", start)
    try:
        pairs = pairs_of(motifs, settings.pairs["named"], settings.pairs["motifs"])
    except ValueError as error:
        raise UserError(f"importance.pairs.named: {error}; correct the interpretation") from None
    (least, most), step = settings.pairs["gaps"], settings.pairs["step"]
    paired, rules = interactions(
        subject, motifs, pairs, backgrounds[: settings.pairs["backgrounds"]], range(least, most + 1, step),
        settings.sites, (settings.simulation or {}).get("pair"),
    )  # fmt: skip
    start = _told("pairs", len(pairs), "pair", start)
    labelled = [data.test[answers(labels, data.test, loaded.outputs, every, column, other).yes] for column in columns]
    positives = [
        positive_windows(data, rows, settings.ablation["windows"], settings.seed, column)
        for rows, column in zip(labelled, columns, strict=True)
    ]
    ablated = ablations(subject, motifs, positives, settings.ablation["p"], settings.ablation["shuffles"])
    start = _told("ablation", len(columns), "target", start)
    maximised, found = maximised_sequences(subject, positives, length, settings.maximise)
    _told("maximisation", len(columns), "target", start)
    for rule in rules:
        status(f"{rule['motif']} and {rule['second']}: planted spacing {rule['verdict']}")
    write_json(
        importance,
        {
            **stamp(KIND),
            "model": loaded.config["model"].get("name"),
            "backgrounds": settings.backgrounds["kind"],
            "level": subject.level,
            "targets": list(subject.names),
            "motifs": [described(motif) for motif in motifs],
            "left_out": left_out,
            "insertion": inserted,
            "pairs": paired,
            "rules": rules,
            "rule": (settings.simulation or {}).get("pair"),
            "ablation": ablated,
            "maximised": maximised,
            "settings": dict(config),
        },
    )
    experiments = {"insertion": inserted, "pair": paired, "ablation": ablated}
    rows = [{"experiment": name, **row} for name, found_rows in experiments.items() for row in found_rows]
    with atomic(table) as temporary:
        pd.DataFrame(rows, columns=list(COLUMNS)).astype({"gap": "Int64"}).to_csv(
            temporary, sep="\t", index=False, float_format="%.6g"
        )
    write_meme(meme, [motif for motif, _ in found])
    with atomic(fasta) as temporary:
        temporary.write_text("".join(text for _, text in found), encoding="utf-8")


def chosen_motifs(
    settings: ImportanceConfig, targets: Sequence[str], discovered: Path, motif_file: Path | None
) -> list[Motif]:
    """Return the motifs that the configuration asks for, most wanted first."""
    if motif_file is not None:
        return read_meme(motif_file)
    if settings.motifs == "discovered":
        return found_motifs(read_meme(discovered))
    jaspar = (settings.jaspar["release"], settings.jaspar["collection"], settings.jaspar["tax_group"])
    known = planted(settings.simulation) if settings.simulation else own_motifs(targets, *jaspar)
    if settings.motifs == "known":
        return known
    named = {motif.name.casefold() for motif in known}
    with_own = [target for target in targets if named & set(words_of(target))]
    return [*known, *found_motifs(read_meme(discovered), with_own)]


def draw_backgrounds(data: Data, settings: ImportanceConfig, kind: str) -> torch.Tensor:
    """Draw the sequences that motifs are put into, one-hot, shape ``(n, 4, length)``.

    Raises
    ------
    UserError
        There is no test window to make them from.
    """
    wanted = settings.backgrounds["kind"]
    rows = data.test if wanted == "shuffled" else unlabelled_bins(data.labels, data.test, kind)
    index, codes, _ = sample_windows(
        data.view, data.reverse, rows, settings.backgrounds["count"], settings.seed, BACKGROUNDS
    )
    if not len(index):
        raise UserError(
            f"importance.backgrounds: found no test window for {wanted} backgrounds, expected some that hold only A, "
            "C, G and T; choose the other kind"
        )
    windows = torch.from_numpy(one_hot(codes))
    return dinucleotide_shuffled(windows, index, settings.seed, 1)[:, 0] if wanted == "shuffled" else windows


def positive_windows(data: Data, rows: np.ndarray, count: int, seed: int, column: int) -> Positives:
    """Draw windows of a scalar that have its label."""
    index, codes, _ = sample_windows(data.view, data.reverse, rows, count, seed, column)
    return Positives(torch.from_numpy(one_hot(codes)), index)


def maximised_sequences(
    subject: Subject, positives: Sequence[Positives], length: int, settings: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[tuple[Motif, str]]]:
    """Search what maximises each scalar.

    Returns
    -------
    facts : list of dict
        For each scalar ``target``, ``scores`` of the found sequences, ``begun`` (of the random sequences that they
        began as), ``positives`` (median of the scalar in test windows with the label), ``consensus`` and ``pwm``
        (rows A, C, G, T) of the aligned stretch, and ``reason`` where there is none.
    found : list
        Motif and FASTA text of each that was found.
    """
    facts, found = [], []
    width = min(int(settings["width"]), length)
    search = {key: settings[key] for key in ("starts", "steps", "learning_rate", "penalty")}
    for column, target, of_target in zip(subject.columns, subject.names, positives, strict=True):
        real = None
        if len(of_target.bins):
            seen = predict(subject.model, of_target.windows, batch_size=256, device=subject.device)[:, column]
            real = float(np.median(seen.numpy()))
        made = maximise(subject.model, column, length, seed=subject.seed, device=subject.device, **search)
        if made is None:
            reason = "no gradient reaches the sequence: the model looks its letters up"
            facts.append({"target": target, "positives": real, "reason": reason})
            continue
        pwm, places = aligned_pwm(subject.model, made, column, width, subject.seed)
        facts.append(
            {
                "target": target,
                "positives": real,
                "reason": None,
                "scores": made.scores.tolist(),
                "begun": made.begun.tolist(),
                "consensus": consensus(pwm),
                "pwm": pwm.tolist(),
            }
        )
        text = fasta_text(word(target), made, places, width)
        found.append((Motif(word(target), "maximised", pwm, len(made.codes)), text))
    return facts, found


def fasta_text(name: str, found: Maximised, places: Sequence[tuple[int, str]], width: int) -> str:
    """Write maximising sequences, each with its scalar, that of its start, and the aligned stretch, counted from 1."""
    return "".join(
        f">{name}|{number} score={score:.4f} start={begun:.4f} stretch={first + 1}-{first + width}{strand}\n"
        f"{''.join('ACGT'[code] for code in codes)}\n"
        for number, (codes, score, begun, (first, strand)) in enumerate(
            zip(found.codes, found.scores, found.begun, places, strict=True), 1
        )
    )


def described(motif: Motif) -> dict[str, Any]:
    """Say what a motif is."""
    return {
        "name": motif.name,
        "alternate": motif.alternate,
        "width": motif.pwm.shape[1],
        "sites": motif.sites,
        "consensus": consensus(motif.pwm),
    }


def _told(experiment: str, count: int, what: str, start: float) -> float:
    now = time.monotonic()
    status(f"{experiment}: {count} {what}{'' if count == 1 else 's'} in {now - start:.1f} s")
    return now

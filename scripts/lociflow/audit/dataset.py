"""The audit of one data set: every check on every split, one JSON, one page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.audit.balance import check_balance
from lociflow.audit.conflicts import check_conflicts
from lociflow.audit.coordinates import check_coordinates
from lociflow.audit.duplicates import check_duplicates
from lociflow.audit.features import chosen_rows, features
from lociflow.audit.groups import check_groups
from lociflow.audit.near_duplicates import check_near_duplicates
from lociflow.audit.overlap import check_overlap
from lociflow.audit.page import render
from lociflow.audit.shortcuts import check_shortcuts
from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import CHECKS, FAIL, KIND, PASS, VERDICTS, WARN, Check, on_failure, settings, worst
from lociflow.command import atomic, status, write_json
from lociflow.formats import stamp
from lociflow.genome.contig_names import read_aliases
from lociflow.genome.leaks import find_leaks
from lociflow.genome.similarity_table import write_similarity
from lociflow.genome.split_data import as_split

# Folds of one scheme that are all audited; of more, the first stands for all.
MOST_FOLDS = 10


class Examination(NamedTuple):
    """What an audit has found."""

    result: dict[str, Any]
    """As the JSON has it."""
    similarity: dict[str, pd.DataFrame]
    """For each split the nearest training bin of each held-out bin, as :class:`lociflow.genome.leaks.Leaks` has it."""


def audit_dataset(
    store: Path,
    windows: Path,
    targets: Path,
    target_table: Path,
    counts: Path | None,
    config: Mapping[str, Any],
    variants: Sequence[Path] | None,
    audit: Path,
    page: Path,
    similarity: Path,
) -> None:
    """Look for leaks, shortcuts and wrong coordinates in a data set; a failed check is written down and stops nothing.

    Parameters
    ----------
    store
        ``store.json`` of the genome or the sequence table.
    windows, targets, target_table
        Bins, labels and names of the targets.
    counts
        What was counted while the windows were made (``windows.json``); None where it is not at hand.
    config
        The data set: ``name``, ``description``, ``windows``, ``audit`` (thresholds, see
        :data:`lociflow.audit.verdicts.DEFAULTS`), ``folds`` (name of a scheme to its splits), ``contig_aliases``,
        ``sequences``, ``evaluation`` are looked at.
    variants
        VCF or BCF files whose reference bases are held against the genome; also FASTA files (told by their suffix)
        whose headers say from where each sequence comes, ``contig:start-end``.
    audit
        JSON to write: ``checks`` has an entry a check and split, ``verdict`` is the worst of all, ``by_split`` the
        worst of what concerns each split, ``searches`` what the search for similar sequences counted in each,
        ``stands_for`` which folds of one scheme a split was audited for besides itself (:func:`representatives`).
    page
        HTML to write.
    similarity
        Parquet to write, a row a validation or test bin and split: ``row`` (the bin), ``split`` (the split's name),
        ``side``, ``identity``, ``coverage`` (0 where nothing alike was found), ``reference`` (the training bin; -1),
        ``reverse``.

    Raises
    ------
    UserError
        A file is bad or does not belong to the others, or ``audit`` has an unknown key.
    """
    settings(config.get("audit"))
    found = examine(
        Subject(store, windows, targets, target_table, config),
        None if counts is None else json.loads(counts.read_text(encoding="utf-8")),
        variants or [],
    )
    write_similarity(similarity, found.similarity)
    with atomic(page) as temporary:
        temporary.write_text(render(found.result), encoding="utf-8")
    write_json(audit, found.result)
    _tell(found.result)


def examine(subject: Subject, counts: Mapping[str, Any] | None = None, variants: Sequence[Path] = ()) -> Examination:
    """Run every check on every split of a data set.

    Parameters
    ----------
    subject
        The data set.
    counts
        ``windows.json``; None where it is not at hand.
    variants
        As for :func:`audit_dataset`.
    """
    config = subject.config
    limits = settings(config.get("audit"))
    seed = int(limits["sample"]["seed"])
    rows = chosen_rows(subject, int(limits["sample"]["windows"]), seed)
    measured = features(subject, rows)
    checks: list[Check] = []
    tables: dict[str, pd.DataFrame] = {}
    searches: dict[str, dict[str, Any]] = {}
    near = limits["near_duplicates"]
    stands_for = representatives(subject.splits, config.get("folds") or {})
    others = {fold for folds in stands_for.values() for fold in folds}
    audited = [name for name in subject.splits if name not in others]
    for name in audited:
        split = subject.split(name)
        status(f"audit: split {name}")
        looked, queries, told = thinned(split, int(limits["sample"]["held_out"]), seed)
        if name in stands_for:
            told += f" Only this one of {len(stands_for[name]) + 1} folds that one rule makes was looked at."
        leaks = find_leaks(subject.data, split, identity=near["identity"], coverage=near["coverage"], queries=queries)
        tables[name] = leaks.similarity
        searches[name] = {"windows": leaks.searched, **leaks.counts}
        checks += [
            replace(check, says=check.says + told)
            for check in (
                check_duplicates(subject, name, looked, leaks, limits["duplicates"]),
                check_overlap(subject, name, looked, leaks, limits["overlap"]),
                check_near_duplicates(subject, name, looked, leaks, near),
                check_conflicts(subject, name, looked, leaks, limits["conflicts"]),
            )
        ]
        checks += [
            check_shortcuts(subject, name, split, measured, limits["shortcuts"], seed),
            check_balance(subject, name, split, measured, limits["balance"], seed),
            check_groups(subject, name, split, limits["groups"]),
        ]
    aliases = read_aliases(config.get("contig_aliases"))
    checks.append(check_coordinates(subject, counts, variants, aliases, limits["coordinates"]))
    order = list(CHECKS)
    checks.sort(key=lambda check: (order.index(check.check), audited.index(check.split) if check.split else -1))
    result = {
        **stamp(KIND),
        "dataset": str(config.get("name") or subject.store.name),
        "description": str(config.get("description") or ""),
        "genome": subject.store.name,
        "alphabet": subject.alphabet,
        "windows_digest": subject.about.get("windows_digest"),
        "split_digests": subject.about.get("split_digests"),
        "windows": len(subject.windows),
        "targets": len(subject.names),
        "kind": subject.kind.name,
        "length": subject.length,
        "looked_at": len(rows),
        "seed": seed,
        "splits": audited,
        "stands_for": stands_for,
        "searches": searches,
        "on_failure": on_failure(config.get("audit")),
        "thresholds": limits,
        "verdict": worst([check.verdict for check in checks]),
        "by_split": {name: verdict_of(checks, name) for name in audited},
        "says": headline(checks),
        "says_by_split": {
            name: headline([check for check in checks if check.split in (None, name)]) for name in audited
        },
        "checks": [check.as_json() for check in checks],
    }
    return Examination(result, tables)


def representatives(splits: Sequence[str], schemes: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Choose the folds that are audited for others of their scheme: the first of each that has many.

    Parameters
    ----------
    splits
        Of the data set.
    schemes
        Name of a scheme to the splits that are its folds.

    Returns
    -------
    dict
        The first fold of every scheme with more than :data:`MOST_FOLDS`, to the others.
    """
    known = {name: [fold for fold in folds if fold in splits] for name, folds in schemes.items()}
    return {folds[0]: folds[1:] for folds in known.values() if len(folds) > MOST_FOLDS}


def thinned(split: pd.Categorical, most: int, seed: int) -> tuple[pd.Categorical, np.ndarray | None, str]:
    """Choose at random which held-out bins are looked up where there are more than ``most``, and say so.

    What they are held against stays whole: a validation bin is looked up among all test bins, and every bin among all
    training bins.

    Parameters
    ----------
    split
        The side of each bin.
    most
        Bins of validation and test that are looked for among the training bins.
    seed
        Of the draw.

    Returns
    -------
    tuple
        The split with the training bins and those that are looked up, the rows of the latter (``int64``, ascending;
        None: all), and a sentence, empty where all are.
    """
    codes = np.array(split.codes)
    held_out = np.flatnonzero(codes > 0)
    if len(held_out) <= most:
        return split, None, ""
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, 2], np.uint64)))
    codes[generator.choice(held_out, len(held_out) - most, replace=False)] = -1
    queries = np.flatnonzero(codes > 0)
    return (
        as_split(codes),
        queries,
        f" Looked at {most:,} of {len(held_out):,} held-out windows, drawn with seed {seed}.",
    )


def verdict_of(checks: Sequence[Check], split: str) -> str:
    """Return the worst verdict of what concerns one split: its own checks and those of the data set."""
    return worst([check.verdict for check in checks if check.split in (None, split)])


def headline(checks: Sequence[Check]) -> str:
    """Say in one sentence what an audit has found."""
    failed, warned = (_titles(checks, verdict) for verdict in (FAIL, WARN))
    if failed:
        return f"Scores on this data set would mislead: {failed}." + (f" Worth a look: {warned}." if warned else "")
    if warned:
        return f"Nothing stops a training. Worth a look before you trust a score: {warned}."
    return "No leak, no shortcut and no wrong coordinate was found."


def _titles(checks: Sequence[Check], verdict: str) -> str:
    several = len({check.split for check in checks if check.split}) > 1
    named: dict[str, list[str]] = {}
    for check in checks:
        if check.verdict == verdict:
            named.setdefault(check.check, []).extend([check.split] if check.split else [])
    return ", ".join(
        CHECKS[key].title.lower() + (f" ({', '.join(splits)})" if several and splits else "")
        for key, splits in named.items()
    )


def _tell(result: Mapping[str, Any]) -> None:
    for check in result["checks"]:
        if check["verdict"] != PASS:
            where = f" (split {check['split']})" if check["split"] and len(result["splits"]) > 1 else ""
            status(f"audit: {check['verdict']}: {CHECKS[check['check']].title}{where}: {check['says']}")
    number = {verdict: sum(check["verdict"] == verdict for check in result["checks"]) for verdict in VERDICTS}
    status(f"audit: {', '.join(f'{count} {verdict}' for verdict, count in number.items())}")

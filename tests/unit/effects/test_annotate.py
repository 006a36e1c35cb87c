"""The whole step with a checkpoint: what is written, and what it says."""

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pysam
import pytest
import torch
from store_files import make_store
from toy_predictors import write_vcf
from window_files import write_holdout

from lociflow.command import UserError
from lociflow.effects.annotate import score_variants
from lociflow.effects.background import read_background, score_background
from lociflow.models.checkpoint import build_model, save_checkpoint
from lociflow.models.outputs import Outputs

LENGTH = 12
OUTPUTS = Outputs("binary", ("Reb1", "TATA box,1"))
MODEL: dict[str, Any] = {
    "name": "toy",
    "input_length": LENGTH,
    "views": ["sequence"],
    "strand_specific": False,
    "architecture": {"_target_": "lociflow.models.perceptron.Perceptron", "hidden": [], "dropout": 0.0},
}
TRAINING = {"reverse_complement": {"averaging": False}, "torch_threads": 1, "evaluation_batch_size": 16}
LETTERS = "".join(np.random.default_rng(1).choice(list("ACGT"), 400))
CONTIGS = "##contig=<ID=chrI,length=400>\n##contig=<ID=chrII,length=8>"
WRITTEN = ("vcf", "vcf_index", "table", "table_index", "counts")


class Place(NamedTuple):
    folder: Path
    weights: np.ndarray
    """Shape ``(columns, 4, length)``."""
    checkpoints: list[Path]

    def score(self, variants: Path, name: str = "scored", **config: Any) -> dict[str, Path]:
        suffixes = (".vcf.gz", ".vcf.gz.csi", ".tsv.gz", ".tsv.gz.csi", ".json")
        found = {what: self.folder / f"{name}{suffix}" for what, suffix in zip(WRITTEN, suffixes, strict=True)}
        store = self.folder / "store/store.json"
        score_variants(variants, store, self.checkpoints, self.folder / "background.npz", config, **found)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Two seeds of a linear model on a genome of two contigs, the second with three times the first one's weights."""
    folder = tmp_path_factory.mktemp("effects")
    make_store(folder / "store", {"chrI": LETTERS, "chrII": "ACGTNACG", "chrIII": "N" * 200})
    start = np.arange(0, 400, 40)
    write_holdout(
        folder / "windows.parquet",
        pd.DataFrame({"contig": "chrI", "start": start, "end": start + 40, "split": "train"}),
    )
    weights = np.random.default_rng(2).normal(size=(2, 4, LENGTH)).astype(np.float32)
    checkpoints = []
    for seed in (1, 3):
        model = build_model(MODEL, OUTPUTS)
        state = {name: torch.zeros_like(tensor) for name, tensor in model.state_dict().items()}
        (name,) = [name for name in state if name.endswith("weight")]
        state[name] = torch.from_numpy(seed * weights).flatten(1)
        config = {"dataset": {"name": "toy", "split": "holdout"}, "model": MODEL, "training": TRAINING, "seed": seed}
        checkpoints.append(folder / f"{seed}.ckpt")
        save_checkpoint(checkpoints[-1], state, config, OUTPUTS, {})
    score_background(
        folder / "store/store.json", folder / "windows.parquet", checkpoints, {"snvs": 40}, folder / "background.npz"
    )
    return Place(folder, weights, checkpoints)


def ratio(place: Place, before: str, after: str) -> np.ndarray:
    """Return the mean log-odds ratio of two windows, by column: twice the weights' difference over two seeds."""
    codes = ["ACGT".index(letter) for letter in before], ["ACGT".index(letter) for letter in after]
    said = [place.weights[:, code, np.arange(LENGTH)].sum(axis=1) for code in codes]
    return 2 * (said[1] - said[0])


def change(position: int) -> str:
    """Return another base than the genome has at a position (0-based)."""
    return "CGTA"["ACGT".index(LETTERS[position])]


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", na_values=".", keep_default_na=False)


def test_a_substitution_an_insertion_and_a_deletion_by_hand(place: Place, tmp_path: Path) -> None:
    at, base = 100, LETTERS[100]
    records = [
        f"chrI 101 {base} {change(100)},{base}GG",
        f"chrI 101 {LETTERS[100:103]} {base}",
    ]
    found = place.score(write_vcf(tmp_path / "calls.vcf", records, CONTIGS))
    left, right = LETTERS[at - 6 : at], LETTERS[at + 1 :]
    window = (left + base + right)[:LENGTH]
    windows = [left + change(100) + right, left + base + "GG" + right, left + base + LETTERS[at + 3 :]]
    rows = table(found["table"])
    assert list(rows.columns) == [
        "#contig", "position", "id", "ref", "alt", "target", "reference", "alternative", "difference",
        "log_odds_ratio", "sd", "percentile",
    ]  # fmt: skip
    assert rows["target"].tolist() == list(OUTPUTS.targets) * 3
    expected = np.concatenate([ratio(place, window, changed[:LENGTH]) for changed in windows])
    np.testing.assert_allclose(rows["log_odds_ratio"], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(rows["difference"], rows["alternative"] - rows["reference"], atol=2e-6)
    assert (rows["sd"] > 0).all()
    background = read_background(place.folder / "background.npz").effects
    for row in rows.itertuples():
        column = OUTPUTS.targets.index(str(row.target))
        assert row.percentile == pytest.approx((background[:, column] < abs(row.difference)).mean() * 100)


def test_everything_that_was_in_the_file_is_kept(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "calls.vcf"
    lines = [
        "##fileformat=VCFv4.2",
        '##INFO=<ID=AF,Number=A,Type=Float,Description="f">',
        '##FILTER=<ID=low,Description="l">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">',
        *CONTIGS.splitlines(),
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2",
        f"chrI\t101\trs1\t{LETTERS[100]}\t{change(100)},*\t12.50\tlow\tAF=0.50,0.10;X\tGT\t0/1\t1|2",
        f"chrI\t120\t.\t{LETTERS[119]}\t<DEL>\t.\tPASS\t.\tGT\t./.\t0/0",
        "chrM\t120\t.\tA\tC\t.\tPASS\t.\tGT\t./.\t0/0",
    ]
    path.write_text("\n".join(lines) + "\n")
    found = place.score(path)
    written = gzip.decompress(found["vcf"].read_bytes()).decode().splitlines()
    assert [line for line in written if not line.startswith("##INFO=<ID=LF")][: len(lines) - 3] == lines[:-3]
    for old, new in zip(lines[-3:], written[-3:], strict=True):
        fields = new.split("\t")
        kept = [item for item in fields[7].split(";") if not item.startswith("LF")]
        assert "\t".join([*fields[:7], ";".join(kept) or ".", *fields[8:]]) == old
    with pysam.VariantFile(str(found["vcf"])) as handle:
        first, second, third = list(handle)
        declared = handle.header.info["LF"].description
        assert (handle.header.info["LF_EFFECT"].number, handle.header.info["LF_EFFECT"].type) == ("A", "Float")
    names = declared.partition("Format: ")[2].split("|")
    assert names[:2] == ["allele", "target"]
    items = [dict(zip(names, item.split("|"), strict=True)) for item in first.info["LF"]]
    assert [(item["allele"], item["target"]) for item in items] == [
        (change(100), "Reb1"),
        (change(100), "TATA%20box%2C1"),
    ]
    rows = table(found["table"])
    assert [float(item["log_odds_ratio"]) for item in items] == rows["log_odds_ratio"].tolist()
    top = int(rows["difference"].abs().argmax())
    assert first.info["LF_EFFECT"] == (pytest.approx(rows["difference"][top]), None)
    assert first.info["LF_TARGET"] == (items[top]["target"], ".")
    assert first.info["LF_PERCENTILE"][0] == pytest.approx(rows["percentile"][top])
    assert first.info["LF_SKIPPED"] == (".", "overlapping_deletion")
    assert (first.samples["S2"]["GT"], first.samples["S2"].phased) == ((1, 2), True)
    assert second.info["LF_SKIPPED"] == ("symbolic",)
    assert "LF" not in second.info
    assert third.info["LF_SKIPPED"] == ("other_contig",)
    counts = json.loads(found["counts"].read_text())
    assert {key: counts[key] for key in ("records", "alleles", "scored", "mismatches")} == {
        "records": 3, "alleles": 4, "scored": 1, "mismatches": 0,
    }  # fmt: skip
    assert counts["skipped"] == {"other_contig": 1, "overlapping_deletion": 1, "symbolic": 1}
    assert (counts["format"], counts["statistic"], counts["background"]) == ("variant effects", "difference", 40)
    (largest,) = counts["largest"]
    assert [largest[key] for key in ("contig", "position", "id", "alt")] == ["chrI", 101, "rs1", change(100)]
    assert [largest[key] for key in ("target", "effect", "percentile")] == [
        rows["target"][top],
        rows["difference"][top],
        rows["percentile"][top],
    ]


def test_both_outputs_can_be_queried_by_place(place: Place, tmp_path: Path) -> None:
    records = [f"chrI {at + 1} {LETTERS[at]} {change(at)}" for at in range(0, 400, 10)] + ["chrII 2 C A"]
    found = place.score(write_vcf(tmp_path / "calls.vcf", records, CONTIGS))
    with pysam.TabixFile(str(found["table"]), index=str(found["table_index"])) as handle:
        assert [row.split("\t")[1] for row in handle.fetch("chrI", 100, 131)] == [
            "101",
            "101",
            *["111"] * 2,
            *["121"] * 2,
            *["131"] * 2,
        ]
        assert len(list(handle.fetch("chrII"))) == 2
    with pysam.VariantFile(str(found["vcf"])) as handle:
        assert [record.pos for record in handle.fetch("chrI", 100, 131)] == [101, 111, 121, 131]


def test_the_format_the_chunks_and_a_second_run_change_nothing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [f"chrI {at + 1} {LETTERS[at]} {change(at)},{LETTERS[at]}A" for at in range(0, 400, 7)]
    path = write_vcf(tmp_path / "calls.vcf", records, CONTIGS)
    plain = place.score(path, "plain")
    again = place.score(path, "again")
    for what in WRITTEN:
        assert plain[what].read_bytes() == again[what].read_bytes(), what
    pysam.tabix_compress(str(path), str(tmp_path / "calls.bgz"))
    binary = tmp_path / "calls.bcf"
    with pysam.VariantFile(str(path)) as read, pysam.VariantFile(str(binary), "wb", header=read.header) as written:
        for record in read:
            written.write(record)
    monkeypatch.setattr("lociflow.effects.statistics.CHUNK", 16)
    for other in (tmp_path / "calls.bgz", binary):
        found = place.score(other, other.suffix[1:])
        assert gzip.decompress(found["table"].read_bytes()) == gzip.decompress(plain["table"].read_bytes())


def test_contigs_by_their_other_names(place: Place, tmp_path: Path) -> None:
    records = [f"1 101 {LETTERS[100]} {change(100)}", "chrM 1 A C"]
    aliases = {"1": "chrI", "chrM": None}
    found = place.score(write_vcf(tmp_path / "calls.vcf", records), contig_aliases=aliases)
    rows = table(found["table"])
    assert rows["#contig"].astype(str).unique().tolist() == ["1"]
    own = place.score(write_vcf(tmp_path / "own.vcf", [f"chrI 101 {LETTERS[100]} {change(100)}"]), "own")
    assert rows["difference"].tolist() == table(own["table"])["difference"].tolist()
    assert json.loads(found["counts"].read_text())["skipped"] == {"excluded_contig": 1}
    with pytest.raises(UserError, match=r"contig_aliases: \{1: chrI\}"):
        place.score(write_vcf(tmp_path / "calls.vcf", records[:1]), "refused")


def test_contigs_that_are_probably_the_genomes_are_told(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    records = [f"chrI 101 {LETTERS[100]} {change(100)}", "2 1 A C"]
    with caplog.at_level("INFO", logger="lociflow"):
        place.score(write_vcf(tmp_path / "calls.vcf", records))
    assert "records on contigs that the genome does not have: 1 on 2; expected names such as chrI" in caplog.text
    assert "contig_aliases: {2: chrII}" in caplog.text


def test_another_assembly_is_refused_before_anything_is_written(place: Place, tmp_path: Path) -> None:
    records = [f"chrI {at + 1} {change(at)} {LETTERS[at]}" for at in range(0, 400, 10)]
    with pytest.raises(UserError, match=r"40 of 40 records disagree with toy; is it another assembly\?") as error:
        place.score(write_vcf(tmp_path / "calls.vcf", records, CONTIGS), "refused")
    assert f"The first is line 5, at chrI:1: REF {change(0)}, genome {LETTERS[0]}" in str(error.value)
    assert "lift them over" in str(error.value)
    assert not list(place.folder.glob("refused*"))
    # The genome's bases one place further left than they are.
    moved = [f"chrI {at} {LETTERS[at]} {change(at)}" for at in range(10, 400, 3)]
    with pytest.raises(UserError, match=r"off by one.*as VCF counts them, from 1"):
        place.score(write_vcf(tmp_path / "calls.vcf", moved, CONTIGS), "refused")


def test_one_wrong_reference_is_flagged_or_skipped(place: Place, tmp_path: Path) -> None:
    records = [f"chrI {at + 1} {LETTERS[at]} {change(at)}" for at in range(0, 100, 10)]
    wrong = [letter for letter in "ACGT" if letter not in (LETTERS[105], change(105))]
    records.append(f"chrI 106 {wrong[0]} {change(105)}")
    path = write_vcf(tmp_path / "calls.vcf", records, CONTIGS)
    flagged, skipped = place.score(path, "flag"), place.score(path, "skip", reference_mismatch="skip")
    for found, scored in ((flagged, 11), (skipped, 10)):
        counts = json.loads(found["counts"].read_text())
        assert (counts["mismatches"], counts["scored"]) == (1, scored)
        with pysam.VariantFile(str(found["vcf"])) as handle:
            records_found = list(handle)
        assert ["LF_MISMATCH" in record.info for record in records_found] == [False] * 10 + [True]
    assert records_found[-1].info["LF_SKIPPED"] == ("reference_mismatch",)
    # What is scored is the change from the record's own REF.
    last = table(flagged["table"])[-2:]
    left, right = LETTERS[99:105], LETTERS[106:111]
    expected = ratio(place, left + wrong[0] + right, left + change(105) + right)
    np.testing.assert_allclose(last["log_odds_ratio"], expected, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_scored_is_counted(place: Place, tmp_path: Path) -> None:
    records = [
        f"chrI 101 {LETTERS[100]} {LETTERS[100] * 13}",
        f"chrI 102 {LETTERS[101]} N",
        f"chrI 103 {LETTERS[102]} .",
        "chrI 400 AAA A",
        "chrII 5 A C",
        # Of twelve bases in the window five are known; of that of an insertion as many as are inserted.
        "chrIII 100 A C,AACGTAA",
    ]
    path = write_vcf(tmp_path / "calls.vcf", records, CONTIGS)
    found = place.score(path)
    counts = json.loads(found["counts"].read_text())
    assert counts["skipped"] == {
        "ambiguous": 1, "no_alternative": 1, "outside": 1, "too_long": 1, "unknown_sequence": 2,
    }  # fmt: skip
    with pysam.VariantFile(str(found["vcf"])) as handle:
        *_, last = handle
    assert last.info["LF_SKIPPED"] == ("unknown_sequence", "unknown_sequence")
    # Where the genome has N nothing disagrees.
    assert (counts["scored"], counts["mismatches"]) == (1, 0)


def test_an_id_that_is_no_utf8_is_kept_in_the_files_and_replaced_in_the_counts(place: Place, tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "calls.vcf", [f"chrI 101 {LETTERS[100]} {change(100)}"], CONTIGS)
    path.write_bytes(path.read_bytes().replace(b"101\t.", b"101\tcaf\xe9"))
    found = place.score(path)
    (largest,) = json.loads(found["counts"].read_text("utf-8"))["largest"]
    assert largest["id"] == "caf\N{REPLACEMENT CHARACTER}"
    for what in ("vcf", "table"):
        assert b"\t101\tcaf\xe9\t" in gzip.decompress(found[what].read_bytes())


def test_a_file_without_records(place: Place, tmp_path: Path) -> None:
    found = place.score(write_vcf(tmp_path / "calls.vcf", [], CONTIGS))
    with pysam.VariantFile(str(found["vcf"])) as handle:
        assert list(handle) == []
    assert len(table(found["table"])) == 0


def test_effects_are_not_added_twice(place: Place, tmp_path: Path) -> None:
    found = place.score(write_vcf(tmp_path / "calls.vcf", [f"chrI 101 {LETTERS[100]} {change(100)}"], CONTIGS))
    with pytest.raises(UserError, match="holds effects of lociflow already"):
        place.score(found["vcf"], "twice")


def test_fields_of_another_program_are_refused_before_anything_is_written(place: Place, tmp_path: Path) -> None:
    declared = f'{CONTIGS}\n##INFO=<ID=LF,Number=1,Type=Float,Description="Loss of function">'
    path = write_vcf(tmp_path / "calls.vcf", [f"chrI 101 {LETTERS[100]} {change(100)}"], declared)
    with pytest.raises(UserError, match="the header declares an INFO field LF of another program") as error:
        place.score(path, "others")
    assert "lociflow" not in str(error.value).partition(": ")[2]
    undeclared = write_vcf(tmp_path / "calls.vcf", [f"chrI 101 {LETTERS[100]} {change(100)}"], CONTIGS)
    undeclared.write_text(undeclared.read_text().replace("\t.\n", "\tLF_EFFECT=3\n"))
    with pytest.raises(UserError, match="line 5: found an INFO field LF_EFFECT of another program"):
        place.score(undeclared, "others")
    assert not list(place.folder.glob("others*"))


def test_shifts_must_leave_the_variant_in_the_window(place: Place, tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "calls.vcf", [f"chrI 101 {LETTERS[100]} {change(100)}"], CONTIGS)
    place.score(path, shifts=[-5, 6])
    for shift in (-6, 7):
        with pytest.raises(UserError, match="from -5 to 6"):
            place.score(path, shifts=[shift])
    with pytest.raises(UserError, match=r"shifts: found none, expected at least one; write \[0\]"):
        place.score(path, shifts=[])


def test_a_background_of_known_variants(place: Place, tmp_path: Path) -> None:
    records = [f"chrI {at + 1} {LETTERS[at]} {change(at)}" for at in range(0, 400, 10)]
    path = write_vcf(tmp_path / "calls.vcf", [*records, "chrM 1 A C"], CONTIGS)
    rows = table(place.score(path)["table"])
    inputs = (place.folder / "store/store.json", place.folder / "windows.parquet", place.checkpoints)
    score_background(*inputs, {}, tmp_path / "known.npz", variants=path)
    score_background(*inputs, {"most": 7}, tmp_path / "some.npz", variants=path)
    some = read_background(tmp_path / "some.npz").effects
    assert some.shape == (7, 2)
    assert set(some[:, 0]) < set(read_background(tmp_path / "known.npz").effects[:, 0])
    nothing = write_vcf(tmp_path / "none.vcf", [f"chrI 1 {LETTERS[0]} <DEL>", f"chrI 2 {LETTERS[1]} N"], CONTIGS)
    with pytest.raises(UserError, match=r"found no variant that can be scored \(.*1 skipped symbolic.*leave"):
        score_background(*inputs, {}, tmp_path / "none.npz", variants=nothing)
    found = read_background(tmp_path / "known.npz")
    for column, target in enumerate(OUTPUTS.targets):
        expected = np.sort(rows.loc[rows["target"] == target, "difference"].abs())
        np.testing.assert_allclose(found.effects[:, column], expected, rtol=1e-5)

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from window_files import write_holdout

from lociflow.command import UserError
from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.interpretation.motifs.bed import bed_scores, locate
from lociflow.interpretation.motifs.discover import discover_motifs
from lociflow.interpretation.motifs.seqlets import locate_seqlets
from lociflow.interpretation.warm import planted_contributions
from lociflow.sequence.alphabet import decode, reverse_complement
from lociflow.sequence.genome_store import encode_sequences
from lociflow.sequence.store import open_store

LENGTH = 200


def write_genome(folder: Path, contigs: dict[str, str]) -> Path:
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    config = {"name": "toy", "soft_mask": False, "contig_md5": None}
    encode_sequences([folder / "genome.fa"], config, folder / "codes.npy", folder / "store.json")
    return folder / "store.json"


def bins_at(contigs: list[str], starts: list[int], strands: list[str], shuffled: list[bool]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "contig": pd.Categorical(contigs),
            "strand": pd.Categorical(strands),
            "start": np.array(starts, dtype=np.int64),
            "end": np.array(starts, dtype=np.int64) + 2,
            "shuffled": shuffled,
            "shuffle_seed": np.array(shuffled, dtype=np.int64) * 7,
            "split": pd.Categorical(["test"] * len(starts)),
            "group": pd.Categorical([None] * len(starts), categories=[]),
        }
    )


def test_stretches_by_hand(tmp_path: Path) -> None:
    store = open_store(write_genome(tmp_path, {"I": "A" * 30, "II": "C" * 40}))
    windows = bins_at(["I", "II", "I", "I", "I"], [9, 19, 3, 26, 9], [".", "-", "+", ".", "."], [False] * 4 + [True])
    # Windows of 10: 5..15, 15..25, -1..9, 22..32 and a shuffle.
    found = locate(
        windows, store, 10, np.arange(5), np.array([2, 2, 0, 8, 2]), np.array([5, 5, 4, 10, 5]),
        np.array([True, True, False, False, False]),
    )  # fmt: skip
    assert found.kept.tolist() == [True, True, True, False, False]
    assert found.start[:3].tolist() == [7, 20, 0]
    assert found.end[:3].tolist() == [10, 23, 3]
    assert found.reverse.tolist() == [True, False, False, False, False]
    assert found.clipped.tolist() == [False, False, True, False, False]
    assert found.contig.tolist() == [0, 1, 0, 0, 0]


def test_scores_are_shares_of_the_largest() -> None:
    assert bed_scores(np.array([0.5, -2.0, 0.0])).tolist() == [250, 1000, 0]
    assert bed_scores(np.zeros(2)).tolist() == [0, 0]
    assert bed_scores(np.empty(0)).tolist() == []


@pytest.mark.slow
def test_the_genome_reads_as_each_seqlet_does(tmp_path: Path) -> None:
    codes, hypothetical = planted_contributions(windows=160, length=LENGTH)
    strands = np.where(np.arange(160) % 3 == 0, "-", "+")
    minus = strands == "-"
    genome = codes.copy()
    genome[minus] = reverse_complement(codes[minus])
    store = write_genome(tmp_path, {"other": "ACGT", "chrI": decode(genome.ravel())})
    starts = [int(index) * LENGTH + LENGTH // 2 - 1 for index in range(160)]
    write_holdout(tmp_path / "windows.parquet", bins_at(["chrI"] * 160, starts, list(strands), [False] * 160))
    attributions = Attributions(
        np.arange(160), np.zeros(160), codes, hypothetical, {"targets": [{"target": "Reb 1/a", "column": 0}]}
    )
    write_attributions(tmp_path / "a.npz", attributions)
    modisco, bed = tmp_path / "modisco.h5", tmp_path / "seqlets.bed"
    discover_motifs(tmp_path / "a.npz", {"region": 190}, modisco, tmp_path / "a.meme", tmp_path / "a.tsv")
    locate_seqlets(store, tmp_path / "windows.parquet", modisco, bed)
    table = pd.read_csv(bed, sep="\t")
    assert table.columns[0] == "#contig"
    assert (np.diff(table["start"]) >= 0).all()
    assert table["score"].max() == 1000
    assert set(table["strand"]) == {"+", "-"}
    opened = open_store(store)
    whole = opened.codes[opened.offsets[1] :]
    read = []
    for row in table.itertuples(index=False):
        here = np.asarray(whole[row.start : row.end])[None]
        read.append((row.name, row.bin, decode((reverse_complement(here) if row.strand == "-" else here)[0])))
    expected = []
    with h5py.File(modisco) as file:
        for sign in ("positive", "negative"):
            for number, pattern in enumerate(file[f"target_0/{sign[:3]}_patterns"].values()):
                bins = file["target_0/bin"][:][pattern["seqlets/example_idx"][:]]
                for index, sequence in zip(bins, pattern["seqlets/sequence"][:], strict=True):
                    letters = decode(sequence.argmax(axis=1).astype(np.uint8))
                    expected.append((f"Reb_1/a.{sign}_{number}", index, letters))
    assert len(expected) > 100
    assert sorted(read) == sorted(expected)
    locate_seqlets(store, tmp_path / "windows.parquet", modisco, tmp_path / "again.bed")
    assert bed.read_bytes() == (tmp_path / "again.bed").read_bytes()


def test_no_motif_gives_a_file_without_intervals(tmp_path: Path) -> None:
    store = write_genome(tmp_path, {"I": "ACGT" * 10})
    write_holdout(tmp_path / "windows.parquet", bins_at(["I"], [9], ["."], [False]))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        group = file.create_group("target_0")
        group.attrs.update(target="Reb1", region_start=0, window_length=10)
        group.create_dataset("bin", data=np.arange(1))
        group.create_group("pos_patterns")
        group.create_group("neg_patterns")
    locate_seqlets(store, tmp_path / "windows.parquet", tmp_path / "m.h5", tmp_path / "s.bed")
    assert (tmp_path / "s.bed").read_text() == (
        "#contig\tstart\tend\tname\tscore\tstrand\ttarget\tkind\tcontribution\tbin\n"
    )


def test_another_file_is_refused(tmp_path: Path) -> None:
    store = write_genome(tmp_path, {"I": "ACGT" * 10})
    write_holdout(tmp_path / "windows.parquet", bins_at(["I"], [9], ["."], [False]))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_group("target_0")
    with pytest.raises(UserError, match=r"m\.h5: cannot be read as the patterns"):
        locate_seqlets(store, tmp_path / "windows.parquet", tmp_path / "m.h5", tmp_path / "s.bed")

import numpy as np
import pandas as pd
import pytest
from window_files import write_holdout

from lociflow.command import UserError
from lociflow.genome.bin_properties import NO_START, describe_bins, gene_distances
from lociflow.genome.property_table import read_properties
from lociflow.sequence.genome_store import write_store

GTF = (
    'chr1\tx\ttranscript\t11\t40\t.\t+\t.\tgene_id "g"; transcript_id "t";\n'
    'chr1\tx\texon\t11\t40\t.\t+\t.\tgene_id "g"; transcript_id "t";\n'
    'chr1\tx\ttranscript\t51\t90\t.\t-\t.\tgene_id "h"; transcript_id "u";\n'
    'chr1\tx\texon\t51\t90\t.\t-\t.\tgene_id "h"; transcript_id "u";\n'
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "genome.fa").write_text(">chr1\n" + "A" * 50 + "G" * 50 + "\n>chr2\n" + "N" * 100 + "\n")
    write_store([tmp_path / "genome.fa"], tmp_path / "codes.npy", tmp_path / "store.json", "toy")
    rows = [("chr1", 0, 20, "train"), ("chr1", 40, 60, "test"), ("chr1", 80, 100, "test"), ("chr2", 40, 60, "test")]
    write_holdout(tmp_path / "windows.parquet", pd.DataFrame(rows, columns=["contig", "start", "end", "split"]))
    (tmp_path / "genes.gtf").write_text(GTF)
    return tmp_path


def described(folder, **config):
    files = {"store": folder / "store.json", "windows": folder / "windows.parquet"}
    describe_bins(**files, config={"length": 20, **config}, properties=folder / "p", genes=folder / "genes.gtf")
    return read_properties(folder / "p", 4)


def test_gc_and_gene_starts_by_hand(folder):
    found = described(folder)
    assert found["gc"].tolist() == pytest.approx([0, 0.5, 1, np.nan], nan_ok=True)
    # Starts are the bases 10 and, on the other strand, 89; the bins' centres are 10, 50 and 90.
    assert found["gene_distance"].tolist() == [0, 39, 1, NO_START]


def test_the_files_names_of_contigs_are_resolved(folder):
    (folder / "genes.gtf").write_text(GTF.replace("chr1", "I"))
    assert described(folder, contig_aliases={"I": "chr1"})["gene_distance"].tolist() == [0, 39, 1, NO_START]
    with pytest.raises(UserError, match="contig_aliases"):
        described(folder)


def test_the_nearest_of_many():
    generator = np.random.default_rng(0)
    starts = pd.DataFrame({"contig": "a", "start": generator.integers(0, 1000, 30)})
    begin = generator.integers(0, 990, 100)
    bins = pd.DataFrame({"contig": "a", "start": begin, "end": begin + 10})
    expected = np.abs(starts["start"].to_numpy()[None] - (begin + 5)[:, None]).min(axis=1)
    assert gene_distances(bins, starts).tolist() == expected.tolist()


def test_properties_of_other_bins_are_refused(folder):
    described(folder)
    with pytest.raises(UserError, match="found 4 bins, expected 5"):
        read_properties(folder / "p", 5)

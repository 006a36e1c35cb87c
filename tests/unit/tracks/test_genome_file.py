from pathlib import Path

import pysam
from small_genome import SEQUENCES

from lociflow.sequence.genome_store import write_store
from lociflow.tracks import genome_file
from lociflow.tracks.genome_file import write_genome


def write(store, fasta):
    write_genome(store, fasta, Path(f"{fasta}.fai"), Path(f"{fasta}.gzi"))


def test_the_genome_is_read_back_with_its_indices(genome, tmp_path, monkeypatch):
    monkeypatch.setattr(genome_file, "LINE", 7)
    monkeypatch.setattr(genome_file, "LINES", 2)
    write(genome.store.path, tmp_path / "out" / "genome.fa.gz")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "genome.fa.gz", "genome.fa.gz.fai", "genome.fa.gz.gzi",
    ]  # fmt: skip
    with pysam.FastaFile(str(tmp_path / "out" / "genome.fa.gz")) as fasta:
        assert {name: fasta.fetch(name) for name in fasta.references} == SEQUENCES
        assert fasta.fetch("chrII", 12, 15) == "CCA"


def test_soft_masked_bases_stay_so(tmp_path):
    (tmp_path / "a.fa").write_text(">a\nACgtNNac\n")
    write_store([tmp_path / "a.fa"], tmp_path / "codes.npy", tmp_path / "store.json", "masked", soft_mask=True)
    write(tmp_path / "store.json", tmp_path / "genome.fa.gz")
    with pysam.FastaFile(str(tmp_path / "genome.fa.gz")) as fasta:
        assert fasta.fetch("a") == "ACgtNNac"

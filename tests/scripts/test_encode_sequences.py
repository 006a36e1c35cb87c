import json
import subprocess
import sys
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).parents[2] / "scripts" / "encode_sequences.py"


def encode(folder, config):
    return subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "--fasta", "a.fa", "b.fa", "--config", json.dumps(config)),
            *("--codes", "store/codes.npy", "--store", "store/store.json", "--log", "logs/encode.log"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_two_files_become_one_store(tmp_path):
    (tmp_path / "a.fa").write_text(">chr1\nACGT\n")
    (tmp_path / "b.fa").write_text(">chr2\nNNa\n")
    done = encode(tmp_path, {"name": "toy", "soft_mask": True, "contig_md5": None})
    assert done.returncode == 0, done.stderr
    assert done.stderr == "toy: 2 contigs, 7 bases\n"
    assert np.load(tmp_path / "store" / "codes.npy").tolist() == [0, 1, 2, 3, 4, 4, 0x80]
    assert [contig["name"] for contig in json.loads((tmp_path / "store" / "store.json").read_text())["contigs"]] == [
        "chr1",
        "chr2",
    ]


def test_another_assembly_is_one_sentence_and_exit_1(tmp_path):
    (tmp_path / "a.fa").write_text(">chr1\nACGT\n")
    (tmp_path / "b.fa").write_text(">chr2\nNNa\n")
    done = encode(tmp_path, {"name": "toy", "contig_md5": {"chr1": "0" * 32}})
    assert done.returncode == 1
    assert done.stderr.startswith("error: a.fa: contig chr1: found a sequence with MD5 ")
    assert "another assembly or another release" in done.stderr
    assert list((tmp_path / "store").iterdir()) == []


def test_sequences_without_a_genome_become_a_store(tmp_path):
    (tmp_path / "t.csv").write_text("name,sequence,level\na,ACGU,1\nb,GG,2\n")
    config = {"name": "toy", "sequences": {"alphabet": "rna", "table": [{"file": "t.csv"}]}}
    done = subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "--sources", ".", "--config", json.dumps(config)),
            *("--codes", "store/codes.npy", "--store", "store/store.json"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "toy: 2 sequences of 2 to 4 bases, 6 in all\n"
    assert np.load(tmp_path / "store" / "codes.npy").tolist() == [0, 1, 2, 3, 2, 2]
    found = json.loads((tmp_path / "store" / "store.json").read_text())
    assert (found["alphabet"], found["contigs"]) == ("rna", {"names": ["a", "b"], "lengths": [4, 2]})

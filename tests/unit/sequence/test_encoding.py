import json
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.sequence.alphabet import PROTEIN, RNA, decode
from lociflow.sequence.encoding import encode_sources
from lociflow.sequence.store import SequenceStore, contig_index, contigs, gather, open_store


def encode(folder: Path, text: str, name: str = "t.csv", **config: Any) -> SequenceStore:
    (folder / name).write_text(text)
    kind = "fasta" if name.endswith(".fa") else "table"
    encode_sources(
        {"name": "toy", "sequences": {kind: [{"file": name}], **config}},
        folder / "codes.npy",
        folder / "store.json",
        sources=folder,
    )
    return open_store(folder / "store.json")


def test_every_sequence_is_a_contig(tmp_path: Path) -> None:
    store = encode(tmp_path, "name,sequence\nb,ACGT\na,ggn\nc,T\n")
    assert store.names == ("b", "a", "c")
    assert store.lengths.tolist() == [4, 3, 1]
    assert store.offsets.tolist() == [0, 4, 7]
    assert decode(np.asarray(store.codes)) == "ACGTGGNT"
    assert (store.md5, store.stops, store.alphabet.name) == ((), 0, "dna")
    assert contig_index(store, ["c", "b"]).tolist() == [2, 0]
    assert contigs(store)["contig"].tolist() == ["b", "a", "c"]
    found = json.loads((tmp_path / "store.json").read_text())["contigs"]
    assert found == {"names": ["b", "a", "c"], "lengths": [4, 3, 1]}
    copy = pickle.loads(pickle.dumps(store))
    assert copy.names == store.names


def test_soft_masking_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    assert decode(np.asarray(encode(tmp_path, "name,sequence\na,acGT\n", soft_mask=True).codes)) == "acGT"


def test_windows_are_padded_and_never_reach_into_the_next_sequence(tmp_path: Path) -> None:
    store = encode(tmp_path, "name,sequence\na,ACGT\nb,GG\nc,TTTTT\n")
    rows = gather(store, [0, 0, 1, 1, 2, 2, 1], [-1, 1, -2, 0, -3, 2, 40], 6)
    assert [decode(row) for row in rows] == ["NACGTN", "CGTNNN", "NNGGNN", "GGNNNN", "NNNTTT", "TTTNNN", "NNNNNN"]


def test_rna_is_read_with_u_or_t(tmp_path: Path) -> None:
    store = encode(tmp_path, ">a\nACGUT\n", "t.fa", alphabet="rna")
    assert store.alphabet is RNA
    assert decode(np.asarray(store.codes), store.alphabet) == "ACGUU"


def test_stops_at_the_ends_of_proteins_are_left_out_and_counted(tmp_path: Path) -> None:
    store = encode(tmp_path, ">a\nMKV*\n>b\nMUX\n", "t.fa", alphabet="protein")
    assert store.alphabet is PROTEIN
    assert store.stops == 1
    assert decode(gather(store, [0], [-1], 6)[0], PROTEIN) == "XMKVXX"
    with pytest.raises(UserError, match=r"t.fa, line 3: sequence b, letter 2: found '\*', expected one of ACDEFG"):
        encode(tmp_path, ">a\nMKV\n>b\nM*K\n", "t.fa", alphabet="protein")
    with pytest.raises(UserError, match=r"t.fa, line 1: found nothing but a stop sign"):
        encode(tmp_path, ">a\n*\n", "t.fa", alphabet="protein")


@pytest.mark.parametrize(
    ("text", "config", "sentence"),
    [
        ("name,sequence\na,ACGT\nb,AC-T\n", {}, r"line 3: sequence b, letter 3: found '-', expected one of ACGTN"),
        ("name,sequence\na,AC GT\n", {}, r"t.csv, line 2: sequence a, letter 3: found ' '"),
        ("name,sequence\na,MKL\n", {}, r"letter 3: found 'L'.*or set sequences.alphabet"),
        ("name,sequence\na,ACÄ\n", {}, r"letter 3: found 'Ä'"),
        ("name,sequence\n", {}, r"toy: found no sequence, expected some"),
        ("name,sequence\na,AC\n", {"alphabet": "aa"}, r"sequences.alphabet: found 'aa'"),
    ],
)  # fmt: skip
def test_bad_sequences_are_refused_and_leave_no_store(
    tmp_path: Path, text: str, config: dict[str, Any], sentence: str
) -> None:
    encode(tmp_path, "name,sequence\na,AC\n")
    with pytest.raises(UserError, match=sentence):
        encode(tmp_path, text, **config)
    if "alphabet" not in config:
        assert not (tmp_path / "store.json").exists()


def test_arguments_belong_together(tmp_path: Path) -> None:
    files = (tmp_path / "codes.npy", tmp_path / "store.json")
    with pytest.raises(UserError, match="--fasta: found no file"):
        encode_sources({"name": "toy"}, *files)
    with pytest.raises(UserError, match="--sources: found none"):
        encode_sources({"name": "toy", "sequences": {}}, *files)
    with pytest.raises(UserError, match="found the keys name, sequences, soft_mask"):
        encode_sources(
            {"name": "toy", "sequences": {"table": []}, "soft_mask": True},
            *files,
            sources=tmp_path,
        )


@pytest.mark.slow
def test_a_million_sequences_are_encoded_and_opened_in_seconds(tmp_path: Path) -> None:
    count = 1_000_000
    draws = np.random.default_rng(0).integers(0, 4, (count, 80), dtype=np.uint8)
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)[draws].view("S80").ravel()
    text = "\n".join(f"s{number}\t{row.decode()}" for number, row in enumerate(letters))
    begin = time.perf_counter()
    store = encode(tmp_path, text, "t.tsv", format={"columns": ["name", "sequence"]})
    encoded = time.perf_counter()
    store = open_store(store.path)
    opened = time.perf_counter()
    rows = np.random.default_rng(1).integers(0, count, 128)
    windows = gather(store, rows, np.full(128, -10), 100)
    assert np.array_equal(windows[:, 10:90], draws[rows])
    assert (windows[:, :10] == 4).all()
    assert (windows[:, 90:] == 4).all()
    assert encoded - begin < 60
    assert opened - encoded < 5
    print(f"encoded in {encoded - begin:.1f} s, opened in {opened - encoded:.2f} s")

import gzip
import hashlib
import json
import os
import pickle
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.sequence import store as store_module
from lociflow.sequence.alphabet import LETTERS, decode, encode
from lociflow.sequence.genome_store import encode_sequences, write_store
from lociflow.sequence.store import contig_index, contigs, gather, open_store

TOY = b">chr1 junk\nACGTN\nacgt\n>chr2\nRYU\n"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def build(folder, *contents, **options):
    paths = []
    for number, content in enumerate(contents):
        paths.append(folder / f"genome{number}.fa")
        paths[-1].write_bytes(content)
    write_store(paths, folder / "codes.npy", folder / "store.json", name="toy", **options)
    return open_store(folder / "store.json")


def letters_of(store, index):
    begin = store.offsets[index]
    return decode(store.codes[begin : begin + store.lengths[index]])


def test_toy(tmp_path):
    store = build(tmp_path, TOY)
    assert store.name == "toy"
    assert store.names == ("chr1", "chr2")
    assert store.lengths.tolist() == [9, 3]
    assert store.offsets.tolist() == [0, 9]
    assert store.codes.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 5, 6, 3]
    assert store.codes.dtype == np.uint8
    assert store.md5 == (md5("ACGTNACGT"), md5("RYU"))
    assert store.digest == hashlib.sha256(store.codes.tobytes()).hexdigest()
    assert not store.soft_mask
    assert not store.codes.flags.writeable
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codes.npy", "genome0.fa", "store.json"]


def test_soft_mask_changes_codes_and_not_digests_of_contigs(tmp_path):
    store = build(tmp_path, TOY, soft_mask=True)
    assert store.soft_mask
    assert letters_of(store, 0) == "ACGTNacgt"
    assert store.md5[0] == md5("ACGTNACGT")


def test_several_files_and_containers_give_the_bytes_of_one(tmp_path):
    parts = (gzip.compress(b">chr1\nACGTNACGT"), b">chr2\nR\nY\nU\n")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    build(tmp_path / "one", TOY)
    build(tmp_path / "two", *parts)
    for name in ("codes.npy", "store.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_description_has_the_keys_of_the_format(tmp_path):
    build(tmp_path, TOY)
    found = json.loads((tmp_path / "store.json").read_text())
    assert (found["format"], found["version"], found["alphabet"]) == ("sequence store", 2, "dna")
    assert found["contigs"][1] == {"name": "chr2", "length": 3, "offset": 9, "md5": md5("RYU")}


def test_a_bit_that_flips_in_the_description_gives_the_same_store_or_a_sentence(tmp_path):
    whole = build(tmp_path, TOY)
    path = tmp_path / "store.json"
    text = path.read_bytes()
    refused = 0
    for place in range(len(text)):
        path.write_bytes(text[:place] + bytes([text[place] ^ 1 << place % 8]) + text[place + 1 :])
        try:
            found = open_store(path)
        except UserError as error:
            assert "store.json" in str(error)  # noqa: PT017
            refused += 1
        else:
            assert (found.names, found.md5, found.digest) == (whole.names, whole.md5, whole.digest)
            assert found.offsets.tolist() == whole.offsets.tolist()
            assert found.lengths.tolist() == whole.lengths.tolist()
    assert refused > 0.8 * len(text)


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ((b">a\nAC\n>a\nGT\n",), "found contig a a second time"),
        ((b">a\nAC\n", b">a\nGT\n"), r"genome1.fa: found contig a a second time \(first in .*genome0.fa"),
        ((b">a\nAC\n>b\nAC\nG-T\n",), r"genome0.fa: contig b, base 4: found '-'"),
        ((b">a\nMKL*\n",), "contig a, base 3: found 'L'"),
        ((b">a\nAC GT\n",), "contig a, base 3: found ' '"),
        ((b">a\nAC*\n",), r"contig a, base 3: found '\*'"),
    ],
)
def test_bad_sequences_are_refused_and_leave_nothing(tmp_path, contents, sentence):
    with pytest.raises(UserError, match=sentence):
        build(tmp_path, *contents)
    assert not any(path.suffix in (".npy", ".json") for path in tmp_path.iterdir())


def test_a_failure_leaves_no_old_description(tmp_path):
    build(tmp_path, TOY)
    with pytest.raises(UserError):
        build(tmp_path, b">a\nJ\n")
    assert not (tmp_path / "store.json").exists()


PINNED = {"chr1": md5("ACGTNACGT"), "chr2": md5("RYU").upper()}


def test_pinned_contigs_are_recognised_by_digest_renamed_and_put_in_order(tmp_path):
    for name in ("pinned", "mirror"):
        (tmp_path / name).mkdir()
    pinned = build(tmp_path / "pinned", TOY, contig_md5=PINNED)
    mirror = build(tmp_path / "mirror", b">II\nRYU\n", b">I\nacgtnacgt\n", contig_md5=PINNED)
    assert pinned.names == mirror.names == ("chr1", "chr2")
    assert [letters_of(mirror, index) for index in range(2)] == ["ACGTNACGT", "RYT"]
    for name in ("codes.npy", "store.json"):
        assert (tmp_path / "pinned" / name).read_bytes() == (tmp_path / "mirror" / name).read_bytes()


def test_contigs_with_one_digest_each_get_a_pinned_name(tmp_path):
    same = md5("ACGT")
    store = build(tmp_path, b">x\nACGT\n>b\nACGT\n", contig_md5={"a": same, "b": same})
    assert store.names == ("a", "b")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b">chr1\nACGTNACGA\n>chr2\nRYU\n", "contig chr1: found a sequence with MD5 .* for it"),
        (TOY + b">chrM\nAAA\n", "contig chrM: found a sequence with MD5 .* one of the 2 digests"),
        (b">chr1\nACGTNACGT\n", r"1 of 2 pinned contigs are missing \(chr2\)"),
        (TOY + b">again\nRYU\n", "contig again: found a sequence"),
    ],
)
def test_another_assembly_is_refused(tmp_path, content, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        build(tmp_path, content, contig_md5=PINNED)
    assert "another assembly or another release" in str(caught.value)


def test_open_refuses_missing_foreign_and_mismatched_files(tmp_path):
    path = tmp_path / "store.json"
    with pytest.raises(UserError, match="cannot be read"):
        open_store(path)
    build(tmp_path, TOY)
    good = path.read_text()
    path.write_text("[")
    with pytest.raises(UserError, match="found no JSON object"):
        open_store(path)
    path.write_text(good.replace('"version": 2', '"version": 99'))
    with pytest.raises(UserError, match="found sequence store version 99"):
        open_store(path)
    path.write_text(good)
    np.save(tmp_path / "codes.npy", np.zeros(11, dtype=np.uint8))
    with pytest.raises(UserError, match=r"found uint8 of shape \(11,\), expected uint8 of shape \(12,\)"):
        open_store(path)
    for content in (b"\x93NUMPY", b""):
        (tmp_path / "codes.npy").write_bytes(content)
        with pytest.raises(UserError, match="cannot be read"):
            open_store(path)


def test_open_refuses_codes_of_which_one_byte_has_changed_and_pickling_asks_no_more(tmp_path):
    store = build(tmp_path, TOY)
    codes = tmp_path / "codes.npy"
    content = bytearray(codes.read_bytes())
    content[-1] ^= 1
    codes.write_bytes(content)
    with pytest.raises(
        UserError, match=r"codes\.npy: found CRC-32 and length [0-9a-f]{8} 140, expected [0-9a-f]{8} 140"
    ):
        open_store(store.path)
    # A loader worker gets the store that its parent has checked.
    assert pickle.loads(pickle.dumps(store)).digest == store.digest


def test_pickle_sends_the_path_and_not_the_genome(tmp_path):
    store = build(tmp_path, b">a\n" + b"ACGT" * 10_000)
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    assert np.array_equal(pickle.loads(sent).codes, store.codes)


def test_contigs_and_contig_index(tmp_path):
    store = build(tmp_path, TOY)
    table = contigs(store)
    assert table["contig"].tolist() == ["chr1", "chr2"]
    assert table["length"].tolist() == [9, 3]
    assert contig_index(store, ["chr2", "chr1", "chr2"]).tolist() == [1, 0, 1]
    assert contig_index(store, []).tolist() == []
    with pytest.raises(UserError, match="has no contig 1; expected one of chr1, chr2"):
        contig_index(store, ["chr1", "1"])


def test_gather_by_hand(tmp_path):
    store = build(tmp_path, TOY)
    contig = [0, 0, 0, 1, 1, 1]
    start = [0, -2, 7, 0, -1, 50]
    windows = [decode(row) for row in gather(store, contig, start, 4)]
    assert windows == ["ACGT", "NNAC", "GTNN", "RYTN", "NRYT", "NNNN"]


def test_gather_of_nothing_and_of_more_than_the_genome(tmp_path):
    store = build(tmp_path, TOY)
    assert gather(store, np.empty(0, int), np.empty(0, int), 5).shape == (0, 5)
    wide = gather(store, [1], [-20], 60)
    assert decode(wide[0]) == "N" * 20 + "RYT" + "N" * 37


def test_gather_gives_windows_that_can_be_changed(tmp_path):
    windows = gather(build(tmp_path, TOY), [0], [0], 3)
    windows[0, 0] = 3
    assert windows.dtype == np.uint8


@pytest.mark.parametrize(
    ("contig", "start", "length"), [([0], [0, 1], 2), ([0], [0], 0), ([-1], [0], 2), ([2], [0], 2), ([[0]], [[0]], 2)]
)
def test_gather_refuses_bad_arguments(tmp_path, contig, start, length):
    with pytest.raises(ValueError, match="expected"):
        gather(build(tmp_path, TOY), contig, start, length)


@settings(max_examples=60, deadline=None)
@given(
    sequences=st.lists(st.text(alphabet=LETTERS, min_size=1, max_size=30), min_size=1, max_size=4),
    wanted=st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)), max_size=20),
    length=st.integers(1, 40),
    width=st.integers(1, 12),
    chunk=st.sampled_from([1, 50, 1 << 22]),
)
def test_gather_agrees_with_slicing(tmp_path_factory, sequences, wanted, length, width, chunk):
    folder = tmp_path_factory.mktemp("store")
    fasta = "".join(
        f">c{number}\n" + "".join(f"{text[at : at + width]}\n" for at in range(0, len(text), width))
        for number, text in enumerate(sequences)
    )
    store = build(folder, fasta.encode())
    wanted = [(index % len(sequences), start) for index, start in wanted]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "EDGE_CHUNK", chunk)
        found = gather(store, [index for index, _ in wanted], [start for _, start in wanted], length)
    padded = ["N" * 100 + text + "N" * 100 for text in sequences]
    assert [decode(row) for row in found] == [padded[index][start + 100 :][:length] for index, start in wanted]


def test_memory_is_that_of_one_contig(tmp_path):
    size = 400_000
    text = ("ACGTT" * 12 + "\n") * (size // 60)
    path = tmp_path / "genome.fa"
    with path.open("w") as handle:
        for number in range(20):
            handle.write(f">c{number}\n{text}")
    tracemalloc.start()
    write_store([path], tmp_path / "codes.npy", tmp_path / "store.json", name="toy")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * size


def test_encode_sequences_refuses_an_unknown_key(tmp_path):
    (tmp_path / "genome.fa").write_bytes(TOY)
    arguments = ([tmp_path / "genome.fa"], tmp_path / "codes.npy", tmp_path / "store.json")
    with pytest.raises(UserError, match="expected a JSON object with name, soft_mask, contig_md5"):
        encode_sequences(arguments[0], {"name": "toy", "softmask": True}, *arguments[1:])
    encode_sequences(arguments[0], {"name": "toy", "soft_mask": True, "contig_md5": None}, *arguments[1:])
    assert open_store(tmp_path / "store.json").soft_mask


def test_both_files_must_lie_in_one_folder(tmp_path):
    with pytest.raises(UserError, match="in one folder"):
        write_store([], tmp_path / "a" / "codes.npy", tmp_path / "b" / "store.json", name="toy")


@pytest.mark.real_data
@pytest.mark.skipif("LOCIFLOW_REAL_DATA" not in os.environ, reason="LOCIFLOW_REAL_DATA names no folder")
def test_yeast_has_its_published_digests(tmp_path):
    data = Path(os.environ["LOCIFLOW_REAL_DATA"])
    rows = re.findall(r"^- (chr\w+) (\d+) ([0-9a-f]{32})$", (data / "README.md").read_text(), re.MULTILINE)
    assert len(rows) == 16
    pinned = {name: digest for name, _, digest in reversed(rows)}
    fasta = data / "yeast_sacCer3_chain" / "genome" / "sacCer3.nuclear.fa"
    write_store([fasta], tmp_path / "codes.npy", tmp_path / "store.json", name="sacCer3")
    store = open_store(tmp_path / "store.json")
    found = zip(store.names, store.lengths.tolist(), store.md5, strict=True)
    assert list(found) == [(name, int(length), digest) for name, length, digest in rows]
    assert decode(gather(store, contig_index(store, ["chrIV"]), [0], 20)[0]).isalpha()
    assert len(store.codes) == 12_071_326
    assert set(np.unique(store.codes)) <= set(encode("ACGTN"))
    write_store([fasta], tmp_path / "codes.npy", tmp_path / "store.json", name="sacCer3", contig_md5=pinned)
    assert open_store(tmp_path / "store.json").names == tuple(pinned)

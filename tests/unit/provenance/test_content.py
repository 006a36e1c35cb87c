import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lociflow.command import UserError
from lociflow.provenance.content import column_digests, content_digest

SCRIPTS = Path(__file__).parents[3] / "scripts"
TABLE = pa.table(
    {
        "contig": ["chr1", "chr1", None, "", "é"],
        "start": pa.array([0, 10, None, 30, 40]),
        "score": pa.array([0.5, float("nan"), 1.5, None, -0.0], type=pa.float32()),
        "seen": [True, False, None, True, True],
        "profile": [[1, 2], [], None, [3], [4, 5]],
    }
)


def written(path, table=TABLE, **options):
    pq.write_table(table, path, **options)
    return path


def test_a_tables_digest_is_that_of_its_values(tmp_path):
    encoded = TABLE.set_column(0, "contig", TABLE["contig"].dictionary_encode())
    digests = {
        content_digest(written(tmp_path / "1.parquet")),
        content_digest(written(tmp_path / "2.parquet", row_group_size=2, compression="gzip")),
        content_digest(written(tmp_path / "3.parquet", encoded)),
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("contig", ["chr1", "chr1", "", None, "é"]),
        ("contig", ["chr", "1chr1", None, "", "é"]),
        ("start", [0, 10, 0, 30, 40]),
        ("score", pa.array([0.5, float("nan"), 1.5, None, 0.0], type=pa.float32())),
        ("score", [0.5, float("nan"), 1.5, None, -0.0]),
        ("seen", [True, False, False, True, True]),
        ("profile", [[1], [2], None, [3], [4, 5]]),
        ("profile", [[1, 2], None, [], [3], [4, 5]]),
    ],
)
def test_every_value_counts_and_so_does_what_is_missing(tmp_path, column, values):
    changed = TABLE.set_column(
        TABLE.column_names.index(column), column, pa.array(values) if isinstance(values, list) else values
    )
    before, after = (
        column_digests(written(tmp_path / "1.parquet")),
        column_digests(written(tmp_path / "2.parquet", changed)),
    )
    assert {name for name in before if before[name] != after[name]} == {column}


def test_what_a_table_says_of_itself_counts(tmp_path):
    said = TABLE.replace_schema_metadata({"lociflow": "windows"})
    assert content_digest(written(tmp_path / "1.parquet")) != content_digest(written(tmp_path / "2.parquet", said))


def test_arrays_are_told_apart_by_type_shape_and_values(tmp_path):
    arrays = [np.arange(6), np.arange(6).reshape(2, 3), np.arange(6, dtype=np.int32), np.arange(1, 7), np.array(5)]
    for index, array in enumerate(arrays):
        np.save(tmp_path / f"{index}.npy", array)
    assert len({content_digest(tmp_path / f"{index}.npy") for index in range(len(arrays))}) == len(arrays)


def test_an_archive_of_arrays_is_its_arrays_whatever_their_order_and_compression(tmp_path):
    one, two = np.arange(5), np.array("said of them")
    np.savez(tmp_path / "1.npz", one=one, two=two)
    np.savez_compressed(tmp_path / "2.npz", two=two, one=one)
    np.savez(tmp_path / "3.npz", one=one + 1, two=two)
    first, second, third = (content_digest(tmp_path / f"{index}.npz") for index in (1, 2, 3))
    assert first == second != third


def test_json_is_its_value(tmp_path):
    (tmp_path / "1.json").write_text('{"b": 1.0,\n "a": [2]}')
    assert content_digest(tmp_path / "1.json") == hashlib.sha256(b'{"a": [2], "b": 1.0}').hexdigest()


def test_seconds_are_left_out_of_tables(tmp_path):
    texts = ("epoch,loss,seconds\n1,0.5,3\n", "epoch,loss,seconds\n1,0.5,4\n", "epoch,loss,seconds\n1,0.6,3\n")
    for index, text in enumerate(texts):
        (tmp_path / f"{index}.csv").write_text(text)
    first, slower, worse = (content_digest(tmp_path / f"{index}.csv") for index in range(3))
    assert first == slower != worse


@pytest.mark.parametrize("name", ["report.html", "figure.svg", "scores.txt", "modisco.h5", "Snakefile", "model.onnx"])
def test_pages_figures_and_exports_have_none(tmp_path, name):
    (tmp_path / name).write_text("anything")
    assert content_digest(tmp_path / name) is None


def test_text_and_genome_files_are_their_bytes(tmp_path):
    for name in ("sites.bed", "found.meme", "effects.vcf.gz"):
        (tmp_path / name).write_bytes(b"chr1\t0\t5\n")
        assert content_digest(tmp_path / name) == hashlib.sha256(b"chr1\t0\t5\n").hexdigest()


@pytest.mark.parametrize("name", ["1.parquet", "1.npy", "1.npz", "1.json", "1.ckpt"])
def test_a_damaged_file_is_refused_by_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"{half")
    with pytest.raises(UserError, match=name):
        content_digest(tmp_path / name)


def test_objects_are_not_loaded(tmp_path):
    np.save(tmp_path / "1.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(UserError, match="found objects, expected numbers or text"):
        content_digest(tmp_path / "1.npy")


def test_digests_need_no_torch():
    names = "lociflow.provenance.record, lociflow.provenance.reproduce"
    told = f"import sys; import {names}; print('torch' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", told], env={"PYTHONPATH": "scripts"}, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"

"""Parquet tables that are damaged are told, and none is read as another."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lociflow.command import UserError
from lociflow.parquet_tables import read_about, read_batches, read_parquet, write_parquet


@pytest.fixture
def written(tmp_path: Path) -> Path:
    draws = np.random.default_rng(1)
    names = pa.array(draws.choice(["chr1", "chr2"], 5_000)).dictionary_encode()
    table = pa.table({"contig": names, "start": draws.integers(0, 1 << 30, 5_000), "score": draws.random(5_000)})
    write_parquet(tmp_path / "x.parquet", table.replace_schema_metadata({"split": "a"}))
    return tmp_path / "x.parquet"


def test_a_table_is_what_was_written(written: Path) -> None:
    whole = read_parquet(written, "toys")
    assert whole.num_rows == 5_000
    assert read_parquet(written, "toys", ["start"])["start"].equals(whole["start"])
    assert read_about(written, "toys")[0] == 5_000
    assert read_about(written, "toys")[1][b"split"] == b"a"
    parts = list(read_batches(written, "toys", 2_000, ["start"]))
    assert [len(part) for part in parts] == [2_000, 2_000, 1_000]
    assert pa.Table.from_batches(parts)["start"].combine_chunks().equals(whole["start"].combine_chunks())


def test_a_bit_that_flips_gives_the_same_table_or_a_sentence(written: Path) -> None:
    whole, content = read_parquet(written, "toys"), written.read_bytes()
    # The end, which describes the columns, has no checksum of its own.
    pages = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    draws = np.random.default_rng(1)
    refused = 0
    for place in draws.integers(0, pages, 100):
        damaged = bytearray(content)
        damaged[place] ^= 1 << draws.integers(0, 8)
        written.write_bytes(damaged)
        try:
            found = read_parquet(written, "toys")
        except UserError as error:
            assert "x.parquet: cannot be read as toys" in str(error)  # noqa: PT017
            refused += 1
        else:
            assert found.equals(whole)
    assert refused > 90


def test_what_is_missing_or_lacks_a_column_is_refused(written: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.parquet: cannot be read as toys"):
        read_parquet(tmp_path / "none.parquet", "toys")
    with pytest.raises(UserError, match=r"x\.parquet: cannot be read as toys .*missing"):
        read_parquet(written, "toys", ["missing"])

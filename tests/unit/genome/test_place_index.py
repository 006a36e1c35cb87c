"""Files that can be asked for a place, on contigs of any length."""

import pysam
import pytest

from lociflow.genome.place_index import INTERVALS, POSITIONS, VCF, index_places

# Beyond 2**29 bases, where a tabix index proper ends.
FAR = 700_000_000
HEADER = "##fileformat=VCFv4.2\n##contig=<ID=chr1A,length=800000000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
RECORD = "chr1A\t{}\t.\tA\tC\t.\t.\t.\n"


def compressed(path, text):
    with pysam.BGZFile(str(path), "w", None) as handle:
        handle.write(text.encode())
    return path


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (POSITIONS, "#contig\tposition\nchr1A\t5\nchr1A\t{}\n"),
        (INTERVALS, "#contig\tstart\tend\nchr1A\t4\t5\nchr1A\t{before}\t{}\n"),
        (VCF, HEADER + RECORD.format(5) + RECORD),
    ],
)
def test_a_place_beyond_half_a_billion_bases_is_found(tmp_path, columns, text):
    file = compressed(tmp_path / "far.gz", text.format(FAR, before=FAR - 1))
    index_places(file, tmp_path / "far.gz.csi", columns)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["far.gz", "far.gz.csi"]
    with pysam.TabixFile(str(file), index=f"{file}.csi") as handle:
        found = [row.split("\t")[1] for row in handle.fetch("chr1A", FAR - 1, FAR)]
        assert found == [str(FAR - 1 if columns is INTERVALS else FAR)]
        assert len(list(handle.fetch("chr1A", 4, 5))) == 1
        assert list(handle.fetch("chr1A", 5, FAR - 1)) == []


def test_an_index_of_the_other_kind_would_not_reach(tmp_path):
    file = compressed(tmp_path / "far.gz", f"chr1A\t{FAR}\n")
    with pytest.raises(OSError, match="building of index"):
        pysam.tabix_index(str(file), seq_col=0, start_col=1, end_col=1)

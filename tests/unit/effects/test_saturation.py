import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from store_files import StoreOf
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from toy_predictors import predictor

from lociflow.command import UserError
from lociflow.effects import saturation
from lociflow.effects.alleles import Allele
from lociflow.effects.region import Region, parse_region
from lociflow.effects.saturation import effect_matrix, region_letters, saturate_region
from lociflow.effects.saturation_figure import Drawn, draw_saturation, mean_effect
from lociflow.effects.statistics import score_alleles
from lociflow.models.outputs import Outputs

OUTPUTS = Outputs("real", ("b_c", "b/c"))
#         1234567890123456
GENOME = {"chrI": "ACGTTGCAACGTNACGATTTACGACGGCAT", "HLA:1": "ACGT"}
WEIGHTS = torch.arange(64, dtype=torch.float32).reshape(2, 4, 8) ** 2


def linear(sequence: torch.Tensor) -> torch.Tensor:
    return torch.einsum("bcl,tcl->bt", sequence, WEIGHTS[..., : sequence.shape[-1]])


def test_a_region_as_samtools_writes_it() -> None:
    assert parse_region("chrI:5-10") == Region("chrI", 4, 10)
    assert parse_region("chrI:1,005-1,005") == Region("chrI", 1004, 1005)
    assert parse_region("HLA:1:2-3") == Region("HLA:1", 1, 3)
    for wrong in ("chrI", "chrI:0-5", "chrI:9-5", "chrI:5", "chrI:-3-5"):
        with pytest.raises(UserError, match="expected contig:start-end"):
            parse_region(wrong)


def test_letters_of_a_region(store_of: StoreOf) -> None:
    store = store_of(GENOME)
    assert region_letters(store, Region("chrI", 11, 15)) == "TNAC"
    with pytest.raises(UserError, match="an end up to 30"):
        region_letters(store, Region("chrI", 11, 31))
    with pytest.raises(UserError, match="has no contig chrX"):
        region_letters(store, Region("chrX", 1, 3))


def test_a_row_for_each_substitution_and_target_and_a_figure_for_each_target(
    store_of: StoreOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(GENOME)
    models = [predictor(linear, 8, OUTPUTS), predictor(lambda sequence: 3 * linear(sequence), 8, OUTPUTS)]
    monkeypatch.setattr(saturation, "load_predictors", lambda checkpoints, device: models)
    table, figures = tmp_path / "table.tsv", tmp_path / "figures"
    arguments = (store.path, [Path("1"), Path("2")], "I:12-14", {"contig_aliases": {"I": "chrI"}}, table, figures)
    saturate_region(*arguments)
    rows = pd.read_csv(table, sep="\t")
    # T, N and A: three substitutions of two targets each, none of N.
    assert rows[["position", "ref", "alt", "target"]].to_numpy().tolist()[:3] == [
        [12, "T", "A", "b_c"],
        [12, "T", "A", "b/c"],
        [12, "T", "C", "b_c"],
    ]
    assert (rows["position"].tolist(), rows["contig"].unique().tolist()) == ([12] * 6 + [14] * 6, ["chrI"])
    for row in rows.itertuples():
        weights = WEIGHTS[OUTPUTS.targets.index(str(row.target)), :, 4]
        one = (weights["ACGT".index(str(row.alt))] - weights["ACGT".index(str(row.ref))]).item()
        assert row.difference == pytest.approx(2 * one)
        assert row.sd == pytest.approx(abs(one) * 2**0.5, rel=1e-4)
    assert sorted(path.name for path in figures.iterdir()) == ["b_c-2.svg", "b_c.svg"]
    assert "<dc:title>b/c</dc:title>" in (figures / "b_c-2.svg").read_text()
    first = (figures / "b_c.svg").read_bytes()
    saturate_region(*arguments)
    assert (figures / "b_c.svg").read_bytes() == first


def test_a_region_without_bases(store_of: StoreOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saturation, "load_predictors", lambda checkpoints, device: [predictor(linear, 8, OUTPUTS)])
    with pytest.raises(UserError, match="holds no A, C, G or T"):
        saturate_region(store_of(GENOME).path, [Path("1")], "chrI:13-13", {}, tmp_path / "t.tsv", tmp_path / "f")


def test_where_windows_are_the_same_the_effects_are_tangermemes(store_of: StoreOf) -> None:
    torch.manual_seed(1)
    network = torch.nn.Sequential(
        torch.nn.Conv1d(4, 5, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(30, 2)
    ).eval()
    letters = "GATTACAT"
    store = store_of({"chrI": letters})
    # The window of the base in the middle is the contig itself.
    alleles = [Allele(0, 4, "A", other) for other in "CGT"]
    found = score_alleles([predictor(network, 8, OUTPUTS)], store, alleles, [0]).statistics
    window = torch.tensor([[[float(letter == base) for letter in letters] for base in "ACGT"]])
    raw = saturation_mutagenesis(network, window, start=4, end=5, raw_outputs=True, device="cpu")
    expected = raw.y_hat[0, 1:, 0].numpy() - raw.y0[0].numpy()
    np.testing.assert_allclose(found["difference"], expected, atol=1e-6)


def test_the_matrix_has_the_bases_as_rows() -> None:
    alleles = [Allele(0, 5, "A", "C"), Allele(0, 6, "C", "T")]
    found = effect_matrix(alleles, np.array([1.0, -2.0]), Region("chrI", 5, 7))
    nan = float("nan")
    np.testing.assert_array_equal(found, [[nan, nan], [1, nan], [nan, nan], [nan, -2]])
    assert mean_effect(np.array([[nan, nan], [1, nan], [2, nan], [6, nan]])).tolist() == [3.0, 0.0]


def test_what_the_figure_says(tmp_path: Path) -> None:
    effect = np.array([[np.nan, 0.5], [-1.0, np.nan], [0.25, 0.0], [0.0, 0.0]])
    drawn = Drawn(effect, "AC", Region("chrI", 999, 1001), "Reb1", "log2_fold_change", signed=True)
    draw_saturation(drawn, tmp_path / "Reb1.svg")
    text = (tmp_path / "Reb1.svg").read_text()
    assert "<dc:title>Reb1</dc:title>" in text
    assert "the largest absolute effect is 1." in text
    said = re.findall(r"<text [^>]*>([^<]*)</text>", text)
    assert {"A", "C", "G", "T", "log2 fold change", "1,000", "1,001"} <= set(said)
    assert any(line.startswith("position on chrI (bp, 1-based)") for line in said)

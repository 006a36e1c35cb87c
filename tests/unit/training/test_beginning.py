"""What a training begins from: the weights of others, a vocabulary."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from planted import Planted
from window_files import HOLDOUT, SIDES

from lociflow.command import UserError
from lociflow.data.bins import Bins, bins_of_split, read_bins
from lociflow.genome.window_table import METADATA, SPLIT
from lociflow.models.checkpoint import load_model
from lociflow.models.language_model import LanguageModel
from lociflow.sequence.alphabet import reverse_complement
from lociflow.sequence.store import open_store
from lociflow.training import beginning
from lociflow.training.beginning import learn_vocabulary, vocabulary_bins, windows_as_text

TRANSFER = {"model": "tiny"}
BYTE_PAIRS = {
    "_target_": "lociflow.models.language_model.LanguageModel",
    "tokens": {"_target_": "lociflow.models.byte_pairs.BytePairs", "words": 12},
    "encoder": {"_target_": "lociflow.models.hyena.HyenaEncoder", "width": 8, "layers": 1},
}


def split_as(data: Planted, path: Path, **sides: str) -> Planted:
    """Write the windows with other sides of the contigs."""
    table = pq.read_table(data.windows)
    about = json.loads(table.schema.metadata[METADATA])
    about["split_digests"] = {HOLDOUT: " ".join(sides.values())}
    column = [sides[contig] for contig in table["contig"].to_pylist()]
    number = table.schema.get_field_index(SPLIT + HOLDOUT)
    dictionary = pa.DictionaryArray.from_arrays(pa.array([SIDES.index(side) for side in column], pa.int8()), SIDES)
    table = table.set_column(number, SPLIT + HOLDOUT, dictionary)
    pq.write_table(table.replace_schema_metadata({METADATA: json.dumps(about)}), path)
    return data._replace(windows=path)


def test_what_was_read_two_transfers_ago_is_not_tested(fit: Callable[..., Path], data: Planted, tmp_path: Path) -> None:
    first = split_as(data, tmp_path / "1.parquet", chrA="train", chrB="validation", chrC="test")
    second = split_as(data, tmp_path / "2.parquet", chrA="validation", chrB="train", chrC="test")
    third = split_as(data, tmp_path / "3.parquet", chrA="train", chrC="validation", chrB="test")
    recipe: dict[str, Any] = {"max_epochs": 0}
    one = fit("one", on=first, **recipe) / "model.ckpt"
    recipe["transfer"] = TRANSFER
    two = fit("two", on=second, start_from=one, **recipe) / "model.ckpt"
    (before,) = load_model(two).provenance["inherited"]
    assert before["labelled"]
    assert {side: list(contigs.values()) for side, contigs in before["contigs"].items()} == {
        "train": ["chrA"],
        "validation": ["chrB"],
    }
    with pytest.raises(UserError, match=r"was fitted on chrB, which the present split tests on"):
        fit("three", on=third, start_from=two, **recipe)


def test_the_same_split_keeps_its_sides_apart_on_any_contigs(
    fit: Callable[..., Path], data: Planted, tmp_path: Path
) -> None:
    # Halves of a contig on both sides: contigs alone would refuse the transfer.
    mixed = split_as(data, tmp_path / "mixed.parquet", chrA="train", chrB="validation", chrC="test")
    table = pq.read_table(mixed.windows)
    number = table.schema.get_field_index(SPLIT + HOLDOUT)
    codes = np.arange(len(table)) % 3
    column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), SIDES)
    pq.write_table(table.set_column(number, SPLIT + HOLDOUT, column), mixed.windows)
    origin = fit("origin", on=mixed, max_epochs=0) / "model.ckpt"
    tuned = fit("tuned", on=mixed, max_epochs=0, transfer=TRANSFER, start_from=origin)
    assert load_model(tuned / "model.ckpt").provenance["inherited"][0]["split_digest"]
    with pytest.raises(UserError, match="was fitted on chrC"):
        fit("other", on=data, max_epochs=0, transfer=TRANSFER, start_from=origin)


@pytest.fixture
def unlabelled(fit: Callable[..., Path]) -> Callable[..., Path]:
    def run(name: str, **more: Any) -> Path:
        objective = {"_target_": "lociflow.training.masked.MaskedTokens"}
        return fit(
            name, model={"architecture": BYTE_PAIRS}, objective=objective, loss=None, early_stopping=None, **more
        )

    return run


def vocabulary(folder: Path) -> tuple[str, ...]:
    model = load_model(folder / "model.ckpt").model
    assert isinstance(model, LanguageModel)
    found: tuple[str, ...] = model.trunk.tokens.vocabulary()
    return found


def test_a_vocabulary_is_learnt_from_the_training_windows_and_travels(
    unlabelled: Callable[..., Path], fit: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = unlabelled("origin", max_epochs=1)
    words = vocabulary(origin)
    assert len(words) == 12
    assert words[:4] == ("A", "C", "G", "T")
    assert all(len(word) > 1 for word in words[4:])
    assert vocabulary(unlabelled("again", max_epochs=1)) == words
    # What begins from it keeps its words, whatever its own windows would say.
    monkeypatch.setattr(beginning, "windows_as_text", lambda *_: iter(["ACACACACGTTTGTTTGTTT" * 20]))
    assert vocabulary(unlabelled("own", max_epochs=0)) != words
    tuned = fit(
        "tuned", model={"architecture": BYTE_PAIRS}, max_epochs=0, transfer=TRANSFER, start_from=origin / "model.ckpt"
    )
    assert vocabulary(tuned) == words


def test_windows_are_read_from_their_own_strand(data: Planted) -> None:
    store = open_store(data.store)
    bins = read_bins(data.windows, store, HOLDOUT)
    strand = np.zeros(len(bins), dtype=bool)
    strand[1] = True
    turned = Bins(bins.place, strand, bins.split)
    forward, other = list(windows_as_text(store, turned, np.array([0, 1]), planted.BIN))
    expected = list(windows_as_text(store, bins, np.array([0, 1]), planted.BIN))
    assert set(forward) <= set("ACGT")
    assert len(forward) == planted.BIN
    assert forward == expected[0]
    codes = reverse_complement(np.array(["ACGT".index(letter) for letter in expected[1]], dtype=np.uint8))
    assert other == "".join("ACGT"[code] for code in codes)


def test_many_windows_are_a_draw_of_the_seed(data: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(data.store)
    bins = read_bins(data.windows, store, HOLDOUT)
    training = bins_of_split(bins, "train")
    assert np.array_equal(vocabulary_bins(training, 1), training)
    monkeypatch.setattr(beginning, "WINDOWS", 30)
    drawn = vocabulary_bins(training, 1)
    assert len(set(drawn)) == 30
    assert set(drawn) <= set(training)
    assert np.array_equal(drawn, np.sort(drawn))
    assert np.array_equal(drawn, vocabulary_bins(training, 1))
    assert not np.array_equal(drawn, vocabulary_bins(training, 2))
    # A model without a vocabulary is left alone.
    learn_vocabulary(torch.nn.Linear(1, 1), store, bins, training, planted.BIN, 1)

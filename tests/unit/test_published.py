"""Files of published numbers: those that ship with lociflow, and what is refused of others."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from groups import DATASET, RUN, SCHEMAS, changed, refusal, write

from lociflow.config import Configuration
from lociflow.published import check_entry, published_entries, read_published

HOME = Path(__file__).parents[2]
SHIPPED = sorted((HOME / "config/published").glob("*.yaml"))
NUMBERS: dict[str, Any] = {
    "description": "Toy numbers.",
    "source": {"paper": "Nobody 2020", "address": "https://a.org/paper", "place": "table 1"},
    "data": "ten windows",
    "protocol": "a hold-out",
    "dataset": "toy",
    "split": "holdout",
    "tolerance": {"value": 0.01, "reason": "two digits"},
    "caveats": ["The split leaks."],
    "entries": {
        "net": {"method": "Net", "models": {"net": "faithful"}, "metric": "auroc", "target": "A", "value": 0.8}
    },
}


def entries_of(home: Path, content: Any, **run: Any) -> list[dict[str, Any]]:
    write(home, "published", "toys", content)
    return published_entries({**RUN, **run}, Configuration(home, SCHEMAS))


def refused(home: Path, content: Any, **run: Any) -> str:
    path = home / "published" / "toys.yaml"
    told = refusal(lambda: entries_of(home, content, **run))
    assert told.startswith(f"{path}: ")
    return told.removeprefix(f"{path}: ")


# ------------------------------------------------------------------------------------------------------------- shipped
@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return Configuration(HOME / "config", SCHEMAS)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_file_is_as_its_schema_and_the_groups_have_it(shipped: Configuration, path: Path) -> None:
    entries = read_published(path, SCHEMAS)
    assert entries
    for entry in entries:
        check_entry(entry, path, shipped)
        if entry["metric"] in ("auroc", "auprc", "accuracy", "top_k", "error", "class_error"):
            assert 0 < entry["value"] < 1


def covered(shipped: Configuration, name: str, **changes: Any) -> set[str]:
    run = yaml.safe_load((HOME / "config/config.yaml").read_text())
    run |= yaml.safe_load((HOME / f"config/runs/{name}.yaml").read_text())
    return {entry["id"].partition("/")[0] for entry in published_entries(run | changes, shipped)}


def test_runs_cover_the_numbers_of_their_data_sets_and_splits(shipped: Configuration) -> None:
    for name in ("nfe2", "uci_splice", "uci_promoters"):
        assert covered(shipped, name) == {name}
    assert covered(shipped, "quickstart") == set()
    assert covered(shipped, "nfe2", splits={"nfe2": ["leakfree"]}) == set()


# ------------------------------------------------------------------------------------------------------------- reading
def test_an_entry_has_what_its_file_shares(home: Path) -> None:
    (found,) = entries_of(home, NUMBERS)
    assert found == {
        "id": "toys/net", "method": "Net", "models": {"net": "faithful"}, "metric": "auroc", "target": "A",
        "statistic": None, "over": None, "value": 0.8, "count": None, "trials": None, "exact": False,
        "source": NUMBERS["source"], "data": "ten windows", "protocol": "a hold-out", "dataset": "toy",
        "split": "holdout", "tolerance": NUMBERS["tolerance"], "not_comparable": None, "caveats": ["The split leaks."],
    }  # fmt: skip


def test_an_entry_may_say_otherwise_of_itself(home: Path) -> None:
    own = {"data": "five windows", "caveats": ["Few."], "not_comparable": "it is of other windows", "dataset": None}
    write(home, "published", "toys", changed(NUMBERS, entries__net={**NUMBERS["entries"]["net"], **own}))
    (found,) = read_published(home / "published" / "toys.yaml", SCHEMAS)
    assert (found["data"], found["not_comparable"], found["dataset"]) == (own["data"], own["not_comparable"], None)
    assert found["caveats"] == ["The split leaks.", "Few."]


def test_a_count_is_a_share_of_its_trials(home: Path) -> None:
    labelled = changed(DATASET, evaluation={"threshold": 0.5})
    write(home, "dataset", "toy", labelled)
    error = {"method": "Net", "metric": "error", "target": "A", "count": 8, "trials": 106}
    (found,) = entries_of(home, changed(NUMBERS, entries__net=error))
    assert found["value"] == 8 / 106
    assert (found["count"], found["trials"]) == (8, 106)


def test_without_a_target_it_is_the_median(home: Path) -> None:
    (found,) = entries_of(home, changed(NUMBERS, entries__net__target=None))
    assert (found["target"], found["statistic"]) == (None, "median")


def test_own_folders_hold_published_numbers_too(home: Path, tmp_path: Path) -> None:
    write(tmp_path / "own", "published", "mine", NUMBERS)
    found = published_entries(RUN, Configuration(home, SCHEMAS, [tmp_path / "own"]))
    assert [entry["id"] for entry in found] == ["mine/net"]


def test_numbers_without_a_data_set_and_of_other_data_sets_are_not_of_the_run(home: Path) -> None:
    assert entries_of(home, changed({**NUMBERS, "dataset": None, "split": None})) == []
    write(home, "dataset", "other", DATASET)
    assert entries_of(home, changed(NUMBERS, dataset="other")) == []
    # what a run does not cover may speak of models that only others have
    assert entries_of(home, changed(NUMBERS, dataset="other", entries__net__models={"nett": "faithful"})) == []


# ------------------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"entries__net__metric": "aurocc"}, "entries.net.metric: there is no metric aurocc; did you mean auroc?"),
        ({"entries__net__metric": "pearson"}, "entries.net.metric: found pearson, expected one that binary labels of"),
        (
            {"entries__net__metric": "error"},
            "entries.net.metric: found error, expected one that binary labels of toy have: auroc, auprc, "
            "recall_fdr5, recall_fdr10, recall_fdr25, f1, mcc, ece; set "
            "evaluation.threshold in its file to count errors",
        ),
        ({"entries__net__models": {"nett": "similar"}}, "entries.net.models: there is no model or baseline nett; did"),
        ({"entries__net__models": {"nett+x": "similar"}}, "entries.net.models: there is no model or baseline nett; "),
        ({"dataset": "toyy"}, "entries.net.dataset: there is no data set toyy; did you mean toy?"),
        ({"split": "holduot"}, "entries.net.split: the data set toy has no split holduot; did you mean holdout?; exp"),
        ({"split": None}, "entries.net.split: the data set toy has no split None; expected one of holdout"),
        ({"entries__net__target": "C"}, "entries.net.target: toy has no C; expected one of A, B"),
        (
            {"entries__net__value": None, "entries__net__count": 11, "entries__net__trials": 10},
            "entries.net.count: found 11 of 10 trials, expected no more than all",
        ),
        (
            {"entries__net__exact": True, "entries__net__models": {"net": "similar"}},
            "entries.net.exact: found no faithful model, expected the one that is the published predictions",
        ),
        ({"sorce": 1}, "unknown key sorce; did you mean source?"),
        ({"source": None}, "'source' is a required property"),
        ({"source__address": None}, "source: 'address' is a required property"),
        ({"source__address": "the paper"}, "source.address: 'the paper' does not match"),
        ({"tolerance__value": 0}, "tolerance.value: 0 is less than or equal to the minimum of 0"),
        ({"tolerance__reason": None}, "tolerance: 'reason' is a required property"),
        ({"entries__net__value": None}, "entries.net: "),
        ({"entries__net__count": 1, "entries__net__trials": 2}, "entries.net: "),
        ({"entries__net__models": {"net": "same"}}, "entries.net.models.net: 'same' is not one of"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_file(home: Path, changes: dict[str, Any], told: str) -> None:
    assert refused(home, changed(NUMBERS, **changes)).startswith(told)


def test_an_unknown_class_is_refused(home: Path) -> None:
    classes = {"kind": "class", "classes": ["x", "y"], "min_overlap": 0.5}
    write(home, "dataset", "toy", changed(DATASET, labels=classes))
    (found,) = entries_of(home, changed(NUMBERS, entries__net__metric="class_error", entries__net__target="A:x"))
    assert found["target"] == "A:x"
    wrong = changed(NUMBERS, entries__net__metric="class_error", entries__net__target="A:xx")
    assert refused(home, wrong).startswith(
        "entries.net.target: toy has no A:xx; did you mean A:x?; expected one of A:x"
    )
    whole = changed(NUMBERS, entries__net__metric="accuracy", entries__net__target="A:x")
    assert refused(home, whole).startswith("entries.net.target: toy has no A:x")


@pytest.mark.parametrize("content", ["", "- a\n", "a: [1\n"])
def test_a_file_that_holds_no_keys_is_refused(home: Path, content: str) -> None:
    assert refused(home, content)

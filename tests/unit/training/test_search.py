import json

import pytest

from lociflow.command import UserError
from lociflow.training.search import choose_trial, common_monitor


def write_trial(folder, monitor, values, parameters=7, min_delta=0.0, kept=None, **training):
    folder.mkdir()
    (folder / "model.ckpt").write_text(f"weights of {folder.name}")
    stopping = None if monitor is None else {"monitor": monitor, "patience": 1, "min_delta": min_delta}
    better = min if monitor == "validation_loss" else max
    known = [value for value in values if value is not None]
    kept = kept or (values.index(better(known)) + 1 if known else 0)
    config = {"training": {"early_stopping": stopping, **training}, "parameters": parameters, "kept_epoch": kept}
    (folder / "config.json").write_text(json.dumps(config))
    rows = [f"{epoch},{'' if value is None else value},1.5" for epoch, value in enumerate(values, start=1)]
    (folder / "history.csv").write_text("\n".join([f"epoch,{monitor},seconds", *rows]) + "\n")
    return str(folder)


def choose(tmp_path, trials):
    outputs = [tmp_path / name for name in ("model.ckpt", "config.json", "history.csv", "trials.tsv")]
    choose_trial(trials, *outputs)
    return outputs


def test_the_kept_epoch_of_each_trial_counts(tmp_path):
    a = write_trial(tmp_path / "a", "validation_auprc", [0.5, 0.6, 0.4])
    b = write_trial(tmp_path / "b", "validation_auprc", [None, 0.3, 0.7], parameters=9)
    checkpoint, config, _, table = choose(
        tmp_path, {a: {"training.optimizer.lr": 0.1}, b: {"training.optimizer.lr": 1}}
    )
    assert checkpoint.read_text() == "weights of b"
    assert json.loads(config.read_text())["parameters"] == 9
    assert table.read_text().splitlines() == [
        "rank\ttraining.optimizer.lr\tvalidation_auprc\tparameters\tepochs\tseconds",
        "1\t1\t0.700000\t9\t3\t4.5",
        "2\t0.1\t0.600000\t7\t3\t4.5",
    ]


def test_a_better_epoch_that_was_not_kept_does_not_count(tmp_path):
    # Of an augmented training only the clean epochs are kept.
    a = write_trial(tmp_path / "a", "validation_auroc", [0.9, 0.5, 0.5], kept=2)
    b = write_trial(tmp_path / "b", "validation_auroc", [0.6, 0.7, 0.8])
    checkpoint, *_, table = choose(tmp_path, {a: {"training.jitter": 0}, b: {"training.jitter": 5}})
    assert checkpoint.read_text() == "weights of b"
    assert [line.split("\t")[2] for line in table.read_text().splitlines()[1:]] == ["0.800000", "0.500000"]


def test_a_smaller_loss_is_better_and_the_first_of_two_equal_trials_is_taken(tmp_path):
    trials = {
        write_trial(tmp_path / name, "validation_loss", values): {"training.batch_size": size}
        for size, (name, values) in enumerate({"a": [3.0], "b": [0.5, 2.0], "c": [0.5]}.items(), start=1)
    }
    checkpoint, *_, table = choose(tmp_path, trials)
    assert checkpoint.read_text() == "weights of b"
    assert [line.split("\t")[1] for line in table.read_text().splitlines()[1:]] == ["2", "3", "1"]


def test_trials_that_watch_different_scores_are_refused(tmp_path):
    trials = {write_trial(tmp_path / name, name, [1.0]): {} for name in ("validation_loss", "validation_auroc")}
    with pytest.raises(UserError, match="its trials watch validation_auroc, validation_loss, expected one score"):
        choose(tmp_path, trials)


def test_what_patience_counts_as_a_gain_chooses_no_trial(tmp_path):
    # By gains of at least 0.1 the first trial would stand at 0.50 and the second at 0.55.
    a = write_trial(tmp_path / "a", "validation_auprc", [0.50, 0.59], min_delta=0.1)
    b = write_trial(tmp_path / "b", "validation_auprc", [0.55, 0.56], min_delta=0.1)
    checkpoint, *_, table = choose(tmp_path, {b: {"training.batch_size": 1}, a: {"training.batch_size": 2}})
    assert checkpoint.read_text() == "weights of a"
    assert table.read_text().splitlines()[1].startswith("1\t2\t0.590000")


def test_trials_with_other_losses_are_not_compared_by_their_loss(tmp_path):
    def trials(monitor):
        folder = tmp_path / monitor
        folder.mkdir()
        losses = ({"_target_": "loss", "pos_weight": weight} for weight in (1, 5))
        return {
            write_trial(folder / str(number), monitor, [0.5 + number], loss=loss): {"training.loss.pos_weight": number}
            for number, loss in enumerate(losses)
        }

    with pytest.raises(UserError, match=r"differ in training\.loss and are to be compared by validation_loss") as told:
        choose(tmp_path, trials("validation_loss"))
    assert "set training.early_stopping.monitor to headline" in str(told.value)
    checkpoint, *_ = choose(tmp_path, trials("validation_auprc"))
    assert checkpoint.read_text() == "weights of 1"


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({"objective": {"rate": 0.1}}, {"objective": {"rate": 0.2}}, r"differ in training\.objective"),
        ({"balance": {"ratio": 1}}, {"balance": None}, r"differ in training\.balance"),
        ({"label_fraction": 0.1}, {"label_fraction": 1}, r"differ in training\.label_fraction"),
        ({"targets": ["a"]}, {"targets": None}, r"differ in training\.targets, expected the same labels"),
        ({"label_permutation": True}, {"label_permutation": False}, r"differ in training\.label_permutation"),
    ],
)
def test_what_cannot_be_compared(one, other, message):
    stopping = {"early_stopping": {"monitor": "validation_loss"}}
    with pytest.raises(UserError, match=message):
        common_monitor([{**stopping, **one}, {**stopping, **other}])
    assert common_monitor([{**stopping, **one, "batch_size": 1}, {**stopping, **one}]) == "validation_loss"


@pytest.mark.parametrize(("monitor", "values"), [(None, [1.0]), ("validation_loss", [])])
def test_a_trial_without_a_score_is_refused(tmp_path, monitor, values):
    with pytest.raises(UserError, match="no validation score to be chosen by"):
        choose(tmp_path, {write_trial(tmp_path / "a", monitor, values): {}})

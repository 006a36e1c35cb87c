"""The table of pairs of models and baselines, ``comparisons.tsv``: its columns and its verdicts."""

COLUMNS = (
    "dataset", "split", "metric", "first", "second", "first_value", "second_value", "difference", "low", "high", "p",
    "q", "seeds", "verdict", "caveat", "auroc_difference", "delong_p", "delong_q",
)  # fmt: skip
# What the first of a pair is, which has the better value.
BETTER, WORSE, NEITHER = "better", "worse", "no clear difference"

"""What the steps before a ranking of explanations have written, with numbers that are known."""

import json

import numpy as np

from lociflow.formats import stamp
from lociflow.interpretation.checks.verdicts import CHECKS, FAIL, PASS
from lociflow.report.explanation_ranking import rank_explanations

JITTER = np.linspace(-0.02, 0.02, 41)


class Files:
    """Writes what the steps before have found."""

    def __init__(self, folder):
        self.folder = folder
        self.explained, self.sets = [], {}

    def truth(
        self,
        model,
        method,
        auprc,
        kind="model",
        spread=JITTER,
        explained="same",
        recovered=None,
        spacing=None,
        fails=(),
        **more,
    ):
        path = self.folder / f"{model}.{method}.json"
        factors = {
            factor: {"auprc": value, "low": value - 0.1, "high": value + 0.1, "base_rate": 0.1, "decoy_ratio": 0.5,
                     "windows": 20}
            for factor, value in (("A", auprc - 0.1), ("B", auprc + 0.1))
        }  # fmt: skip
        overall = {"factors": 2, "windows": 40, "auprc": auprc, "low": auprc - 0.05, "high": auprc + 0.05,
                   "base_rate": 0.1, "decoy_ratio": 0.5}  # fmt: skip
        draws = [round(auprc + float(step), 6) for step in spread]
        path.write_text(
            json.dumps(
                {**stamp("explanation scores"), "method": method, "factors": factors, "overall": overall,
                 "draws": draws, "explained": explained, "not_planted": []}
            )
        )  # fmt: skip
        metrics = self.folder / f"{model}.metrics.json"
        metrics.write_text(json.dumps({**stamp("metrics"), **({"spacing": spacing} if spacing else {})}))
        checks = self.folder / f"{model}.{method}.checks.json"
        verdicts = {key: {"verdict": FAIL if key in fails else PASS} for key in CHECKS}
        checks.write_text(json.dumps({**stamp("explanation checks"), "method": method, **verdicts}))
        self.explained.append(
            {"model": model, "architecture": model.partition("+")[0], "method": method, "kind": kind, "given": False,
             "truth": str(path), "checks": str(checks), "metrics": str(metrics), **more}
        )  # fmt: skip
        if recovered is not None:
            self.motifs(f"{model}/{method}", recovered, 3)

    def motifs(self, label, recovered, false):
        self.sets[label] = {
            "motifs": recovered + false + 2, "negative": 1, "left_out": 1, "recovered": recovered,
            "false_motifs": [f"false_{number}" for number in range(false)], "foreign": ["false_0"],
            "factors": {
                name: {"matrix": "M", "recovered": number < recovered, "motif": "m", "q": 0.01,
                       "similarity": 0.25 + number / 2}
                for number, name in enumerate("AB")
            },
        }  # fmt: skip

    def ranked(self, left_out=()):
        """Return what a ranking is made from."""
        recovery = self.folder / "recovery.json"
        recovery.write_text(json.dumps({**stamp("motif recovery"), "sets": self.sets}))
        return {"explained": self.explained, "left_out": list(left_out), "recovery": str(recovery)}

    def rank(self, left_out=()):
        return rank_explanations(self.ranked(left_out), 0.9)

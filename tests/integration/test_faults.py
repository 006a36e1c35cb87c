"""The short form of the campaign of kills and corruptions: some of each kind, without snakemake."""

import os
import re
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parents[2]


def test_kills_and_corruptions_lose_nothing(tmp_path):
    ran = subprocess.run(
        [
            *(sys.executable, "tests/faults", "--runs", "0", "--kills", "12", "--corruptions", "18"),
            *("--folder", str(tmp_path)),
        ],
        cwd=HOME,
        env={**os.environ, "PYTHONPATH": f"{HOME / 'scripts'}:{HOME / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^12 kills: 12 survived, 0 refused, 0 lost$", ran.stdout, re.MULTILINE), ran.stdout
    told = re.search(r"^18 corruptions: (\d+) survived, (\d+) refused, 0 lost$", ran.stdout, re.MULTILINE)
    assert told, ran.stdout
    assert int(told[2]) > 0

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "simulate.py"

CONFIG = {
    "seed": 1,
    "release": "JASPAR2024",
    "contigs": {"chrA": 3000, "chrB": 2000},
    "background": {"order": 2, "isochores": {"length": 1000, "gc": [0.4]}},
    "factors": {"CTCF": {"matrix": "MA0139.2", "sites": 10}},
    "peaks": {"missed": 0.0, "spurious": 0.0, "jitter": 3, "width": [50, 80]},
}


def simulate(folder, config):
    return subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "--config", json.dumps(config), "--genome", "genome.fa"),
            *("--peaks", "peaks.bed", "--sites", "sites.tsv", "--log", "logs/simulate.log"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_a_second_run_writes_the_same_bytes(tmp_path):
    written = []
    for _ in range(2):
        done = simulate(tmp_path, CONFIG)
        assert done.returncode == 0, done.stderr
        written.append([(tmp_path / name).read_bytes() for name in ("genome.fa", "peaks.bed", "sites.tsv")])
    assert written[0] == written[1]
    assert done.stderr == "simulated 5,000 bases with 10 planted motifs, 10 of them bound, and 10 peaks\n"


def test_a_matrix_that_jaspar_lacks_is_one_sentence_and_exit_1(tmp_path):
    done = simulate(tmp_path, {**CONFIG, "factors": {"CTCF": {"matrix": "MA0139.9", "sites": 10}}})
    assert done.returncode == 1
    assert done.stderr == (
        "error: simulation: matrix MA0139.9 is not in JASPAR2024; look for its version at jaspar.elixir.no\n"
    )
    assert not (tmp_path / "genome.fa").exists()

import hashlib
import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "fetch.py"


def fetch(folder, source, *more):
    return subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "--source", json.dumps(source), "--output", "out/x.fa"),
            *("--record", "out/x.fa.source.json", "--log", "logs/fetch.log", *more),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_a_file_from_a_mirror(tmp_path):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "x.fa").write_text(">a\nACGT\n")
    digest = hashlib.sha256(b">a\nACGT\n").hexdigest()
    source = {"file": "x.fa", "url": "http://nowhere.invalid/x.fa", "path": None, "sha256": digest}
    done = fetch(tmp_path, source, "--mirror", "mirror")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "x.fa: 8 bytes, held to sha256\n"
    assert (tmp_path / "out" / "x.fa").read_text() == ">a\nACGT\n"
    assert json.loads((tmp_path / "out" / "x.fa.source.json").read_text())["pinned"]


def test_mistakes_are_one_sentence_and_exit_1(tmp_path):
    (tmp_path / "x.fa").write_text(">a\nACGT\n")
    for source, sentence in (
        ({"file": "x.fa", "path": "absent.fa"}, "error: absent.fa: there is no such file"),
        ({"file": "x.fa", "path": "x.fa", "sha256": "0" * 64}, "error: out/x.fa: found sha256 "),
    ):
        done = fetch(tmp_path, source)
        assert done.returncode == 1
        assert done.stderr.startswith(sentence)
        assert done.stderr.count("\n") == 1
        assert sentence in (tmp_path / "logs" / "fetch.log").read_text()
        assert not (tmp_path / "out" / "x.fa").exists()

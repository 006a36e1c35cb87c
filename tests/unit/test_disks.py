"""Disks that take no more: every library that writes results is told so in its own way, and a user in one sentence."""

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from lociflow.checksums import damage
from lociflow.command import UserError, atomic
from lociflow.genome.label_array import _create
from lociflow.stamped_arrays import write_arrays

HERE = Path(__file__)
SCRIPTS = HERE.parents[2] / "scripts"
# A megabyte that no compression makes smaller.
NOISE = np.random.default_rng(1).integers(0, 256, 1 << 20, dtype=np.uint8)
LIMIT = 1 << 16


def hdf5(path: Path) -> None:
    with h5py.File(path, "w", locking=False) as file:
        file["noise"] = NOISE


def mapped(path: Path) -> None:
    _create(path, NOISE.dtype, NOISE.shape)[:] = NOISE


WRITERS: dict[str, Callable[[Path], object]] = {
    "bytes": lambda path: path.write_bytes(NOISE.tobytes()),
    "text": lambda path: path.write_text(json.dumps(NOISE.tolist())),
    "npy": lambda path: np.save(path, NOISE),
    "npz": lambda path: np.savez(path, noise=NOISE),
    "parquet": lambda path: pq.write_table(pa.table({"noise": NOISE}), path),
    "tsv": lambda path: pd.DataFrame({"noise": NOISE}).to_csv(path, sep="\t"),
    "ckpt": lambda path: torch.save({"noise": torch.from_numpy(NOISE)}, path),
    "h5": hdf5,
    "map": mapped,
}


def write(kind: str, folder: Path) -> str:
    """Return what a user is told when a megabyte is written."""
    path = folder / f"result.{kind}"
    try:
        with atomic(path) as temporary:
            WRITERS[kind](temporary)
    except UserError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Let no file grow beyond 64 kB, which is refused like a full disk: at the byte that is too many."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_that_may_not_grow_is_one_sentence_and_leaves_nothing(tmp_path, kind):
    with limited():
        told = write(kind, tmp_path)
    assert told == (
        f"{tmp_path}/result.{kind}: cannot be written (File too large); raise the limit on the size of files "
        "(ulimit -f) and run again"
    )
    assert list(tmp_path.iterdir()) == []
    assert write(kind, tmp_path) == ""


def test_what_was_there_stays_when_the_new_does_not_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("result.bytes")
    with atomic(path) as temporary:
        temporary.write_bytes(b"whole")
    with limited():
        assert write("bytes", Path()) != ""
    assert path.read_bytes() == b"whole"
    assert damage(path) is None


def test_arrays_that_do_not_fit_are_refused_by_the_name_of_their_file(tmp_path):
    with limited(), pytest.raises(UserError, match=r"^\S*found\.npz: cannot be written"):
        write_arrays(tmp_path / "found.npz", "attributions", {}, {"noise": NOISE}, compressed=False)


def in_mount(mount: str, folder: Path) -> dict[str, str]:
    """Write each kind of file into a file system of its own, and return what is told, and what is left there."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("mounting needs root")
    folder.mkdir()
    command = f"{mount.format(folder)} && exec {sys.executable} {HERE} {folder}"
    ran = subprocess.run(
        ["unshare", "-m", "bash", "-c", command],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, str] = json.loads(ran.stdout)
    return told


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    folder = tmp_path / "full"
    told = in_mount("mount -t tmpfs -o size=512k tmpfs {}", folder)
    assert told.pop("left") == "[]"
    assert told == {
        kind: f"{folder}/result.{kind}: cannot be written (No space left on device); make room and run again"
        for kind in WRITERS
    }


def test_results_that_may_only_be_read_are_one_sentence(tmp_path):
    folder = tmp_path / "fixed"
    told = in_mount("mount -t tmpfs -o ro tmpfs {}", folder)
    assert told.pop("left") == "[]"
    assert told == {
        kind: f"{folder}/result.{kind}: cannot be written (Read-only file system); choose a working directory that can "
        "be written (--directory) and run again"
        for kind in WRITERS
    }


if __name__ == "__main__":
    place = Path(sys.argv[1])
    found = {kind: write(kind, place) for kind in WRITERS}
    print(json.dumps({**found, "left": str(sorted(path.name for path in place.iterdir()))}))

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from lociflow.command import UserError
from lociflow.models.checkpoint import save_checkpoint, weights_digest
from lociflow.models.outputs import Outputs
from lociflow.provenance import weights
from lociflow.provenance.weights import provenance_in, weights_digest_of

STATE = {
    "z.weight": torch.arange(12, dtype=torch.float32).reshape(3, 4).T,
    "a.scale": torch.tensor(2.5, dtype=torch.float64),
    "half": torch.tensor([1.5, -2.0], dtype=torch.float16),
    "count": torch.tensor([3, -1]),
    "mask": torch.tensor([[True], [False]]),
    "nothing": torch.zeros((0, 5)),
}


def write(path, state=STATE, **provenance):
    save_checkpoint(path, state, {}, Outputs("binary", ("CTCF",)), provenance)
    return path


def test_the_digest_is_that_of_torch(tmp_path):
    assert weights_digest_of(write(tmp_path / "model.ckpt")) == weights_digest(STATE)


def test_what_else_a_checkpoint_says_is_left_out(tmp_path):
    one, other, third = (
        write(tmp_path / f"{number}.ckpt", **told)
        for number, told in enumerate(({"torch": "2.9"}, {"torch": "3.0"}, {"torch": "3.0", "device_name": "H200"}))
    )
    assert len({path.read_bytes() for path in (one, other, third)}) == 3
    assert weights_digest_of(one) == weights_digest_of(other) == weights_digest_of(third)


def test_what_a_checkpoint_says_of_itself_is_read_without_torch_or_its_weights(tmp_path):
    path = write(tmp_path / "model.ckpt", device_name="NVIDIA H200", epoch=3)
    assert provenance_in(path) == {"device_name": "NVIDIA H200", "epoch": 3, "weights": weights_digest(STATE)}
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nfrom pathlib import Path\nimport lociflow.provenance.record\n"
            "from lociflow.provenance.weights import provenance_in\n"
            "print(provenance_in(Path(sys.argv[1]))['device_name'], 'torch' in sys.modules)",
            str(path),
        ],
        env={**os.environ, "PYTHONPATH": str(Path(weights.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "NVIDIA H200 False\n"
    (tmp_path / "broken.ckpt").write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="cannot be read as a checkpoint"):
        provenance_in(tmp_path / "broken.ckpt")


def test_one_other_weight_is_another_digest(tmp_path):
    changed = {**STATE, "count": torch.tensor([3, -2])}
    assert weights_digest_of(write(tmp_path / "model.ckpt", changed)) != weights_digest(STATE)


def rewritten(path, name, change):
    """Write an archive anew with one member changed, checksums and all."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    (found,) = [member for member in members if member.endswith(name)]
    members[found] = change(members[found])
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)


def test_weights_that_are_not_those_that_the_checkpoint_names_are_refused(tmp_path):
    path = write(tmp_path / "model.ckpt")
    rewritten(path, "/data/0", lambda data: bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(UserError, match=r"found weights with the digest .*, expected .* remove it and train again"):
        weights_digest_of(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = write(tmp_path / "model.ckpt")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"model\.ckpt: cannot be read as a checkpoint"):
        weights_digest_of(path)


class Harm:
    def __reduce__(self):
        return (json.loads, ('{"harm": "done"}',))


def test_nothing_that_the_file_names_is_run(tmp_path):
    path = write(tmp_path / "model.ckpt")
    harmful = io.BytesIO()
    pickle.dump(Harm(), harmful)
    rewritten(path, "/data.pkl", lambda data: harmful.getvalue())
    with pytest.raises(UserError, match=r"found json\.loads, expected tensors alone"):
        weights_digest_of(path)

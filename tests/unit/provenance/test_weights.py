import io
import json
import pickle
import zipfile

import pytest
import torch

from lociflow.command import UserError
from lociflow.models.checkpoint import save_checkpoint, weights_digest
from lociflow.models.outputs import Outputs
from lociflow.provenance.weights import weights_digest_of

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
    one, other = (write(tmp_path / f"{version}.ckpt", torch=version) for version in ("2.9", "3.0"))
    assert one.read_bytes() != other.read_bytes()
    assert weights_digest_of(one) == weights_digest_of(other)


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

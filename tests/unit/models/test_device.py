import os

import pytest
import torch

from lociflow.command import UserError
from lociflow.models.device import device_name, resolve_device
from lociflow.processor import processor


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch):
    """Undo what a GPU sets for the whole process."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    backends = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [backend.allow_tf32 for backend in backends]
    yield
    torch.use_deterministic_algorithms(False)
    for backend, allowed in zip(backends, before, strict=True):
        backend.allow_tf32 = allowed


@pytest.mark.parametrize(("name", "available"), [("cpu", True), ("cpu", False), ("auto", False)])
def test_the_cpu_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, restored, name: str, available: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert resolve_device(name) == torch.device("cpu")
    assert not torch.are_deterministic_algorithms_enabled()
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ


@pytest.mark.parametrize("name", ["cuda", "auto"])
def test_a_gpu_is_made_deterministic(monkeypatch: pytest.MonkeyPatch, restored, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device(name) == torch.device("cuda")
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"--device cuda: found no GPU .*snakemake --resources gpu=0"):
        resolve_device("cuda")


def test_a_device_is_named_by_the_model_of_the_gpus_in_use_or_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", ["NVIDIA H200", "NVIDIA H200", "NVIDIA L4"].__getitem__)
    gpu = torch.device("cuda")
    assert [device_name(gpu), device_name(gpu, 2)] == ["NVIDIA H200", "NVIDIA H200"]
    assert device_name(gpu, 3) == "NVIDIA H200, NVIDIA L4"
    assert device_name(torch.device("cpu"), 2) == processor() != ""

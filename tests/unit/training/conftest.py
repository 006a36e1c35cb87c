"""What trainings leave behind in torch is put back: other tests in the same process must not see it."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _determinism_put_back() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)

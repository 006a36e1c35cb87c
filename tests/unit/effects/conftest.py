from pathlib import Path

import pytest
from store_files import StoreOf, make_store


@pytest.fixture
def store_of(tmp_path: Path) -> StoreOf:
    return lambda contigs: make_store(tmp_path / "store", contigs)

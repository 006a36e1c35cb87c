from pathlib import Path

import pytest
from small_genome import Genome, make_genome


@pytest.fixture
def genome(tmp_path: Path) -> Genome:
    return make_genome(tmp_path)

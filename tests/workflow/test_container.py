"""The container file builds on a pinned image, from files that exist, for a user other than root."""

import re
from pathlib import Path

HOME = Path(__file__).parents[2]
LINES = re.sub(r"\\\n\s*", "", (HOME / "Dockerfile").read_text()).splitlines()


def arguments(instruction):
    """Return what follows an instruction, each time that it is given."""
    return [line.partition(" ")[2] for line in LINES if line.startswith(f"{instruction} ")]


def test_the_base_image_is_pinned_by_digest():
    (image,) = arguments("FROM")
    assert re.fullmatch(r"debian:bookworm-\d{8}-slim@sha256:[0-9a-f]{64}", image)


def test_what_is_copied_exists():
    copied = [name for entry in arguments("COPY") for name in entry.split()[1:-1]]
    assert {"requirements.lock", "requirements-torch.txt", "Makefile", "scripts"} <= set(copied)
    assert all((HOME / name).exists() for name in copied)


def test_it_is_set_up_and_run_by_a_user_without_rights():
    users = arguments("USER")
    assert users == ["lociflow"]
    assert LINES.index("USER lociflow") < next(i for i, line in enumerate(LINES) if line.startswith("RUN make setup"))
    assert "useradd --create-home lociflow" in arguments("RUN")[0]

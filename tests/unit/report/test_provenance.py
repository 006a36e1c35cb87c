import re

from lociflow.report import provenance


def test_versions_name_python_and_what_is_installed() -> None:
    found = provenance.versions()
    assert next(iter(found)) == "python"
    assert "numpy" in found


def test_no_commit_outside_a_checkout(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(provenance, "LOCIFLOW", tmp_path)
    assert provenance.commit() is None


def test_commit_is_a_hash_where_there_is_one() -> None:
    found = provenance.commit()
    assert found is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", found)

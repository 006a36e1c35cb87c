import pytest

from lociflow.code_digest import code_digest, import_closure


@pytest.fixture
def scripts(tmp_path):
    """Two architectures on a common layer, and a script that names neither."""
    package = tmp_path / "lociflow" / "models"
    package.mkdir(parents=True)
    (tmp_path / "lociflow" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (tmp_path / "lociflow" / "command.py").write_text('"""Doc."""\n\n\ndef run():\n    """Doc."""\n    return 1\n')
    (package / "layers.py").write_text("SIZE = 1\n")
    (package / "one.py").write_text("from lociflow.models.layers import SIZE\n\n\nclass One:\n    size = SIZE\n")
    (package / "two.py").write_text("import lociflow.models.layers\n\n\nclass Two: ...\n")
    (tmp_path / "train.py").write_text("from lociflow import command\n\ncommand.run()\n")
    return tmp_path


def digests(scripts):
    code_digest.__globals__["_source"].cache_clear()
    return {
        name: code_digest(scripts, "train.py", [f"lociflow.models.{name.lower()}.{name}"]) for name in ("One", "Two")
    }


def changed(scripts, path, old, new):
    before = digests(scripts)
    text = (scripts / path).read_text()
    assert old in text
    (scripts / path).write_text(text.replace(old, new, 1))
    after = digests(scripts)
    return {name for name in before if before[name] != after[name]}


def test_the_closure_holds_script_imports_and_named_objects(scripts):
    found = import_closure(scripts, "train.py", ["lociflow.models.one.One", "torch.optim.Adam"])
    assert {str(path.relative_to(scripts)) for path in found} == {
        "train.py",
        "lociflow/__init__.py",
        "lociflow/command.py",
        "lociflow/models/one.py",
        "lociflow/models/layers.py",
    } - ({"lociflow/__init__.py"} if scripts / "lociflow/__init__.py" not in found else set())


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("lociflow/command.py", '"""Doc."""', '"""Other."""'),
        ("lociflow/command.py", "return 1", "return 1  # comment"),
        ("lociflow/command.py", "def run", "\n\n# comment\ndef run"),
        ("train.py", "command.run()", "command.run( )"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(scripts, path, old, new):
    assert changed(scripts, path, old, new) == set()


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("lociflow/command.py", "return 1", "return 2", {"One", "Two"}),
        ("lociflow/models/layers.py", "1", "2", {"One", "Two"}),
        ("lociflow/models/one.py", "size", "length", {"One"}),
        ("lociflow/models/two.py", "...", "size = 1", {"Two"}),
        ("train.py", "command.run()", "command.run() or 1", {"One", "Two"}),
    ],
)
def test_an_edit_counts_where_it_is_used(scripts, path, old, new, expected):
    assert changed(scripts, path, old, new) == expected

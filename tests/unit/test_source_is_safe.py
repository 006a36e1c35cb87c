"""The source of lociflow calls nothing that would run what a file or a configuration holds."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
SCRIPTS = HOME / "scripts"
MODULES = sorted(SCRIPTS.rglob("*.py"))
RULES = sorted((HOME / "workflow").rglob("*.smk"))

# Calls that run what they read, or hand text to a shell; what stands for them is said beside it.
FORBIDDEN = {
    "eval": "ast.literal_eval or json.loads",
    "exec": "nothing",
    "compile": "nothing",
    "__import__": "hydra.utils.get_object behind lociflow.instantiate",
    "os.system": "subprocess.run with a list",
    "os.popen": "subprocess.run with a list",
    "subprocess.getoutput": "subprocess.run with a list",
    "subprocess.getstatusoutput": "subprocess.run with a list",
    "pickle.load": "json or numpy",
    "pickle.loads": "json or numpy",
    "pickle.Unpickler": "json or numpy",
    "marshal.load": "json",
    "marshal.loads": "json",
    "shelve.open": "json",
    "joblib.load": "json or numpy",
    "dill.load": "json or numpy",
    "dill.loads": "json or numpy",
    "cloudpickle.load": "json or numpy",
    "pd.read_pickle": "Parquet",
    "pandas.read_pickle": "Parquet",
    "yaml.load": "yaml.safe_load",
    "yaml.load_all": "yaml.safe_load_all",
    "yaml.full_load": "yaml.safe_load",
    "yaml.unsafe_load": "yaml.safe_load",
    "torch.jit.load": "torch.load with weights_only=True",
    "torch.hub.load": "nothing",
    "torch.serialization.add_safe_globals": "nothing",
    "shutil.unpack_archive": "reading members one by one",
    "tarfile.open": "reading members one by one, with filter='data'",
    "tempfile.mktemp": "tempfile.mkstemp",
    "urllib.request.urlopen": "lociflow.web.open_address",
    "urllib.request.urlretrieve": "lociflow.web.open_address",
    "ElementTree.parse": "defusedxml",
    "ElementTree.fromstring": "defusedxml",
    "pd.read_html": "nothing",
    "pd.eval": "nothing",
}
# Modules that may import by a name that is only known when they run: each checks it against lociflow's own.
IMPORTING = {"lociflow/genome/settings.py"}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call with its dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> object:
    """Return the constant that a keyword has; None where it is not given, ... where it is no constant."""
    for one in call.keywords:
        if one.arg == name:
            return one.value.value if isinstance(one.value, ast.Constant) else ...
    return None


def faults(text: str, where: str = "") -> list[str]:
    """Return what is wrong with a module, one sentence each."""
    tree = ast.parse(text)
    # `from pickle import load` is the same under a shorter name.
    long = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    found = []
    for short, call in calls(tree):
        name = long.get(short, short)
        if name in FORBIDDEN:
            found.append(f"line {call.lineno}: {name}: use {FORBIDDEN[name]}")
        if name == "torch.load" and keyword(call, "weights_only") is not True:
            found.append(f"line {call.lineno}: torch.load without weights_only=True")
        if name in ("np.load", "numpy.load") and keyword(call, "allow_pickle") not in (None, False):
            found.append(f"line {call.lineno}: np.load with allow_pickle")
        if keyword(call, "allow_pickle") not in (None, False):
            found.append(f"line {call.lineno}: allow_pickle")
        if keyword(call, "shell") not in (None, False):
            found.append(f"line {call.lineno}: shell=True")
        if name.startswith("subprocess.") and call.args and not isinstance(call.args[0], ast.List):
            found.append(f"line {call.lineno}: {name} of something else than a list that stands there")
        if name.endswith((".extract", ".extractall")):
            found.append(f"line {call.lineno}: {name}: read the members of an archive one by one")
        if name == "importlib.import_module" and where not in IMPORTING:
            found.append(f"line {call.lineno}: importlib.import_module")
        if name.endswith("from_pretrained") and not any(one.arg is None for one in call.keywords):
            found.append(f"line {call.lineno}: from_pretrained without the options that keep it offline")
        if name in ("Environment", "jinja2.Environment") and keyword(call, "autoescape") is None:
            found.append(f"line {call.lineno}: a template environment that does not say whether it escapes")
    return found


def test_no_module_runs_what_it_reads():
    found = {
        str(path.relative_to(SCRIPTS)): faults(path.read_text(), str(path.relative_to(SCRIPTS))) for path in MODULES
    }
    assert len(found) > 300
    assert {path: told for path, told in found.items() if told} == {}


@pytest.mark.parametrize(
    "text",
    [
        *(f"import os\n{name}(x)" for name in FORBIDDEN),
        "from pickle import load\nload(x)",
        "from yaml import unsafe_load as read\nread(x)",
        "torch.load(x)",
        "torch.load(x, weights_only=False)",
        "torch.load(x, weights_only=safe)",
        "np.load(x, allow_pickle=True)",
        "np.load(x, allow_pickle=maybe)",
        "subprocess.run('ls')",
        "subprocess.run(command)",
        "subprocess.run(['ls'], shell=True)",
        "zipfile.ZipFile(x).extractall()",
        "importlib.import_module(x)",
        "AutoModel.from_pretrained(x)",
        "Environment(loader=x)",
    ],
)
def test_the_scan_finds(text):
    assert faults(text)


def test_only_pages_for_people_are_made_from_templates_and_they_escape():
    unescaped = [
        str(path.relative_to(SCRIPTS))
        for path in MODULES
        for name, call in calls(ast.parse(path.read_text()))
        if name == "Environment" and keyword(call, "autoescape") is not True
    ]
    # Markdown and Python.
    assert unescaped == ["lociflow/export/card.py"]
    marked = {
        str(path.relative_to(SCRIPTS)): re.findall(r"\|\s*safe\b", path.read_text()) for path in SCRIPTS.rglob("*.j2")
    }
    assert {path: len(found) for path, found in marked.items() if found} == {
        # A cell without a number.
        "lociflow/report/templates/scores.html.j2": 1
    }


# What a rule hands to a shell. A param that is whole flags is quoted by the functions that make it.
PLACEHOLDER = re.compile(r"(?<!\{)\{([a-z]+)(?:\.(\w+))?(:q)?\}(?!\})")
FLAGS = re.compile(r"\bflags?\(|\"--conda\" if")


def rules() -> Iterator[tuple[str, str, str]]:
    """Yield each rule's name, whole text and shell command."""
    for path in RULES:
        for text in re.split(r"^(?=(?:rule|checkpoint) )", path.read_text(), flags=re.MULTILINE)[1:]:
            _, _, command = text.partition("    shell:\n")
            # What stands behind the next empty line is another rule that takes this one over.
            yield text.split(":")[0].split()[1], text, command.split("\n\n")[0]


def test_every_rule_has_a_command_but_the_one_that_writes_what_no_command_line_holds():
    without = [name for name, _, command in rules() if not command]
    assert without == ["write_manifest"]
    assert len(list(rules())) > 40


@pytest.mark.parametrize(("name", "text", "command"), list(rules()), ids=[name for name, *_ in rules()])
def test_what_reaches_a_shell_is_quoted(name, text, command):
    for kind, key, quoted in PLACEHOLDER.findall(command):
        if quoted or kind in ("threads", "resources"):
            continue
        assert kind == "params", f"{kind}.{key} is not quoted"
        params = text.partition("    params:\n")[2].partition("    shell:\n")[0]
        made = re.search(rf"^        {key}=(.*?)(?=^        \w+=|\Z)", params, re.MULTILINE | re.DOTALL)
        assert made, key
        assert FLAGS.search(made[1]), f"params.{key} is not quoted"

"""A copy of the workflow in which every step only writes what it was asked to, so that whole DAGs run in seconds."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

HOME = Path(__file__).parents[2]

# Stands in for each script: writes its outputs, whatever the arguments, in milliseconds.
STAND_IN = '''"""{doc}"""
import sys
from pathlib import Path
{imports}
for flag, value in zip(sys.argv, sys.argv[1:]):
    if flag in {outputs}:
        path = Path(value)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(sys.argv[1:]))
    elif flag + "/" in {outputs}:
        folder = Path(value, "data")
        folder.mkdir(parents=True)
        (folder / "figure.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
'''
WRITES = {
    "fetch.py": ("--output", "--record"),
    "simulate.py": ("--genome", "--peaks", "--sites"),
    "encode_sequences.py": ("--codes", "--store"),
    "make_windows.py": ("--windows", "--targets", "--control", "--target-table", "--counts", "--removed"),
    "audit_dataset.py": ("--audit", "--page", "--similarity"),
    "admit_dataset.py": ("--admitted",),
    "train.py": ("--checkpoint", "--config-copy", "--history"),
    "predict.py": ("--predictions",),
    "encode_latent.py": ("--latent", "--reconstruction"),
    "pool_folds.py": ("--predictions",),
    "fit_baseline.py": ("--predictions",),
    "score_ceiling.py": ("--predictions",),
    "describe_bins.py": ("--properties",),
    "average_seeds.py": ("--predictions",),
    "compare_models.py": ("--comparisons",),
    "evaluate.py": ("--metrics", "--curves", "--draws"),
    "attribute.py": ("--attributions",),
    "discover_motifs.py": ("--modisco", "--meme", "--table"),
    "map_attention.py": ("--attention",),
    "read_window_track.py": ("--values",),
    "score_prefixes.py": ("--table",),
    "locate_motifs.py": ("--seqlets", "--hits", "--summary"),
    "extract_filters.py": ("--meme", "--table"),
    "match_motifs.py": ("--matches", "--matched-meme"),
    "score_explanations.py": ("--scores",),
    "score_motifs.py": ("--scores",),
    "rank_explanations.py": ("--ranking", "--factors", "--figure"),
    "check_explanations.py": ("--checks",),
    "agreement.py": ("--agreement",),
    "measure_importance.py": ("--importance", "--table", "--meme", "--fasta"),
    "score_background.py": ("--background",),
    "score_variants.py": ("--vcf", "--vcf-index", "--table", "--table-index", "--counts"),
    "saturate_region.py": ("--table", "--figures/"),
    "export_model.py": ("--folder/",),
    "choose_trial.py": ("--checkpoint", "--config-copy", "--history", "--table"),
    "draw_learning_curve.py": ("--table", "--figure"),
    "compare_tasks.py": ("--table", "--figure"),
    "tabulate_architectures.py": ("--architectures", "--table"),
    "compare.py": ("--scores", "--table"),
    "write_ledger.py": ("--ledger", "--table"),
    "predict_tracks.py": ("--bigwigs/", "--table", "--index", "--about"),
    "attribution_tracks.py": ("--bigwigs/", "--about"),
    "write_split_track.py": ("--bed",),
    "write_genome.py": ("--fasta", "--fai", "--gzi"),
    "browse_tracks.py": ("--session", "--hub"),
    "report.py": ("--report", "--figures/"),
    "record_provenance.py": ("--crate", "--workflow", "--configuration/"),
}


class Copy:
    """A checkout of the workflow in a temporary folder, with stand-ins for the scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__", ".snakemake")
        for name in ("workflow", "config", "envs", "profiles", "scripts"):
            shutil.copytree(HOME / name, folder / name, ignore=ignored)
        shutil.copy(HOME / "Snakefile", folder)
        for name, outputs in WRITES.items():
            script = folder / "scripts" / name
            # The imports stay, so that the step's code digest covers what the real step runs; they are not executed.
            imports = re.findall(r"^from lociflow.*$", script.read_text(), flags=re.MULTILINE)
            body = "if False:\n" + "\n".join(f"    {line}" for line in imports)
            script.write_text(STAND_IN.format(doc=name, imports=body, outputs=outputs))

    def moved(self, folder: Path) -> "Copy":
        """Return this copy as it is now, with all results, in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        other = object.__new__(Copy)
        other.folder = folder
        return other

    def snakemake(self, *arguments: str, cores: int = 2, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake in the copy."""
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def jobs(self, *arguments: str, **environment: str) -> Counter[str]:
        """Return how many jobs of each rule a dry run announces."""
        ran = self.snakemake("--dry-run", *arguments, **environment)
        assert ran.returncode == 0, ran.stderr
        if "Nothing to be done" in ran.stdout + ran.stderr:
            return Counter()
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total", ran.stdout + ran.stderr, flags=re.MULTILINE | re.DOTALL)
        assert table, ran.stdout + ran.stderr
        counts = Counter({name: int(count) for name, count in re.findall(r"^(\S+) +(\d+)$", table[1], re.MULTILINE)})
        del counts["all"]
        return counts

    def run(self, *arguments: str, **environment: str) -> None:
        """Run the workflow with the stand-ins to the end."""
        ran = self.snakemake(*arguments, **environment)
        assert ran.returncode == 0, ran.stderr

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands exactly once in a file."""
        file = self.folder / path
        text = file.read_text()
        assert text.count(old) == 1, f"{path} holds {text.count(old)} times {old!r}"
        file.write_text(text.replace(old, new))

"""Score the variants of a VCF or BCF with a trained model: an annotated VCF and a table."""

import argparse
from pathlib import Path

from lociflow.command import json_argument, run
from lociflow.effects.annotate import score_variants
from lociflow.models.device import DEVICES


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--variants", type=Path, required=True, help="VCF (plain, gzip, bgzip) or BCF, sorted")
    arguments.add_argument("--store", type=Path, required=True, help="sequence store of the genome")
    arguments.add_argument("--checkpoints", type=Path, nargs="+", required=True, help="trained model, one a seed")
    arguments.add_argument("--background", type=Path, required=True, help="effects to compare with (.npz)")
    arguments.add_argument("--config", type=json_argument, required=True, help="shifts, mismatches, aliases (JSON)")
    arguments.add_argument("--vcf", type=Path, required=True, help="VCF to write (.vcf.gz)")
    arguments.add_argument("--vcf-index", type=Path, required=True, help="its index to write (.csi)")
    arguments.add_argument("--table", type=Path, required=True, help="table to write (.tsv.gz)")
    arguments.add_argument("--table-index", type=Path, required=True, help="its index to write (.csi)")
    arguments.add_argument("--counts", type=Path, required=True, help="counts to write (JSON)")
    arguments.add_argument("--device", choices=DEVICES, default="cpu", help="where the model runs")
    return arguments


if __name__ == "__main__":
    run(score_variants, parser())

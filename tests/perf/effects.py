"""Variants a second of processor time beside tangermeme and a bare loop, and the memory of whole files of variants.

All three predict the same substitutions with the same network, one window each, one strand. tangermeme and the bare
loop are given one-hot windows that lie in memory; lociflow gathers both windows of each variant from the genome. The
files are scored as the workflow scores them, from VCF to annotated VCF and table.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np
import torch
from genome_files import write_genome
from tangermeme.variant_effect import substitution_effect

from lociflow.data.one_hot import OneHot
from lociflow.effects.alleles import Allele
from lociflow.effects.annotate import score_variants
from lociflow.effects.background import Background, write_background
from lociflow.effects.predictions import load_predictors
from lociflow.effects.statistics import chunk_size, score_alleles
from lociflow.effects.windows import allele_offset, allele_windows
from lociflow.models.checkpoint import build_model, save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.sequence.store import open_store

BASES = 8_000_000
VARIANTS = (1_000, 10_000, 100_000)
SPEED_OF = 4_096
BATCH = 256
OUTPUTS = Outputs("binary", ("a", "b"))
# The network is small, so that what is around it shows.
MODEL: dict[str, Any] = {
    "name": "tiny",
    "input_length": 200,
    "views": ["sequence"],
    "strand_specific": False,
    "architecture": {
        "_target_": "lociflow.models.deepsea.DeepSEA",
        "filters": [16],
        "kernels": [8],
        "pools": [8],
        "dropouts": [0.1],
        "hidden": 16,
    },
}
TRAINING = {"reverse_complement": {"averaging": False}, "torch_threads": 1, "evaluation_batch_size": BATCH}


def write_model(path: Path) -> None:
    """Write a checkpoint of random weights."""
    torch.manual_seed(1)
    config = {"dataset": {"name": "random", "split": "none"}, "model": MODEL, "training": TRAINING, "seed": 1}
    save_checkpoint(path, build_model(MODEL, OUTPUTS).state_dict(), config, OUTPUTS, {})


def draw(store: Path, number: int) -> list[Allele]:
    """Draw substitutions of the first contigs, sorted."""
    genome, draws = open_store(store), np.random.default_rng(3)
    place = np.sort(draws.choice(int(genome.lengths.sum()), number, replace=False))
    contig = np.searchsorted(genome.offsets, place, side="right") - 1
    codes, steps = genome.codes[place], draws.integers(1, 4, number)
    return [
        Allele(int(at), int(base - genome.offsets[at]), "ACGT"[code], "ACGT"[(code + step) % 4])
        for at, base, code, step in zip(contig, place, codes, steps, strict=True)
        if code < 4
    ]


def speed(store: str, folder: str, side: str) -> float:
    """Return how many variants a side scores in a second of processor time, the best of three: one thread."""
    alleles = draw(Path(store), SPEED_OF)
    genome = open_store(Path(store))
    (predictor,) = load_predictors([Path(folder) / "model.ckpt"], "cpu")
    network = predictor.loaded.model
    one_hot = OneHot()
    windows = [one_hot.expand(torch.from_numpy(codes)) for codes in allele_windows(genome, alleles, predictor.length)]
    size = chunk_size(predictor.length)

    class OfSequence(torch.nn.Module):
        def forward(self, sequence: torch.Tensor) -> torch.Tensor:
            return network({"sequence": sequence})

    changed = torch.tensor([
        [row, allele_offset(predictor.length, 0), "ACGT".index(allele.alternative)]
        for row, allele in enumerate(alleles)
    ])  # fmt: skip

    def lociflow() -> None:
        for begin in range(0, len(alleles), size):
            score_alleles([predictor], genome, alleles[begin : begin + size], [0])

    def tangermeme() -> None:
        substitution_effect(OfSequence(), windows[0], changed, device="cpu", batch_size=BATCH, verbose=False)

    def bare() -> None:
        with torch.inference_mode():
            for sequences in windows:
                for begin in range(0, len(sequences), BATCH):
                    network({"sequence": sequences[begin : begin + BATCH]})

    sides = {"lociflow": lociflow, "tangermeme": tangermeme, "bare loop": bare}
    sides[side]()
    seconds = []
    for _ in range(3):
        begin = time.process_time()
        sides[side]()
        seconds.append(time.process_time() - begin)
    return len(alleles) / min(seconds)


def whole_file(store: str, folder: str, number: int) -> dict[str, Any]:
    """Score a file of variants; return its variants and seconds."""
    place = Path(folder)
    vcf = place / f"{number}.vcf"
    genome = open_store(Path(store))
    alleles = draw(Path(store), number)
    with vcf.open("w") as handle:
        handle.write("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for allele in alleles:
            name = genome.names[allele.contig]
            fields = (name, allele.position + 1, ".", allele.reference, allele.alternative, ".", ".", ".")
            handle.write("\t".join(map(str, fields)) + "\n")
    begin = time.perf_counter()
    score_variants(
        vcf,
        Path(store),
        [place / "model.ckpt"],
        place / "background.npz",
        {},
        *(place / f"{number}.{suffix}" for suffix in ("vcf.gz", "vcf.gz.csi", "tsv.gz", "tsv.gz.csi", "json")),
    )
    return {"variants": len(alleles), "seconds": round(time.perf_counter() - begin, 2)}


def benchmark() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, store = write_genome(folder, BASES)
        write_model(folder / "model.ckpt")
        write_background(folder / "background.npz", Background(OUTPUTS.columns, np.zeros((1000, 2))))
        for side in ("lociflow", "tangermeme", "bare loop"):
            found, _ = measure.child(speed, store=store, folder=folder, side=side)
            measure.row("effects", side=side, window=MODEL["input_length"], variants_per_cpu_second=round(found))
        for number in VARIANTS:
            found, peaks = measure.child(whole_file, store=store, folder=folder, number=number)
            rate = round(found["variants"] / found["seconds"])
            measure.row("effects of a file", **found, variants_per_second=rate, **peaks)


if __name__ == "__main__":
    measure.main(benchmark, globals())

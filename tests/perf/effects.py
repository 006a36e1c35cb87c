"""Variants a second of processor time beside tangermeme and a bare loop, and the memory of whole files of variants.

All three predict the same substitutions with the same network, one strand. tangermeme and the bare loop are given
one-hot windows that lie in memory, which grows with the variants; lociflow gathers both windows of each variant from
the genome. The files are scored as the workflow scores them, from VCF to annotated VCF and table. The genome is that of
yeast where LOCIFLOW_REAL_DATA names the folder that holds it, and a random one of the same size elsewhere.
"""

import os
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
from lociflow.sequence.alphabet import SOFT_MASK
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import open_store

BASES = 12_000_000
YEAST = "yeast_sacCer3_chain/genome/sacCer3.nuclear.fa"
VARIANTS = (1_000, 10_000, 100_000)
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
    codes, steps = genome.codes[place] & (SOFT_MASK - 1), draws.integers(1, 4, number)
    return [
        Allele(int(at), int(base - genome.offsets[at]), "ACGT"[code], "ACGT"[(code + step) % 4])
        for at, base, code, step in zip(contig, place, codes, steps, strict=True)
        if code < 4
    ]


def speed(store: str, folder: str, side: str, number: int) -> dict[str, Any]:
    """Return the variants, and the processor seconds in which a side scores them: one thread, warmed up."""
    alleles = draw(Path(store), number)
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

    def lociflow(count: int) -> None:
        for begin in range(0, count, size):
            score_alleles([predictor], genome, alleles[begin : min(begin + size, count)], [0])

    def tangermeme(count: int) -> None:
        substitution_effect(
            OfSequence(), windows[0][:count], changed[:count], device="cpu", batch_size=BATCH, verbose=False
        )

    def bare(count: int) -> None:
        with torch.inference_mode():
            for sequences in windows:
                for begin in range(0, count, BATCH):
                    network({"sequence": sequences[begin : min(begin + BATCH, count)]})

    scored = {"lociflow": lociflow, "tangermeme": tangermeme, "bare loop": bare}[side]
    scored(BATCH)
    begin = time.process_time()
    scored(len(alleles))
    return {"variants": len(alleles), "cpu_seconds": round(time.process_time() - begin, 3)}


def whole_file(store: str, folder: str, number: int) -> dict[str, Any]:
    """Score a file of variants; return its variants, its seconds and those of the processor."""
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
    begin, processor = time.perf_counter(), time.process_time()
    score_variants(
        vcf,
        Path(store),
        [place / "model.ckpt"],
        place / "background.npz",
        {},
        *(place / f"{number}.{suffix}" for suffix in ("vcf.gz", "vcf.gz.csi", "tsv.gz", "tsv.gz.csi", "json")),
    )
    return {
        "variants": len(alleles),
        "seconds": round(time.perf_counter() - begin, 2),
        "cpu_seconds": round(time.process_time() - processor, 2),
    }


def benchmark() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = genome_store(folder)
        write_model(folder / "model.ckpt")
        write_background(folder / "background.npz", Background(OUTPUTS.columns, np.zeros((1000, 2))))
        for number in VARIANTS:
            for side in ("lociflow", "tangermeme", "bare loop"):
                found, _ = measure.child(speed, store=store, folder=folder, side=side, number=number)
                _row("effects", found, side=side, window=MODEL["input_length"])
            found, peaks = measure.child(whole_file, store=store, folder=folder, number=number)
            _row("effects of a file", found, **peaks)


def genome_store(folder: Path) -> Path:
    """Return the store of the yeast genome, of a random one where there is none."""
    yeast = Path(os.environ.get("LOCIFLOW_REAL_DATA", "")) / YEAST
    if not yeast.is_file():
        return write_genome(folder, BASES)[1]
    write_store([yeast], folder / "codes.npy", folder / "store.json", name="sacCer3")
    return folder / "store.json"


def _row(name: str, found: dict[str, Any], **more: Any) -> None:
    rate = round(found["variants"] / found["cpu_seconds"])
    measure.row(name, **found, variants_per_cpu_second=rate, **more)


if __name__ == "__main__":
    measure.main(benchmark, globals())

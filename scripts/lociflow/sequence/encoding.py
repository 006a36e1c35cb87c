"""Encode what a data set's sequences come from, a genome or sequences with labels of their own, into a store."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lociflow.checksums import checksum
from lociflow.command import UserError, atomic, status
from lociflow.formats import stamp
from lociflow.sequence.alphabet import Alphabet, UnknownLetter, encode, expected_letters, find_alphabet
from lociflow.sequence.genome_store import encode_sequences
from lociflow.sequence.labelled import LabelledSequence, read_labelled
from lociflow.sequence.store import KIND, digest_codes, write_description, write_header

# Letters that are encoded together: a call of numpy costs as much as a few hundred of them.
BLOCK = 1 << 20

STOP = "*"


def encode_sources(
    config: Mapping[str, Any],
    codes: Path,
    store: Path,
    fasta: Sequence[Path] | None = None,
    sources: Path | None = None,
) -> None:
    """Write the sequence store of a genome or of sequences without one.

    Parameters
    ----------
    config
        Of a genome as :func:`lociflow.sequence.genome_store.encode_sequences`; otherwise ``name`` and ``sequences``, as
        :func:`lociflow.sequence.labelled.read_labelled` with ``alphabet`` (default: dna) and ``soft_mask`` (default:
        false).
    codes, store
        Files to write, in one folder.
    fasta
        The genome's files. Those of sequences without a genome are named by the configuration, with what is said of
        each.
    sources
        Folder in which the sequences' files lie.

    Raises
    ------
    UserError
        A file or the configuration is bad, or an argument is missing.
    """
    labelled = config.get("sequences") if isinstance(config, Mapping) else None
    if labelled is None:
        if not fasta:
            raise UserError("--fasta: found no file, expected the genome's")
        encode_sequences(fasta, config, codes, store)
        return
    if sources is None:
        raise UserError("--sources: found none, expected the folder in which the sequences' files lie")
    if set(config) != {"name", "sequences"}:
        raise UserError(f"--config: found the keys {', '.join(config)}, expected name and sequences")
    write_store_from_sequences(
        read_labelled(labelled, sources),
        codes,
        store,
        name=config["name"],
        alphabet=find_alphabet(labelled.get("alphabet") or "dna"),
        soft_mask=bool(labelled.get("soft_mask") or False),
    )


def write_store_from_sequences(
    sequences: Iterable[LabelledSequence],
    codes: Path,
    store: Path,
    name: str,
    alphabet: Alphabet,
    soft_mask: bool = False,
) -> None:
    """Encode sequences into a store, each as a contig; memory holds their names and a block of letters.

    A stop sign at the end of a protein is left out and counted (``stops`` in ``store.json``).

    Parameters
    ----------
    sequences
        As :func:`lociflow.sequence.labelled.read_labelled` yields them: with different names.
    codes, store
        Files to write, in one folder; ``store`` after the codes.
    name
        Of the store.
    alphabet
        Of the sequences.
    soft_mask
        Whether lower case is kept, as ``SOFT_MASK``.

    Raises
    ------
    UserError
        A letter is unknown, a sequence is nothing but a stop sign, or there is no sequence.
    """
    if codes.parent.resolve() != store.parent.resolve():
        raise UserError(f"{codes} and {store}: expected both files of a sequence store in one folder")
    store.unlink(missing_ok=True)
    names, lengths, stops = list[str](), list[int](), 0
    with atomic(codes) as temporary:
        with temporary.open("wb") as handle:
            begin = write_header(handle, 0)
            block, size = list[LabelledSequence](), 0
            for found in sequences:
                if alphabet.name == "protein" and found.letters.endswith(STOP):
                    found = found._replace(letters=found.letters[:-1])
                    stops += 1
                    if not found.letters:
                        raise UserError(f"{found.place}: found nothing but a stop sign, expected a sequence; remove it")
                block.append(found)
                names.append(found.name)
                lengths.append(len(found.letters))
                size += len(found.letters)
                if size >= BLOCK:
                    handle.write(_encode(block, soft_mask, alphabet).data)
                    block, size = [], 0
            handle.write(_encode(block, soft_mask, alphabet).data)
            total = handle.tell() - begin
            handle.seek(0)
            write_header(handle, total, begin)
        digest, crc32 = hashlib.sha256(digest_codes(temporary).encode()), checksum(temporary)
    if not names:
        raise UserError(f"{name}: found no sequence, expected some; give files that hold them")
    digest.update(np.asarray(lengths, dtype="<i8").tobytes())
    for text in names:
        digest.update(text.encode() + b"\n")
    write_description(
        store,
        {
            **stamp(KIND),
            "name": name,
            "alphabet": alphabet.name,
            "soft_mask": soft_mask,
            "codes": codes.name,
            # Two lists and no mapping for each: a million sequences take 20 MB, which are read in half a second.
            "contigs": {"names": names, "lengths": lengths},
            "stops": stops,
            "digest": digest.hexdigest(),
            "crc32": crc32,
        },
    )
    residues = "bases" if alphabet.what == "nucleotide" else "residues"
    left_out = f"; {stops:,} stop signs at the end left out" if stops else ""
    sizes = f"{min(lengths):,} to {max(lengths):,} {residues}"
    status(f"{name}: {len(names):,} sequences of {sizes}, {total:,} in all{left_out}")


def _encode(block: Sequence[LabelledSequence], soft_mask: bool, alphabet: Alphabet) -> np.ndarray:
    try:
        return encode("".join(found.letters for found in block), soft_mask, alphabet)
    except UnknownLetter:
        # Found in the whole block: look for the sequence that it stands in.
        for found in block:
            try:
                encode(found.letters, soft_mask, alphabet)
            except UnknownLetter as error:
                raise UserError(
                    f"{found.place}: sequence {found.name}, letter {error.position + 1}: found {error.letter!r}, "
                    f"expected {expected_letters(alphabet)}; correct it, or set sequences.alphabet"
                ) from None
        raise

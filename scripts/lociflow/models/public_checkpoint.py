"""Public checkpoints of DNA language models, loaded through the library ``transformers``."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.arguments import check_bases
from lociflow.models.layers import check_sequence
from lociflow.models.token_heads import make_head, mean_of_tokens
from lociflow.models.tokens import Tokens, base_codes, letters

# Parts that checkpoints have for tasks of their own, and that give nothing to the features of tokens.
UNUSED = ("pooler", "contact_head")
# Bases of a token that are told apart where each base has an answer.
PLACES = 16


class PublicTrunk(nn.Module):
    """A checkpoint's tokeniser and encoder.

    Parameters
    ----------
    source
        Folder, or name on the Hugging Face hub.
    trust_remote_code
        Whether Python code that comes with the checkpoint may run.
    revision
        Commit, branch or tag on the hub.

    Raises
    ------
    UserError
        The library or the checkpoint is not here, or the checkpoint needs code that is not trusted.
    """

    def __init__(self, source: str, trust_remote_code: bool, revision: str | None) -> None:
        super().__init__()
        self.tokenizer, self.encoder = load_public(source, trust_remote_code, revision)
        self.width = int(getattr(self.encoder.config, "hidden_size", 0) or self.encoder.config.d_model)
        for name in UNUSED:
            if isinstance(getattr(self.encoder, name, None), nn.Module):
                setattr(self.encoder, name, None)
        self.takes_mask = "attention_mask" in inspect.signature(self.encoder.forward).parameters

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tokens]:
        """Map one-hot windows, ``(batch, 4, length)``, to features, ``(batch, tokens, width)``, and their tokens.

        Tokens that stand for no bases (beginnings, ends) are seen by the encoder and count as not present afterwards.
        """
        ids, seen, tokens = self.tokenise(sequence)
        config = self.encoder.config
        most = getattr(config, "max_position_embeddings", None)
        absolute = getattr(config, "position_embedding_type", "absolute") == "absolute"
        more = {"attention_mask": seen} if self.takes_mask else {}
        try:
            if absolute and most and ids.shape[1] > most:
                raise IndexError
            features = self.encoder(ids, **more)[0]
        except IndexError:
            raise UserError(
                f"model.input_length: windows of {sequence.shape[2]} bases come to {ids.shape[1]} tokens, more than "
                f"the encoder has positions ({most}); every unknown base (N) may be a token of its own; choose shorter "
                "windows, or leave out bins with unknown bases (windows.max_n of the data set)"
            ) from None
        return features, tokens

    def tokenise(self, sequence: Tensor) -> tuple[Tensor, Tensor, Tokens]:
        """Return what the encoder takes (ids, and 1 where there is a token, ``(batch, tokens)``) and the tokens."""
        encoded = self.tokenizer(
            list(letters(sequence)), padding=True, return_offsets_mapping=self.tokenizer.is_fast, verbose=False
        )
        ids = torch.tensor(encoded["input_ids"])
        seen = torch.tensor(encoded["attention_mask"]) if "attention_mask" in encoded else torch.ones_like(ids)
        special = torch.tensor([one for one in self.tokenizer.all_special_ids if one != self.tokenizer.unk_token_id])
        present = (seen > 0) & ~torch.isin(ids, special)
        if self.tokenizer.is_fast:
            starts, ends = torch.tensor(encoded["offset_mapping"]).unbind(dim=2)
        else:
            words = [self.tokenizer.convert_ids_to_tokens(row) for row in encoded["input_ids"]]
            unknown = self.tokenizer.unk_token
            sizes = torch.tensor([[1 if word == unknown else len(word) for word in row] for row in words]) * present
            ends = sizes.cumsum(dim=1)
            starts = ends - sizes
        known = present & (ids != self.tokenizer.unk_token_id)
        place = sequence.device
        # Some vocabularies have a word for N: what a token says of its bases is counted.
        counts = nn.functional.pad(base_codes(sequence)[1].cpu().cumsum(dim=1), (1, 0))
        last = counts.shape[1] - 1
        told = counts.gather(1, ends.clamp(max=last)) > counts.gather(1, starts.clamp(max=last))
        whole = base_codes(sequence)[1].all(dim=1).cpu()
        if bool((whole & ~known.any(dim=1)).any()):
            raise UserError(
                "model.architecture.source: its tokeniser has no word for a window of known bases, expected one that "
                "reads sequences of A, C, G and T as they are (DNABERT's first version wants k-mers with blanks "
                "between them); choose another checkpoint"
            )
        tokens = Tokens(*(one.to(place) for one in (ids, present, known, known & told, starts, ends)))
        return tokens.ids, seen.to(place), tokens


class PublicCheckpoint(nn.Module):
    """A pretrained encoder with a fresh head, for DNABERT-2, the Nucleotide Transformer, HyenaDNA and their like.

    Needs the library ``transformers``. Nothing is downloaded: a name on the hub must already be in its cache. What has
    code of its own (DNABERT-2, HyenaDNA) needs ``trust_remote_code: true``. In a model's file::

        architecture:
          _target_: lociflow.models.public_checkpoint.PublicCheckpoint
          source: /data/checkpoints/nucleotide-transformer-v2-50m-multi-species

    A checkpoint that was fine-tuned holds all weights, but still needs the source for its layers and its tokeniser.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of outputs, per window or per base.
    source, trust_remote_code, revision
        See :class:`PublicTrunk`.
    hidden
        Units of the hidden layer of the head with one answer per window; 0 for none.
    dropout
        Share of the features set to zero in training before the answers.
    positions
        Bases in the middle of the window with an answer each; 0 for one answer per window.
    channels
        4: tokens are of DNA.

    Raises
    ------
    UserError
        The sequence is not DNA, it is asked for no outputs, or the checkpoint cannot be loaded. In use: its tokeniser
        does not read sequences of letters, or a window comes to more tokens than the encoder has positions.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        source: str,
        trust_remote_code: bool = False,
        revision: str | None = None,
        hidden: int = 0,
        dropout: float = 0.0,
        positions: int = 0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_bases("a language model", channels)
        if not n_targets:
            raise UserError(
                "model.labels: PublicCheckpoint was asked for no outputs, expected labels: it is fine-tuned; to train "
                "without labels choose lociflow.models.language_model.LanguageModel"
            )
        self.input_length = input_length
        self.channels = channels
        self.trunk = PublicTrunk(source, trust_remote_code, revision)
        self.head = make_head(self.trunk.width, 0, n_targets, input_length, positions, PLACES, hidden, dropout)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, 4, input_length)}`` to ``(batch, n_targets)`` or with positions between them."""
        check_sequence(views["sequence"], self.input_length)
        return self.head(*self.trunk(views["sequence"]))

    def encode(self, views: Mapping[str, Tensor]) -> Tensor:
        """Return the mean features of each window's tokens but for unknown ones, ``(batch, width)``."""
        check_sequence(views["sequence"], self.input_length)
        return mean_of_tokens(*self.trunk(views["sequence"]))


def load_public(source: str, trust_remote_code: bool = False, revision: str | None = None) -> tuple[Any, Any]:
    """Load a tokeniser and an encoder from a folder or from the hub's cache; see :class:`PublicTrunk`."""
    try:
        import transformers
    except ImportError:
        raise UserError(
            f"model.architecture.source: {source} needs the library transformers, which is not installed; install "
            "lociflow[checkpoints]"
        ) from None
    if Path(source).is_absolute() and not Path(source).is_dir():
        raise UserError(f"model.architecture.source: found no folder {source}, expected a checkpoint; correct the path")
    options = {"local_files_only": True, "trust_remote_code": trust_remote_code, "revision": revision or "main"}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, **options)
        # Weights would otherwise come as they lie in the file, in half precision perhaps.
        encoder = transformers.AutoModel.from_pretrained(source, dtype=torch.float32, **options)
    except (OSError, ValueError, ImportError) as error:
        told = " ".join(str(error).split())[:300]
        raise UserError(
            f"model.architecture.source: {source} cannot be loaded ({told}); download it beforehand (hf download), and "
            "set trust_remote_code: true where it has code of its own that you trust"
        ) from None
    return tokenizer, encoder

"""Language models of DNA: tokeniser, encoder and head."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.arguments import check_bases
from lociflow.models.layers import check_sequence
from lociflow.models.token_heads import make_head, mean_of_tokens
from lociflow.models.tokens import Tokeniser, Tokens


class TokenTrunk(nn.Module):
    """From one-hot windows to the features of their tokens.

    Parameters
    ----------
    tokens
        Cuts windows.
    encoder
        Takes ``(batch, tokens, width)`` and which tokens are there; has ``width``.
    stem_kernel
        Tokens of a convolution between embedding and encoder, added to its input; 0 for none.
    """

    def __init__(self, tokens: Tokeniser, encoder: nn.Module, stem_kernel: int = 0) -> None:
        super().__init__()
        width = int(encoder.width)  # type: ignore[arg-type]
        self.tokens = tokens
        self.embedding = nn.Embedding(tokens.size, width)
        self.stem = (
            nn.Sequential(nn.Conv1d(width, width, stem_kernel, padding="same"), nn.GELU()) if stem_kernel else None
        )
        self.encoder = encoder

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tokens]:
        """Map one-hot windows, ``(batch, 4, length)``, to features, ``(batch, tokens, width)``, and their tokens."""
        embedded, tokens = self.tokens.embed(sequence, self.embedding.weight)
        return self.mix(embedded, tokens.present), tokens

    def encode(self, ids: Tensor, present: Tensor) -> Tensor:
        """Map ids, ``int64`` of shape ``(batch, tokens)``, to features, ``(batch, tokens, width)``."""
        return self.mix(self.embedding(ids), present)

    def mix(self, embedded: Tensor, present: Tensor) -> Tensor:
        """Map embeddings to features of the same shape."""
        embedded = embedded * present[:, :, None]
        if self.stem is not None:
            embedded = (embedded + self.stem(embedded.transpose(1, 2)).transpose(1, 2)) * present[:, :, None]
        return self.encoder(embedded, present)


class LanguageModel(nn.Module):
    """A tokeniser, an encoder and a head.

    Without targets the head says which word a token is, for masked training as in BERT (Devlin et al. 2019,
    arXiv:1810.04805); with targets it answers per window, or per base. The trunk is the same in both, so that its
    weights carry over.

    ==========  ======================================================  =======================================
    part        what                                                    parameters
    ==========  ======================================================  =======================================
    embedding   of v words, one unknown, one mask, at width w           (v + 2) w
    stem        convolution of s tokens, if any                         s w² + w
    encoder     see the encoder
    words       dense, GELU, layer normalisation, v logits              w² + 3 w + w v + v
    targets     or: mean and maximum, h ReLU units, t outputs           2 w h + h + h t + t
    ==========  ======================================================  =======================================

    Mean and maximum are over the tokens that say something of their bases: unknown ones and what fills a row up are
    left out. A window of unknown bases alone has those of its unknown tokens.

    Parameters
    ----------
    input_length
        Bases per window.
    n_targets
        Number of outputs, per window or per base; 0 for the words.
    tokens
        One of :mod:`lociflow.models.tokens` or :mod:`lociflow.models.byte_pairs`.
    encoder
        One of :mod:`lociflow.models.transformer` or :mod:`lociflow.models.hyena`.
    stem_kernel
        See :class:`TokenTrunk`.
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
        The sequence is not DNA, or the window is shorter than a token or than its positions.
    """

    def __init__(
        self,
        input_length: int,
        n_targets: int,
        tokens: Tokeniser,
        encoder: nn.Module,
        stem_kernel: int = 0,
        hidden: int = 0,
        dropout: float = 0.0,
        positions: int = 0,
        channels: int = 4,
    ) -> None:
        super().__init__()
        check_bases("a language model", channels)
        if input_length < tokens.shortest:
            raise UserError(
                f"model.input_length: found {input_length}, expected at least the {tokens.shortest} bases of a token; "
                "give it a longer window or shorter tokens"
            )
        self.input_length = input_length
        self.channels = channels
        self.trunk = TokenTrunk(tokens, encoder, stem_kernel)
        width = self.trunk.embedding.embedding_dim
        self.head = make_head(width, tokens.words, n_targets, input_length, positions, tokens.places, hidden, dropout)

    def forward(self, views: Mapping[str, Tensor]) -> Tensor:
        """Map ``{"sequence": (batch, 4, input_length)}`` to the head's answers.

        Returns
        -------
        torch.Tensor
            ``(batch, n_targets)``, ``(batch, positions, n_targets)``, or logits ``(batch, tokens, words)``.
        """
        check_sequence(views["sequence"], self.input_length)
        return self.head(*self.trunk(views["sequence"]))

    def encode(self, views: Mapping[str, Tensor]) -> Tensor:
        """Return the mean features of each window's tokens but for unknown ones, ``(batch, width)``."""
        check_sequence(views["sequence"], self.input_length)
        return mean_of_tokens(*self.trunk(views["sequence"]))

    def tokenise(self, views: Mapping[str, Tensor]) -> Tokens:
        """Cut windows into tokens."""
        check_sequence(views["sequence"], self.input_length)
        with torch.no_grad():
            return self.trunk.tokens(views["sequence"])

    def guess_words(self, tokens: Tokens, ids: Tensor, places: Tensor) -> Tensor:
        """Say which words stand at some places.

        Parameters
        ----------
        tokens
            Of the windows.
        ids
            What the encoder is shown instead of their ids, ``int64``, ``(batch, tokens)``.
        places
            ``bool``, the same shape.

        Returns
        -------
        torch.Tensor
            Logits, ``(number of places, words)``, in the order of windows and then of tokens.
        """
        return self.head(self.trunk.encode(ids, tokens.present)[places], tokens)

    def learn_vocabulary(self, sequences: Iterable[str]) -> None:
        """Let the tokeniser learn its vocabulary from sequences of the training split, where it learns one."""
        self.trunk.tokens.learn(sequences)

"""Byte-pair encoding: a vocabulary of frequent words of any length, learnt from the genome at hand."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import tokenizers
import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.tokens import LETTERS, UNKNOWN, Tokeniser, Tokens, letters

# The library's threads would be torn apart when the loader forks its workers.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


# Words may be of any length; few are longer.
PLACES = 16


class _Built(NamedTuple):
    """The library's form of a vocabulary."""

    key: bytes
    tokenizer: tokenizers.Tokenizer
    lengths: Tensor


class BytePairs(Tokeniser):
    """Words that arise from single bases by joining the most frequent pair of neighbours again and again.

    As in DNABERT-2 (Zhou et al. 2024, arXiv:2306.15006; the method: Sennrich et al. 2016, arXiv:1508.07909). Until a
    vocabulary is learnt, every base is a word. Each base that is not known is an unknown token.

    The vocabulary is the list of joined pairs, a tensor of fixed size, so that it travels with the weights. Tokenising
    takes the sequences to the CPU.

    Parameters
    ----------
    words
        Size of the vocabulary, the four bases among them.

    Raises
    ------
    UserError
        The vocabulary is smaller than five words.
    """

    merges: Tensor

    def __init__(self, words: int) -> None:
        if words <= len(LETTERS):
            raise UserError(
                f"model.architecture.tokens.words: found {words}, expected at least {len(LETTERS) + 1}: the four bases "
                "and what is joined from them; give a larger vocabulary"
            )
        super().__init__(words, places=PLACES)
        # Ids of the pairs in the order in which they are joined; -1 where the sequences had no more of them.
        self.register_buffer("merges", torch.full((words - len(LETTERS), 2), -1, dtype=torch.int32))
        self._built: _Built | None = None

    def learn(self, sequences: Iterable[str]) -> None:
        """Learn the vocabulary from sequences of A, C, G, T and other letters, at which they are cut.

        A vocabulary that is already there, from a checkpoint, is kept: the embeddings belong to its words.
        """
        if int(self.merges[0, 0]) >= 0:
            return
        learner = tokenizers.Tokenizer(tokenizers.models.BPE())
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=self.words, initial_alphabet=list(LETTERS), limit_alphabet=len(LETTERS), show_progress=False
        )
        learner.train_from_iterator(_known_parts(sequences), trainer)
        ids = {letter: number for number, letter in enumerate(LETTERS)}
        # Two pairs may join to one word: there can be more pairs than words.
        pairs = json.loads(learner.to_str())["model"]["merges"][: len(self.merges)]
        for number, (one, other) in enumerate(pairs):
            self.merges[number] = torch.tensor([ids[one], ids[other]], dtype=torch.int32)
            ids.setdefault(one + other, len(ids))

    def vocabulary(self) -> tuple[str, ...]:
        """Return the words in the order of their ids; fewer than asked for where the sequences had no more."""
        return tuple(self._words_and_pairs()[0])

    def forward(self, sequence: Tensor) -> Tokens:
        """Cut windows, one-hot of shape ``(batch, 4, length)``, into words."""
        built = self._build()
        found = [one.ids for one in built.tokenizer.encode_batch_fast(list(letters(sequence)))]
        ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in found], True, self.unknown)
        counts = torch.tensor([len(row) for row in found])
        present = torch.arange(ids.shape[1]) < counts[:, None]
        lengths = built.lengths[ids] * present
        ends = lengths.cumsum(dim=1)
        starts = ends - lengths
        known_words = present & (ids != self.unknown)
        return Tokens(*(one.to(sequence.device) for one in (ids, present, known_words, known_words, starts, ends)))

    def _words_and_pairs(self) -> tuple[list[str], list[tuple[str, str]]]:
        words = dict.fromkeys(LETTERS)
        ordered, pairs = list(words), []
        for one, other in self.merges.tolist():
            if one >= 0:
                pairs.append((ordered[one], ordered[other]))
                if (joined := ordered[one] + ordered[other]) not in words:
                    words[joined] = None
                    ordered.append(joined)
        return ordered, pairs

    def _build(self) -> _Built:
        # The vocabulary changes when it is learnt and when weights are loaded.
        key = self.merges.cpu().numpy().tobytes()
        if self._built is None or self._built.key != key:
            words, pairs = self._words_and_pairs()
            ids = {**{word: number for number, word in enumerate(words)}, UNKNOWN: self.unknown}
            lengths = torch.ones(self.size, dtype=torch.int64)
            lengths[: len(words)] = torch.tensor([len(word) for word in words])
            model = tokenizers.models.BPE(vocab=ids, merges=pairs)
            self._built = _Built(key, tokenizers.Tokenizer(model), lengths)
        return self._built


def _known_parts(sequences: Iterable[str]) -> Iterator[str]:
    for sequence in sequences:
        yield from re.findall(f"[{LETTERS}]+", sequence.upper())

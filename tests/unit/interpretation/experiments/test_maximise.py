import numpy as np
import torch
from torch import nn
from word_models import Matches, encoded

from lociflow.interpretation.experiments.maximise import Maximised, aligned_pwm, maximise
from lociflow.interpretation.motifs.meme import consensus

CPU = torch.device("cpu")
WORD = "CGTTGCAC"


def found(seed: int = 1, starts: int = 6) -> Maximised:
    made = maximise(Matches(WORD), 0, 24, starts, steps=60, learning_rate=0.5, penalty=0.01, seed=seed, device=CPU)
    assert made is not None
    return made


def reads(codes: np.ndarray) -> str:
    return "".join("ACGT"[code] for code in codes)


def test_every_start_ends_at_the_word() -> None:
    made = found()
    assert made.scores.tolist() == [8.0] * 6
    assert (made.begun < 8).all()
    other = encoded(WORD)[0].flip((0, 1)).argmax(dim=0).numpy()
    assert all(WORD in reads(codes) or reads(other) in reads(codes) for codes in made.codes)


def test_scores_are_those_of_the_sequences() -> None:
    made = found()
    assert Matches(WORD)(encoded(*map(reads, made.codes)))[:, 0].tolist() == made.scores.tolist()


def test_the_same_seed_gives_the_same_sequences_and_more_starts_change_none() -> None:
    assert found().codes.tolist() == found().codes.tolist()
    few, many = ({reads(codes) for codes in found(starts=starts).codes} for starts in (2, 6))
    assert few < many
    assert found(seed=2).codes.tolist() != found().codes.tolist()


def test_aligned_sequences_spell_the_word() -> None:
    made = found()
    pwm, places = aligned_pwm(Matches(WORD), made, 0, width=8, seed=1)
    other = "".join({"A": "T", "C": "G", "G": "C", "T": "A"}[base] for base in reversed(WORD))
    assert consensus(pwm) in (WORD, other)
    assert set(pwm.ravel()) == {0.0, 1.0}
    assert len({strand for _, strand in places}) == 2


def test_where_no_gradient_comes_through_there_is_nothing() -> None:
    class Looks(nn.Module):
        def forward(self, sequence: torch.Tensor) -> torch.Tensor:
            return sequence.argmax(dim=1).float().sum(dim=1, keepdim=True)

    assert maximise(Looks(), 0, 10, starts=2, steps=3, learning_rate=0.1, penalty=0.0, seed=1, device=CPU) is None

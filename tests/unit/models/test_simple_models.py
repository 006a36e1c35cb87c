"""K-mer regression, motif scanner and perceptron."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lociflow.command import UserError
from lociflow.models.jaspar_filters import jaspar_filters
from lociflow.models.kmer_logistic import KmerCounts, KmerLogistic
from lociflow.models.meme_filters import meme_filters
from lociflow.models.motif_filters import laid_in, log_odds
from lociflow.models.perceptron import Perceptron
from lociflow.models.pwm_scanner import PWMScanner

# The letters that can stand for each base.
AMBIGUOUS = {"A": "ARWMDHVN", "C": "CYSMBHVN", "G": "GRSKBDVN", "T": "TYWKBDHN"}


def encode(*words: str) -> torch.Tensor:
    found = torch.zeros(len(words), 4, len(words[0]))
    for row, word in enumerate(words):
        for position, letter in enumerate(word):
            stands_for = [base for base, letters in AMBIGUOUS.items() if letter in letters and letter != "N"]
            for base in stands_for:
                found[row, "ACGT".index(base), position] = 1 / len(stands_for)
    return found


def counts(word: str, k: int, both_strands: bool) -> dict[int, int]:
    found = KmerCounts(k, both_strands)(encode(word))[0].expm1().round().int()
    return {int(column): int(found[column]) for column in torch.nonzero(found)}


def test_a_kmer_is_counted_by_its_index() -> None:
    # AA = 0, AC = 1, CG = 6, GT = 11
    assert counts("AACGT", 2, both_strands=False) == {0: 1, 1: 1, 6: 1, 11: 1}


def test_both_strands_are_one_kmer() -> None:
    # GT is AC on the other strand; AA, AC and CG are the columns 0, 1 and 5 (AA, AC, AG, AT, CA, CC = 0 to 5, CG = 6).
    assert counts("AACGT", 2, both_strands=True) == {0: 1, 1: 2, 6: 1}


@pytest.mark.parametrize("letter", "RYSWKMBDHVN")
def test_ambiguous_letters_are_no_base(letter: str) -> None:
    assert counts(f"AC{letter}GT", 2, both_strands=False) == counts("ACNGT", 2, both_strands=False) == {1: 1, 11: 1}


def test_mixed_precision_leaves_the_counts_as_they_are() -> None:
    layer, sequence = KmerCounts(6, True), encode("TTTTTTTACGTACCATGGCATTTTTT")
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(sequence), KmerCounts(6, True)(sequence))
    assert layer(sequence).expm1().sum() == pytest.approx(21)


def test_unknown_letters_are_in_no_kmer() -> None:
    assert counts("AANCGNT", 2, both_strands=False) == {0: 1, 6: 1}
    assert counts("NNNN", 2, both_strands=True) == {}


@pytest.mark.parametrize(("k", "columns"), [(1, 2), (2, 10), (5, 512), (6, 2080)])
def test_columns_of_both_strands(k: int, columns: int) -> None:
    # Even words can be their own reverse complement: (4**k + 4**(k/2)) / 2.
    assert KmerLogistic(60, 3, k).head.get_submodule("output").in_features == columns
    assert KmerLogistic(60, 3, k, both_strands=False).head.get_submodule("output").in_features == 4**k


def test_counts_of_each_sequence_are_its_own() -> None:
    words = ["ACGTACGA", "TTTTTTTT", "GGNCATCA"]
    together = KmerCounts(3, True)(encode(*words))
    for row, word in enumerate(words):
        assert torch.equal(together[row], KmerCounts(3, True)(encode(word))[0])


def test_kmer_regression_sees_no_strand_and_learns() -> None:
    torch.manual_seed(0)
    model = KmerLogistic(60, 3, 3)
    batch = encode(*("".join(np.random.default_rng(row).choice(list("ACGT"), 60)) for row in range(8)))
    assert torch.equal(model({"sequence": batch}), model({"sequence": batch.flip(1, 2)}))
    assert model({"sequence": batch}).shape == (8, 3)
    model({"sequence": batch}).pow(2).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())


@pytest.mark.parametrize("k", [0, 9])
def test_kmers_have_a_length(k: int) -> None:
    with pytest.raises(UserError, match=rf"model.architecture.k: found {k}, expected 1 to 8"):
        KmerLogistic(60, 3, k)


def test_a_window_shorter_than_a_kmer_is_refused() -> None:
    KmerLogistic(6, 1, 6)
    with pytest.raises(UserError, match=r"model.input_length: 5 bases are too short"):
        KmerLogistic(5, 1, 6)


def test_only_dna_has_kmers_and_motifs() -> None:
    with pytest.raises(UserError, match="20 letters, expected the 4 bases of DNA for a k-mer model"):
        KmerLogistic(60, 1, channels=20)
    with pytest.raises(UserError, match="20 letters, expected the 4 bases of DNA for a motif scanner"):
        PWMScanner(60, 1, torch.zeros(1, 4, 8), channels=20)


def test_log_odds() -> None:
    # (7 + 0.25) / 8 and three times 0.25 / 8, over 1/4
    found = log_odds(np.array([[7.0], [0], [0], [0]]))
    np.testing.assert_allclose(2**found, [[3.625], [0.125], [0.125], [0.125]])


def test_a_short_motif_lies_in_the_middle() -> None:
    matrix = np.arange(8.0).reshape(4, 2) + 1
    assert np.array_equal(laid_in(matrix, 4)[:, 1:3], matrix)
    # Of three zeros two are on the right.
    assert np.flatnonzero(laid_in(matrix, 5).any(axis=0)).tolist() == [1, 2]


def test_of_a_long_motif_the_most_informative_stretch_stays() -> None:
    sharp, flat = [20.0, 0, 0, 0], [5.0, 5, 5, 5]
    matrix = log_odds(np.array([flat, sharp, sharp, flat, sharp]).T)
    assert np.array_equal(laid_in(matrix, 2), matrix[:, 1:3])
    # Two stretches of three with two sharp positions: the leftmost.
    assert np.array_equal(laid_in(matrix, 3), matrix[:, :3])


def test_jaspar_filters_are_the_same_every_time_and_of_many_families() -> None:
    some = jaspar_filters("JASPAR2024", "vertebrates", 8, 20)
    more = jaspar_filters("JASPAR2024", ["vertebrates"], 12, 20)
    assert some.shape == (8, 4, 20)
    assert some.dtype == torch.float32
    assert torch.equal(more[:8], some)
    assert len({tuple(one.flatten().tolist()) for one in more}) == 12


def test_jaspar_filters_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UserError, match=r"found JASPAR release JASPAR1999, expected one of JASPAR2014"):
        jaspar_filters("JASPAR1999", "vertebrates", 8, 20)
    with pytest.raises(UserError, match=r"found 0 motifs of martians .* expected at least 8"):
        jaspar_filters("JASPAR2024", "martians", 8, 20)


def test_meme_filters_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "motifs.meme"
    path.write_text(
        "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\n"
        "A 0.25 C 0.25 G 0.25 T 0.25\n\nMOTIF first\nletter-probability matrix: alength= 4 w= 2 nsites= 7 E= 0\n"
        "1.000000 0.000000 0.000000 0.000000\n0.000000 1.000000 0.000000 0.000000\n\n"
    )
    found = meme_filters(str(path), 3)
    assert found.shape == (1, 4, 3)
    torch.testing.assert_close(2 ** found[0, :, 0], torch.tensor([3.625, 0.125, 0.125, 0.125]))
    torch.testing.assert_close(2 ** found[0, :, 1], torch.tensor([0.125, 3.625, 0.125, 0.125]))
    assert found[0, :, 2].tolist() == [0.0] * 4


def test_meme_probabilities_are_not_rounded_to_counts(tmp_path: Path) -> None:
    # With 2 sites 0.6 and 0.4 would be a count of 1 each, the last row none but T.
    path = tmp_path / "motifs.meme"
    path.write_text(
        "MEME version 4\n\nMOTIF one\nletter-probability matrix: alength= 4 w= 2 nsites= 2\n"
        " 0.600 0.400 0.000 0.000\n 0.100 0.100 0.200 0.600\n"
        "MOTIF two\nletter-probability matrix:\n\n0.5\t0.25\t0.125\t0.125\nURL http://example.org\n"
    )
    found = 2 ** meme_filters(str(path), 2)
    # (2 p + 0.25) / 3 over 1/4; without a number of sites (20 p + 0.25) / 21, beside it 1.
    expected = (2 * torch.tensor([[0.6, 0.4, 0, 0], [0.1, 0.1, 0.2, 0.6]]) + 0.25) / 3 * 4
    torch.testing.assert_close(found[0], expected.T)
    torch.testing.assert_close(found[1, :, 0], (20 * torch.tensor([0.5, 0.25, 0.125, 0.125]) + 0.25) / 21 * 4)
    assert found[1, :, 1].tolist() == [1.0] * 4


@pytest.mark.parametrize("rows", ["", "0.5 0.5\n", "1 0 0 0\n0.5 0.5 0.5 0\n", "1.5 -0.5 0 0\n", "1 0 0 x\n"])
def test_what_is_no_matrix_of_probabilities_is_refused(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "motifs.meme"
    path.write_text(f"MEME version 4\n\nMOTIF one\nletter-probability matrix: alength= 4 w= 2 nsites= 2\n{rows}\n")
    with pytest.raises(UserError, match=r"motifs.meme, line 4: found .* expected those of A, C, G and T"):
        meme_filters(str(path), 3)


@pytest.mark.parametrize("text", [None, "", "nothing of the kind\n"])
def test_what_is_no_meme_file_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "motifs.meme"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"motifs.meme: .*MEME format"):
        meme_filters(str(path), 3)


def test_the_scanner_takes_the_best_match_of_both_strands() -> None:
    # ACC scores 1 + 2 + 4.
    motif = torch.zeros(1, 4, 3)
    motif[0, 0, 0], motif[0, 1, 1], motif[0, 1, 2] = 1, 2, 4
    model = PWMScanner(6, 1, motif).eval()
    features = model.trunk(encode("TTACCT", "AGGTTT", "TTTTTT", "TTTTAC"))
    # GGT is ACC on the other strand, and T an A, which scores 1. Of AC at the end only TAC lies within: its C scores 4.
    scale = (1 + 1e-5) ** -0.5
    torch.testing.assert_close(features.flatten(), torch.tensor([7.0, 7.0, 1.0, 4.0]) * scale)


def test_no_placement_on_an_unknown_base_is_a_match() -> None:
    # A scores 1, 2, 3 at the three positions and C, G, T each -1, -2, -4: AAA 6, at worst -7.
    motif = torch.tensor([[1.0, 2, 3], [-1, -2, -4], [-1, -2, -4], [-1, -2, -4]])[None]
    model = PWMScanner(6, 1, motif).eval()
    features = model.trunk(encode("CCGCCG", "CCGCNN", "NCCGCN", "CNNCNN", "AANAAA", "AANACN")).flatten()
    # CCG on either strand is -7 everywhere; a placement on N, of which 0 would be nearer to a match, is so too. Of
    # AANAAA only AAA is a placement (TTT on the other strand); of the last there is none.
    scale = (1 + 1e-5) ** -0.5
    torch.testing.assert_close(features, torch.tensor([-7.0, -7, -7, -7, 6, -7]) * scale)
    # CAC beside N: the A in the middle is 2, -1 + 2 - 4 = -3, and GTG on the other strand -7.
    torch.testing.assert_close(model.trunk(encode("CACNNN")).flatten(), torch.tensor([-3.0]) * scale)


@pytest.mark.parametrize("place", [0, 1, 7, 13])
def test_a_short_motif_is_found_at_the_ends_and_beside_what_is_unknown(place: int) -> None:
    word = torch.full((1, 4, 3), -1.0)
    word[0, [0, 1, 3], [0, 1, 2]] = 2.0  # ACT
    filters = torch.from_numpy(laid_in(word[0].numpy(), 9))[None].float()
    model = PWMScanner(16, 1, filters)
    codes = torch.full((16,), 2)
    codes[place : place + 3] = torch.tensor([0, 1, 3])
    window = nn.functional.one_hot(codes, 4).float()
    beside = [base for base in (place - 1, place + 3) if 0 <= base < 16]
    window[beside] = 0.0
    scores = model.trunk.get_submodule("convolution")(window.T[None])
    assert float(scores.amax()) == 6.0
    # With an unknown base inside, the motif is nowhere; nothing else scores as much.
    window[place + 1] = 0.0
    assert float(model.trunk.get_submodule("convolution")(window.T[None]).amax()) < 3.0


def test_partly_known_bases_have_the_mean_of_their_scores() -> None:
    motif = torch.tensor([[1.0, 2, 3], [-1, -2, -4], [-1, -2, -4], [-1, -2, -4]])[None]
    model = PWMScanner(3, 1, motif).eval()
    # A or G in the middle: 1 + (2 - 2) / 2 + 3.
    torch.testing.assert_close(model.trunk(encode("ARA")).flatten(), torch.tensor([4.0]) * (1 + 1e-5) ** -0.5)


def test_the_scanner_is_explained_along_the_line_from_nothing() -> None:
    # Contributions add up to the change from zeros only where the score has no jump on the way.
    torch.manual_seed(0)
    model = PWMScanner(12, 1, torch.randn(3, 4, 5)).eval()
    window = encode("ACCGTTAGACCA")
    shares = ((torch.arange(2000) + 0.5) / 2000)[:, None, None].requires_grad_()
    model({"sequence": shares * window}).sum().backward()
    assert shares.grad is not None
    change = model({"sequence": window}) - model({"sequence": 0 * window})
    torch.testing.assert_close(shares.grad.mean(), change.detach().squeeze(), atol=1e-3, rtol=1e-3)


def test_the_scanner_sees_no_strand() -> None:
    torch.manual_seed(0)
    model = PWMScanner(30, 3, torch.randn(5, 4, 8)).double().eval()
    batch = torch.rand(4, 4, 30).double()
    torch.testing.assert_close(model({"sequence": batch}), model({"sequence": batch.flip(1, 2)}), rtol=0, atol=1e-12)


def test_the_filters_are_the_motifs_and_can_be_kept() -> None:
    motifs = torch.randn(5, 4, 8)
    model = PWMScanner(30, 3, motifs, trained=False)
    convolution = model.trunk.get_submodule("convolution")
    assert isinstance(convolution, nn.Conv1d)
    assert torch.equal(convolution.weight, motifs)
    assert not convolution.weight.requires_grad
    model({"sequence": torch.rand(4, 4, 30)}).sum().backward()
    with pytest.raises(UserError, match=r"model.input_length: 7 bases are too short"):
        PWMScanner(7, 3, motifs)


def test_kmers_are_read_through_noise() -> None:
    torch.manual_seed(0)
    sequence = nn.functional.one_hot(torch.randint(4, (8, 60)), 4).float().transpose(1, 2)
    model = KmerLogistic(60, 2, k=3)
    noise = (torch.rand(sequence.shape) - 0.5) * 0.9
    torch.testing.assert_close(model({"sequence": sequence + noise}), model({"sequence": sequence}), rtol=0, atol=0)


def test_a_position_that_noise_makes_two_bases_is_none() -> None:
    # A, A, A or T, nothing, A: what is two bases and what is none must not make up for each other.
    sequence = torch.zeros(1, 4, 5)
    sequence[0, 0] = 1
    sequence[0, 3, 2] = 1
    sequence[0, :, 3] = 0
    assert KmerCounts(3, False)(sequence).sum() == 0
    sequence[0, 3, 2] = 0
    torch.testing.assert_close(KmerCounts(3, False)(sequence)[0, :2], torch.tensor([2.0, 1.0]).log())
    strong = 2 * torch.randn(8, 4, 60, generator=torch.Generator().manual_seed(0))
    assert KmerCounts(6, True)(strong).isfinite().all()


def test_parameters_of_scanner_and_kmers_are_those_of_their_tables() -> None:
    def count(model: nn.Module) -> int:
        return sum(parameter.numel() for parameter in model.parameters())

    assert count(PWMScanner(30, 3, torch.randn(5, 4, 8))) == 4 * 8 * 5 + 2 * 5 + 3 * (5 + 1)
    # Of the 4,096 6-mers 64 are their own reverse complement: (4,096 + 64) / 2.
    assert count(KmerLogistic(30, 3, k=6)) == 3 * (2080 + 1)
    assert count(KmerLogistic(30, 3, k=6, both_strands=False)) == 3 * (4096 + 1)


def test_perceptron_layers() -> None:
    model = Perceptron(10, 3, [7, 5], channels=20)
    expected = 20 * 10 * 7 + 7 + 7 * 5 + 5 + 5 * 3 + 3
    assert sum(parameter.numel() for parameter in model.parameters()) == expected
    assert model({"sequence": torch.rand(2, 20, 10)}).shape == (2, 3)

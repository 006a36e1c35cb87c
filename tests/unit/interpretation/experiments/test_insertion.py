import numpy as np
import pytest
import torch
from tangermeme.marginalize import marginalize
from word_models import CountsWords, encoded, pwm_of

from lociflow.interpretation.experiments.insertion import insertion
from lociflow.interpretation.experiments.sites import draw_sites, other_strand, shuffled_sites

CPU = torch.device("cpu")


def test_a_word_does_exactly_what_it_weighs() -> None:
    backgrounds = encoded("A" * 12, "T" * 12)
    sites = draw_sites(pwm_of("CGCG"), 2, seed=1, number=0)
    found = insertion(CountsWords(CGCG=2.5, GGGG=1.0), backgrounds, sites, encoded("CCGG", "GGCC"), CPU)
    assert found.before.tolist() == [[0, 0], [0, 0]]
    assert found.change.tolist() == [[2.5, 0], [2.5, 0]]
    assert found.null.tolist() == [[0, 0], [0, 0]]


def test_what_the_site_covers_is_lost() -> None:
    # CGCG stands in the middle before and after: nothing changes; without it the other background gains.
    found = insertion(
        CountsWords(CGCG=2.0), encoded("AACGCGAA", "AAAAAAAA"), encoded("CGCG", "CGCG"), encoded("AAAA", "AAAA"), CPU
    )
    assert found.change.tolist() == [[0], [2]]
    assert found.null.tolist() == [[-2], [0]]


def test_agrees_with_tangermeme_called_directly() -> None:
    draws = torch.Generator().manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Conv1d(4, 3, 5), torch.nn.ReLU(), torch.nn.AdaptiveMaxPool1d(1), torch.nn.Flatten()
    )
    codes = torch.randint(0, 4, (6, 30), generator=draws)
    backgrounds = torch.nn.functional.one_hot(codes, 4).transpose(1, 2).float()
    before, after = marginalize(model, backgrounds, "ACGTACG", device="cpu")
    sites = encoded(*["ACGTACG"] * 6)
    found = insertion(model, backgrounds, sites, sites, CPU, batch_size=4)
    assert torch.allclose(found.change, after - before)
    assert torch.equal(found.change, found.null)


def test_sites_have_the_bases_of_their_matrix() -> None:
    pwm = np.array([[0.5, 0.0], [0.5, 0.0], [0.0, 0.25], [0.0, 0.75]])
    sites = draw_sites(pwm, 4000, seed=3, number=0)
    assert sites.sum(dim=1).eq(1).all()
    assert sites.mean(dim=0).numpy() == pytest.approx(pwm, abs=0.03)
    assert draw_sites(pwm, 2, seed=3, number=0, source="consensus")[:, :, 1].argmax(dim=1).tolist() == [3, 3]


def test_a_site_is_a_function_of_seed_motif_and_number() -> None:
    pwm = np.full((4, 9), 0.25)
    many, few = draw_sites(pwm, 20, seed=1, number=2), draw_sites(pwm, 5, seed=1, number=2)
    assert torch.equal(many[:5], few)
    assert not torch.equal(few, draw_sites(pwm, 5, seed=1, number=3))
    assert not torch.equal(few, draw_sites(pwm, 5, seed=2, number=2))


def test_a_shuffled_site_keeps_its_bases() -> None:
    sites = draw_sites(np.full((4, 12), 0.25), 10, seed=1, number=0)
    shuffled = shuffled_sites(sites, seed=1, number=0)
    assert torch.equal(shuffled.sum(dim=2), sites.sum(dim=2))
    assert not torch.equal(shuffled, sites)


def test_the_other_strand_is_read_backwards() -> None:
    assert torch.equal(other_strand(encoded("AACG")), encoded("CGTT"))

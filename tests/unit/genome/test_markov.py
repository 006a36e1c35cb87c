from itertools import product

import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.genome.markov import draw_sequences, markov_chain, word_factors
from lociflow.sequence.alphabet import encode, reverse_complement

WORDS = {"CG": 0.3, "AAA": 1.5, "TA": 0.8}


def probability(chain, codes):
    order = chain.order
    context = 0
    for base in codes[:order]:
        context = context * 4 + int(base)
    value = chain.stationary[context]
    for base in codes[order:]:
        value *= chain.transition[context, base]
        context = (context * 4 + int(base)) % 4**order
    return value


def test_order_0_has_the_gc_content_and_nothing_else():
    chain = markov_chain(0, 0.4, {})
    np.testing.assert_allclose(chain.transition, [[0.3, 0.2, 0.2, 0.3]])
    np.testing.assert_allclose(chain.stationary, [1])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_sum_to_one_and_stationary_is_stationary(order):
    chain = markov_chain(order, 0.45, {"CG": 0.3})
    np.testing.assert_allclose(chain.transition.sum(1), 1)
    words = [np.array(word) for word in product(range(4), repeat=order + 1)]
    after = np.zeros(4**order)
    for word in words:
        after[int("".join(map(str, word[1:])), 4)] += probability(chain, word)
    np.testing.assert_allclose(after, chain.stationary, atol=1e-12)


@pytest.mark.parametrize("gc", [0.3, 0.5, 0.6])
def test_gc_content_is_met_whatever_the_words(gc):
    chain = markov_chain(2, gc, WORDS)
    assert (chain.stationary @ chain.transition)[1:3].sum() == pytest.approx(gc, abs=1e-9)


def test_a_sequence_is_as_probable_as_its_reverse_complement():
    chain = markov_chain(2, 0.42, WORDS)
    for text in ("ACGTTAC", "AAAAAAG", "CGCGATA"):
        codes = encode(text)
        assert probability(chain, codes) == pytest.approx(probability(chain, reverse_complement(codes)), rel=1e-9)


def test_drawn_sequences_have_the_chain_s_word_frequencies():
    chain = markov_chain(2, 0.4, {"CG": 0.2})
    (codes,) = draw_sequences([chain], [20000], np.random.Generator(np.random.Philox(1)))
    assert codes.dtype == np.uint8
    assert np.isin(codes, [1, 2]).mean() == pytest.approx(0.4, abs=0.02)
    cpg = ((codes[:-1] == 1) & (codes[1:] == 2)).mean()
    expected = sum(probability(chain, encode(f"{base}CG")) for base in "ACGT")
    assert cpg == pytest.approx(expected, abs=0.003)
    assert expected < 0.4 * 0.04


def test_sequences_have_their_own_lengths_and_chains():
    drawn = draw_sequences(
        [markov_chain(1, 0.01, {}), markov_chain(1, 0.99, {})], [300, 7], np.random.Generator(np.random.Philox(1))
    )
    assert [len(codes) for codes in drawn] == [300, 7]
    assert np.isin(drawn[0], [0, 3]).mean() > 0.9
    assert np.isin(drawn[1], [1, 2]).mean() > 0.8


def test_words_count_for_both_strands_and_palindromes_once():
    assert word_factors({"CG": 0.3, "AAA": 1.2}, 2) == {"CG": 0.3, "AAA": 1.2, "TTT": 1.2}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"ACGT": 1.1}, "1 to 3"),
        ({"AN": 1.1}, "'AN'"),
        ({"AA": 0}, "above 0"),
        ({"AA": 1.1, "TT": 1.2}, "different factors"),
    ],
)
def test_words_that_make_no_sense_are_refused(words, message):
    with pytest.raises(UserError, match=message):
        word_factors(words, 2)


@pytest.mark.parametrize(("order", "gc"), [(6, 0.4), (-1, 0.4), (2, 0.0), (2, 1.0)])
def test_order_and_gc_out_of_range_are_refused(order, gc):
    with pytest.raises(UserError, match="expected order"):
        markov_chain(order, gc, {})

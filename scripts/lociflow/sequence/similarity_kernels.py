"""The compiled loops of :mod:`lociflow.sequence.homology`: seeds, their index, extension and banded alignment.

Codes here are plain: 0 … letters - 1 for letters, :data:`UNKNOWN` for everything else, :data:`MASKED` added to letters
on which no seed may lie.
"""

import numpy as np
from numba import njit

UNKNOWN = 0x7F
MASKED = 0x80
LETTER = 0x7F
SEEDS_AT_ONCE = 64
# Bases of a query whose edit distance is found at once, a bit each, and the most errors of a block that is similar: of
# one of 80 % identity, one and a half standard deviations above the mean; of random DNA it has about 13.
BLOCK = 32
MOST_ERRORS = 10
# Fewer blocks than this tell too little.
LEAST_BLOCKS = 4
# Candidates that are looked at in this way for each alignment that a query may have.
CANDIDATES = 50
# Identity beyond which a search for the best match looks no further.
ENOUGH = 0.98

# An alignment cell is one int64 that orders by score, then matches, then aligned pairs: score << 40 | matches << 20 |
# pairs. Match +1, mismatch -1, gap -2 a base, so that random DNA scores below zero and ends the local alignment.
_SCORE, _MATCHES = 1 << 40, 1 << 20
_MATCH = _SCORE + _MATCHES + 1
_MISMATCH = -_SCORE + 1
_GAP = -2 * _SCORE
_FIELD = (1 << 20) - 1
LONGEST = _FIELD


@njit(cache=True, nogil=True)
def find_seeds(row: np.ndarray, offsets: np.ndarray, letters: int, seeds: np.ndarray) -> int:
    """Write the number of the seed that begins at each place of a sequence, -1 where none may lie.

    None lies on an unknown or masked letter, on a single kind of letter, or on two kinds of base.

    Returns
    -------
    int
        How many there are.
    """
    span = offsets[-1] + 1
    places = len(row) - span + 1
    number = 0
    if letters != 4:
        for begin in range(places):
            code = 0
            different = False
            for offset in offsets:
                base = row[begin + offset]
                if base >= UNKNOWN:
                    code = -1
                    break
                code = code * letters + base
                different |= base != row[begin]
            seeds[begin] = code if different else -1
            number += seeds[begin] >= 0
        return number
    # All bases of the span, two bits each, the last one lowest; the pattern's bits are cut out run by run.
    ones = 0x5555555555555555
    full = (1 << (2 * span)) - 1
    runs = 1
    for k in range(1, len(offsets)):
        runs += offsets[k] != offsets[k - 1] + 1
    widths, shifts = np.zeros(runs, np.int64), np.empty(runs, np.int64)
    run = 0
    for k in range(len(offsets)):
        if k and offsets[k] != offsets[k - 1] + 1:
            run += 1
        widths[run] += 2
        shifts[run] = 2 * (span - 1 - offsets[k])
    word = 0
    unknown = -1
    for end in range(len(row)):
        base = np.int64(row[end])
        if base >= UNKNOWN:
            unknown = end
            base = 0
        word = ((word << 2) | base) & full
        begin = end - span + 1
        if begin < 0:
            continue
        seeds[begin] = -1
        if unknown >= begin:
            continue
        high, low, every = (word >> 1) & ones, word & ones, ones & full
        kinds = int(high & low != 0) + int(high & ~low != 0) + int(~high & low != 0) + int(~high & ~low & every != 0)
        if kinds <= 2:
            continue
        code = 0
        for k in range(runs):
            code = (code << widths[k]) | ((word >> shifts[k]) & ((1 << widths[k]) - 1))
        seeds[begin] = code
        number += 1
    return number


@njit(cache=True, nogil=True)
def count_seeds(
    rows: np.ndarray,
    first: np.ndarray,
    offsets: np.ndarray,
    letters: int,
    low: int,
    high: int,
    step: int,
    starts: np.ndarray,
) -> None:
    """Add to ``starts[seed + 1]`` the times each seed from ``low`` to ``high`` occurs in the rows.

    ``first`` is where in each row the places begin that no row before has, ``step`` the distance of those that count.
    """
    seeds = np.empty(rows.shape[1], np.int64)
    for row in range(rows.shape[0]):
        if find_seeds(rows[row, first[row] :], offsets, letters, seeds) == 0:
            continue
        for begin in range(row % step, rows.shape[1] - first[row] - offsets[-1], step):
            if low <= seeds[begin] < high:
                starts[seeds[begin] + 1] += 1


@njit(cache=True, nogil=True)
def fill_positions(
    rows: np.ndarray,
    first: np.ndarray,
    offsets: np.ndarray,
    letters: int,
    low: int,
    high: int,
    step: int,
    starts: np.ndarray,
    positions: np.ndarray,
) -> None:
    """Write where each seed from ``low`` to ``high`` occurs; afterwards ``starts[seed]`` is where its list ends."""
    length = rows.shape[1]
    seeds = np.empty(length, np.int64)
    for row in range(rows.shape[0]):
        if find_seeds(rows[row, first[row] :], offsets, letters, seeds) == 0:
            continue
        for begin in range(row % step, length - first[row] - offsets[-1], step):
            if low <= seeds[begin] < high:
                positions[starts[seeds[begin]]] = row * length + first[row] + begin
                starts[seeds[begin]] += 1


@njit(cache=True, nogil=True)
def _extended(query: np.ndarray, reference: np.ndarray, i: int, j: int, span: int, drop: int) -> int:
    """Return the best score of an ungapped alignment through a seed; it ends where the score falls by ``drop``."""
    score = 0
    for step in range(span):
        same = (query[i + step] & LETTER) == (reference[j + step] & LETTER) and (query[i + step] & LETTER) < UNKNOWN
        score += 1 if same else -1
    best = score
    a, b = i + span, j + span
    while a < len(query) and b < len(reference) and score > best - drop:
        same = (query[a] & LETTER) == (reference[b] & LETTER) and (query[a] & LETTER) < UNKNOWN
        score += 1 if same else -1
        best = max(best, score)
        a += 1
        b += 1
    score = best
    a, b = i - 1, j - 1
    while a >= 0 and b >= 0 and score > best - drop:
        same = (query[a] & LETTER) == (reference[b] & LETTER) and (query[a] & LETTER) < UNKNOWN
        score += 1 if same else -1
        best = max(best, score)
        a -= 1
        b -= 1
    return best


@njit(cache=True, nogil=True)
def _read_blocks(query: np.ndarray, matching: np.ndarray) -> None:
    """Set bit ``k`` of ``matching[b, letter]`` where base ``k`` of a query's block ``b`` is that letter."""
    matching[:] = 0
    for b in range(matching.shape[0]):
        begin = min(b * BLOCK, len(query) - BLOCK)
        for k in range(BLOCK):
            letter = query[begin + k] & LETTER
            if letter < UNKNOWN:
                matching[b, letter] |= np.uint64(1) << np.uint64(k)


@njit(cache=True, nogil=True)
def _fewest_errors(matching: np.ndarray, reference: np.ndarray, low: int, high: int) -> int:
    """Return the edit distance of a block from what is most like it in ``reference[low:high]`` (Myers 1999)."""
    one = np.uint64(1)
    last_bit = np.uint64(BLOCK - 1)
    up, down = ~np.uint64(0), np.uint64(0)
    number, fewest = BLOCK, BLOCK
    for place in range(low, high):
        letter = reference[place] & LETTER
        same = matching[letter] if letter < UNKNOWN else np.uint64(0)
        vertical = same | down
        across = (((same & up) + up) ^ up) | same
        rise, fall = down | ~(across | up), up & across
        number += int((rise >> last_bit) & one) - int((fall >> last_bit) & one)
        fewest = min(fewest, number)
        rise, fall = rise << one, fall << one
        up, down = fall | ~(vertical | rise), rise & vertical
    return fewest


@njit(cache=True, nogil=True)
def _worth_aligning(
    matching: np.ndarray,
    reference: np.ndarray,
    length: int,
    i: int,
    diagonal: int,
    band: int,
    run: int,
    most: float,
    errors: np.ndarray,
) -> bool:
    """Tell whether a run of blocks of a query around its base ``i`` is similar to what lies opposite.

    Five of six of its blocks must be within :data:`MOST_ERRORS` edits, and all of them together within ``most``. Edit
    distances are found a block at once (Myers 1999, J. ACM 46:395); ``errors`` is scratch, one per block.
    """
    poor = run // 6
    middle = min(i // BLOCK, matching.shape[0] - 1)
    first, end = middle, middle + 1
    for side in range(2):
        left = poor
        for step in range(run + 1):
            b = middle - step if side == 0 else middle + 1 + step
            if b < 0 or b >= matching.shape[0]:
                break
            begin = min(b * BLOCK, length - BLOCK)
            low = max(0, begin - diagonal - band)
            high = min(len(reference), begin + BLOCK - diagonal + band)
            errors[b] = _fewest_errors(matching[b], reference, low, high)
            # The block of the place itself may be half outside of what is similar.
            left -= errors[b] > MOST_ERRORS and b != middle
            if left < 0:
                break
            first, end = min(first, b), max(end, b + 1)
    similar, total = 0, 0
    for b in range(first, end):
        total += errors[b]
        similar += errors[b] <= MOST_ERRORS
        if b - first >= run:
            total -= errors[b - run]
            similar -= errors[b - run] <= MOST_ERRORS
        if b - first >= run - 1 and similar >= run - poor and total <= most:
            return True
    return False


@njit(cache=True, nogil=True)
def _nearest(origin: np.ndarray, row: int, place: int, wanted: int, length: int) -> int:
    """Return the row from ``row`` on that holds a place of the genome and begins nearest to where it is wanted."""
    low, high = row, min(len(origin) - 1, row + length)
    while low < high:
        middle = (low + high + 1) // 2
        if origin[middle] <= wanted:
            low = middle
        else:
            high = middle - 1
    after = low + 1
    if after < len(origin) and origin[after] <= place and origin[after] - wanted < wanted - origin[low]:
        return after
    return low


@njit(cache=True, nogil=True)
def align(query: np.ndarray, reference: np.ndarray, diagonal: int, band: int, row: np.ndarray) -> tuple[int, int, int]:
    """Align two sequences locally within a band (Smith & Waterman 1981, linear gaps).

    Parameters
    ----------
    query, reference
        Plain codes.
    diagonal
        Position in the query minus position in the reference, at the band's middle.
    band
        Bases to either side of it.
    row
        Scratch, ``int64``, at least ``2 * band + 3`` long.

    Returns
    -------
    tuple
        Matches, aligned pairs of bases, and columns (pairs and gaps) of the best local alignment.
    """
    width = 2 * band + 1
    # One cell of margin on either side, which stays without an alignment.
    row[: width + 2] = 0
    best = 0
    for i in range(len(query)):
        low = i - diagonal - band
        first = max(0, -low)
        end = min(width, len(reference) - low)
        base = query[i] & LETTER
        left = 0
        for k in range(first, end):
            # The band moves by one with each row, so what was on the diagonal is in the same cell, and above is right.
            here = reference[low + k] & LETTER
            value = row[k + 1] + (_MATCH if base == here and base < UNKNOWN else _MISMATCH)
            value = max(value, row[k + 2] + _GAP, left + _GAP)
            if value < _SCORE:
                value = 0
            row[k + 1] = value
            left = value
            best = max(best, value)
    score = best >> 40
    matches = (best >> 20) & _FIELD
    pairs = best & _FIELD
    return matches, pairs, (2 * matches + pairs - score) // 2


@njit(cache=True, nogil=True)
def search(
    queries: np.ndarray,
    query_rows: np.ndarray,
    query_known: np.ndarray,
    complement: np.ndarray,
    references: np.ndarray,
    reference_rows: np.ndarray,
    reference_known: np.ndarray,
    origin: np.ndarray,
    starts: np.ndarray,
    positions: np.ndarray,
    offsets: np.ndarray,
    letters: int,
    block: np.ndarray,
    earlier_only: bool,
    best_only: bool,
    best: np.ndarray,
    limits: np.ndarray,
    identity: float,
    coverage: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find what is similar to each of a few sequences.

    Parameters
    ----------
    queries, query_rows, query_known
        Plain codes (n, length), each one's number, and how many of its bases are known.
    complement
        Code of the complementary letter; empty: the other strand is not searched.
    references, reference_rows, reference_known
        As for the queries.
    origin
        Where each reference begins on a common axis, rising; what overlaps there has the same letters.
    starts, positions
        The index: the places of seed ``s`` are ``positions[starts[s - 1] : starts[s]]``, 0 before the first.
    offsets
        The seed's pattern.
    letters
        Letters of the alphabet.
    block
        Label of each number's block, within which nothing is looked for; empty: none.
    earlier_only
        Whether only references of a smaller number count, so that each pair comes once.
    best_only
        Whether only a match better than ``best`` counts.
    best
        Best identity known so far for each query, changed in place.
    limits
        Most places of a seed, most alignments of a query, most blocks that a query is found to belong to before other
        members of them are looked at again (0: all members are), least ungapped score, drop, band.
    identity, coverage
        Least of a match.

    Returns
    -------
    tuple
        Pairs as ``int64`` (n, 3): query, reference, whether on the other strand; ``float32`` (n, 2): identity and
        coverage; and counts: seeds, seeds of too many places, places left out, queries without any seed, queries that
        met the most alignments, alignments.
    """
    most_places, most_alignments, most_joins, least, drop, band = limits
    length = queries.shape[1]
    span = offsets[-1] + 1
    found = np.empty((1024, 3), np.int64)
    measured = np.empty((1024, 2), np.float32)
    number = 0
    counts = np.zeros(7, np.int64)
    seeds = np.empty(length, np.int64)
    begins, ends = np.empty(SEEDS_AT_ONCE, np.int64), np.empty(SEEDS_AT_ONCE, np.int64)
    places = np.empty(SEEDS_AT_ONCE * (most_places + 1), np.int64)
    sources = np.empty(SEEDS_AT_ONCE * (most_places + 1), np.int64)
    flat = references.reshape(-1)
    seen = np.full(references.shape[0], -1, np.int64)
    # Which diagonals of a reference have been looked at, a bit for each few of them.
    apart = max(1, band // 4)
    diagonals = np.zeros((references.shape[0], (2 * length // apart + 3) // 64 + 1), np.uint64)
    joined = np.empty(most_joins, np.int64)
    scratch = np.zeros(2 * band + 3, np.int64)
    turned = np.empty(length, np.uint8)
    # Long sequences whose blocks differ are not aligned: a repeat that is shorter than what must be covered.
    matching = np.empty(((length + BLOCK - 1) // BLOCK, letters), np.uint64)
    errors = np.empty(matching.shape[0], np.int64)
    strands = 2 if len(complement) else 1
    for q in range(queries.shape[0]):
        own = query_rows[q]
        own_block = block[own] if len(block) else -1
        number_of_seeds = 0
        alignments = 0
        candidates_left = CANDIDATES * most_alignments
        joins = 0
        finished = best_only and best[q] >= ENOUGH
        done = finished or query_known[q] == 0
        for strand in range(strands):
            if done:
                break
            sequence = queries[q]
            if strand == 1:
                for k in range(length):
                    base = sequence[length - 1 - k]
                    turned[k] = complement[base & LETTER] | (base & MASKED)
                sequence = turned
            number_of_seeds += find_seeds(sequence, offsets, letters, seeds)
            blocks_read = False
            # The lists of many seeds are looked up, and the bases at their places touched, before any is looked at:
            # the processor then waits for many places of memory at once and not for one after the other.
            for group in range(0, length - span + 1, SEEDS_AT_ONCE):
                if done:
                    break
                last = min(group + SEEDS_AT_ONCE, length - span + 1)
                for i in range(group, last):
                    seed = seeds[i]
                    begins[i - group] = starts[seed - 1] if seed > 0 else 0
                    ends[i - group] = starts[seed] if seed >= 0 else 0
                candidates = 0
                for i in range(group, last):
                    if seeds[i] < 0:
                        continue
                    begin, end = begins[i - group], ends[i - group]
                    stride = 1
                    if end - begin > most_places:
                        # Places all over the list are looked at, not the first, which would always be the same rows.
                        stride = (end - begin + most_places - 1) // most_places
                        counts[1] += 1
                        counts[2] += end - begin - (end - begin + stride - 1 - q % stride) // stride
                    for place in range(begin + q % stride, end, stride):
                        places[candidates] = positions[place]
                        sources[candidates] = i
                        candidates += 1
                touched = 0
                for c in range(candidates):
                    touched += flat[places[c]]
                counts[6] += touched & 1
                for c in range(candidates):
                    i = sources[c]
                    r = places[c] // length
                    j = places[c] - r * length
                    if r + 1 < len(origin) and origin[r + 1] <= origin[r] + j:
                        # Of references that overlap here, the one that has most of what is opposite the query.
                        nearest = _nearest(origin, r, origin[r] + j, origin[r] + j - i, length)
                        j -= origin[nearest] - origin[r]
                        r = nearest
                    other = reference_rows[r]
                    if other == own or (earlier_only and other > own):
                        continue
                    if own_block >= 0:
                        skip = block[other] == own_block
                        for k in range(joins):
                            skip |= joined[k] == block[other]
                        if skip:
                            continue
                    stamp = 2 * q + strand
                    number_of_diagonal = (i - j + length) // apart + 1
                    word, bit = number_of_diagonal // 64, np.uint64(1) << np.uint64(number_of_diagonal % 64)
                    if seen[r] == stamp and diagonals[r, word] & bit:
                        continue
                    if _extended(sequence, references[r], i, j, span, drop) < least:
                        continue
                    if seen[r] != stamp:
                        seen[r] = stamp
                        diagonals[r] = 0
                    # Its neighbours lie well within the band of an alignment.
                    for near in range(number_of_diagonal - 1, number_of_diagonal + 2):
                        diagonals[r, near // 64] |= np.uint64(1) << np.uint64(near % 64)
                    shorter = min(query_known[q], reference_known[r])
                    # As many whole blocks as lie in what must be covered, wherever that is.
                    needed = coverage * shorter
                    run = (int(needed) - BLOCK + 1) // BLOCK
                    if run >= LEAST_BLOCKS and candidates_left > 0:
                        candidates_left -= 1
                        if not blocks_read:
                            _read_blocks(sequence, matching)
                            blocks_read = True
                        # A tenth more, for the ends that no whole block holds may have fewer errors.
                        most = 1.1 * (1 - identity) * needed
                        if not _worth_aligning(matching, references[r], length, i, i - j, band, run, most, errors):
                            continue
                    if alignments == most_alignments or candidates_left == 0:
                        counts[4] += 1
                        done = True
                        break
                    alignments += 1
                    matches, pairs, columns = align(sequence, references[r], i - j, band, scratch)
                    share = matches / columns if columns else 0.0
                    covered = pairs / shorter if shorter else 0.0
                    if share < identity or covered < coverage or (best_only and share <= best[q]):
                        continue
                    if number == found.shape[0]:
                        more, longer = np.empty((2 * number, 3), np.int64), np.empty((2 * number, 2), np.float32)
                        more[:number] = found
                        longer[:number] = measured
                        found, measured = more, longer
                    found[number] = own, other, strand
                    measured[number] = share, covered
                    number += 1
                    best[q] = max(best[q], share)
                    if own_block >= 0 and joins < most_joins:
                        joined[joins] = block[other]
                        joins += 1
                    if best_only and share >= ENOUGH:
                        done = True
                        break
        counts[0] += number_of_seeds
        counts[3] += number_of_seeds == 0 and not finished
        counts[5] += alignments
    return found[:number].copy(), measured[:number].copy(), counts[:6]

"""The finaliser of MurmurHash3: spreads integers evenly over 64 bits. Pure."""

import numpy as np
import numpy.typing as npt


def mix64(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each integer, an array of the shape of `values`.

    A bijection: equal hashes are equal integers. Flipping one bit of the input flips each bit of the hash with a
    probability of about one half. Not keyed, so not for what an adversary must not predict.

    Reference: Appleby, MurmurHash3 (`fmix64`), https://github.com/aappleby/smhasher.

    >>> [hex(hashed) for hashed in mix64(np.array([0, 1, 2])).tolist()]
    ['0x0', '0xb456bcfc34c2cb2c', '0x3abf2a20650683e7']
    """
    mixed: npt.NDArray[np.uint64] = values.astype(np.uint64)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(33))

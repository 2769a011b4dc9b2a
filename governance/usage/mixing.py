"""Spreading numbers evenly, so that they can be sampled and compared by what they become. Pure."""

import numpy as np
import numpy.typing as npt


def mix(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """Spread 64-bit integers evenly, one to one (the finaliser of MurmurHash3, Appleby)."""
    mixed: npt.NDArray[np.uint64] = values.astype(np.uint64)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(33))

"""What every aggregation of local descriptors checks and ends with."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["check_descriptors", "power_normalise"]


def check_descriptors(
    descriptors: NDArray[np.floating], length: int | None = None
) -> NDArray[np.float64]:
    """Check local descriptors and give them in double precision.

    Args:
        descriptors: (N, d) float, N >= 0.
        length: The d that is expected; None for any.

    Returns:
        (N, d) float64.

    Raises:
        ValueError: If the shape is another, or a value is not finite.
    """
    if descriptors.ndim != 2 or (length is not None and descriptors.shape[1] != length):
        expected = "d" if length is None else length
        raise ValueError(f"descriptors must be (N, {expected}), got {descriptors.shape}")
    if not np.isfinite(descriptors).all():
        raise ValueError("descriptors must be finite, got NaN or infinity")
    return descriptors.astype(np.float64)


def power_normalise(vector: NDArray[np.floating], power: float = 0.5) -> NDArray[np.float32]:
    """Flatten peaks, then L2-normalise: ``z = sign(v) |v|^power``, ``z / ||z||_2``.

    Perronnin, Sanchez, Mensink: Improving the Fisher Kernel for Large-Scale Image
    Classification, ECCV 2010, section 3.2; for VLAD Jegou et al.: Aggregating Local Image
    Descriptors into Compact Codes, PAMI 2012, section 3.3.

    Args:
        vector: (D,) float.
        power: In (0, 1]; 0.5 is the signed square root, 1 leaves the values as they are.

    Returns:
        (D,) float32, L2-normalised; zeros stay zeros.

    Raises:
        ValueError: If `power` is out of range.

    Example:
        >>> power_normalise(np.array([-16.0, 9.0])).tolist()
        [-0.800000011920929, 0.6000000238418579]
    """
    if not 0 < power <= 1:
        raise ValueError(f"power must be in (0, 1], got {power}")
    flat = np.sign(vector) * np.abs(vector.astype(np.float64)) ** power
    length = np.linalg.norm(flat)
    if length > 0:
        flat /= length
    result: NDArray[np.float32] = flat.astype(np.float32)
    return result

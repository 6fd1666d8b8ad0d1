"""A name for a picture's content, so that nothing is embedded twice."""

import hashlib

__all__ = ["content_hash"]


def content_hash(data: bytes) -> str:
    """Hash a file's bytes with BLAKE2b.

    Args:
        data: The whole file.

    Returns:
        32 lower-case hex digits (128 bits).

    Example:
        >>> content_hash(b"")
        'cae66941d9efbd404e4d88758ea67670'
    """
    return hashlib.blake2b(data, digest_size=16).hexdigest()

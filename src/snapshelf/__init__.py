"""Find the exact product in a shop's catalogue from a street photo, a studio shot or a video."""

__all__ = ["__version__"]

__version__ = "0.1.0"

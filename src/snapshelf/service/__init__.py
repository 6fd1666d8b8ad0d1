"""The HTTP service: a shelf searched and kept up to date over HTTP."""

from snapshelf.service.app import create_app
from snapshelf.service.settings import Settings

__all__ = ["Settings", "create_app"]

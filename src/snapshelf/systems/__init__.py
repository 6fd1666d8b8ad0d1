"""Locators, encoders and re-rankers put together: what can be asked to find a product."""

from snapshelf.systems.system import System

__all__ = ["System"]

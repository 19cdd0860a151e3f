"""The server that misbehaves."""

from tests.catalogue.prices.server import server

__all__ = ["server"]

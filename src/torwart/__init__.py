"""Torwart administers German smart meter gateways as a service (see README.md and MAP.md)."""

__version__ = "0.1.0"

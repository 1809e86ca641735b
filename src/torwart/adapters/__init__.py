"""Ports made real: key stores, Sub-CA client, bus, durable engine, embedded database."""

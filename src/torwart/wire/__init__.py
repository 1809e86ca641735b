"""Bytes to events and back for everything spoken outside; no socket, no clock, no database."""

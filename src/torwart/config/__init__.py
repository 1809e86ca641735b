"""Settings, wiring (composition root), entry points and the command line."""

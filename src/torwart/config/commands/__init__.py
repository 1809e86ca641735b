"""One module per command of the command line; each exposes a click command named command."""

"""``python -m torwart`` is the command line."""

from torwart.config.main import main

main()

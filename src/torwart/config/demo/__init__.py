"""The demonstration: a whole installation with its outside parties, from delivery note to first readings."""

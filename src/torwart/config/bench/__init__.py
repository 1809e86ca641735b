"""One module per benchmark; each yields ratios against a floor measured in the same run."""

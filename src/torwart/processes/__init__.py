"""One file per process of the catalogue: order fields, preconditions and its story, step by step."""

"""Values without which no sentence can be said: identifiers, instants, refusals, state tables."""

"""Outside parties as servers that speak the real protocol: gateways, Sub-CA, EMT."""

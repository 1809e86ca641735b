"""The verbs: one transaction, one audit entry, one outcome each."""

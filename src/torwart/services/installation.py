"""What an installation remembers of itself."""

from torwart.store.models import Installation


def environment(first: str) -> str:
    """The environment this database belongs to: from its first use on, then ``first``, for good."""
    found = Installation.objects.values_list("environment", flat=True).first()
    if found is None:
        Installation.objects.bulk_create([Installation(pk=1, environment=first)], ignore_conflicts=True)
        found = Installation.objects.values_list("environment", flat=True).get()
    return found

"""The one Django data app: models, queries, migrations; nothing but remembering."""

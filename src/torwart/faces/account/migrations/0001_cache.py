"""The table of Django's database cache, in which limits of attempts are counted by all processes together."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = ()
    operations = (
        migrations.RunSQL(
            """
            CREATE TABLE torwart_cache (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamptz NOT NULL
            );
            CREATE INDEX torwart_cache_expires ON torwart_cache (expires);
            """,
            "DROP TABLE torwart_cache",
        ),
    )

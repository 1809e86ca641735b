"""How often somebody has written, and been answered, within an hour: asked for every mail that comes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0010_console")]

    operations = [
        migrations.AddIndex(
            model_name="mailin", index=models.Index(fields=["from_address", "received_at"], name="mail_in_sender")
        ),
        migrations.AddIndex(
            model_name="mailout", index=models.Index(fields=["address", "created_at"], name="mail_out_address")
        ),
    ]

# The service side: accounts, contacts, orders, tickets, mail, approvals, access log.

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.apps import apps
from django.db import migrations, models

# Accounts of other apps point to our users; where those apps are installed, our table comes first.
_AFTER_USERS = ("account", "mfa", "usersessions")


class Migration(migrations.Migration):
    run_before = [(config.label, "0001_initial") for config in apps.get_app_configs() if config.label in _AFTER_USERS]

    dependencies = [
        ("store", "0004_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="client",
            name="state",
            field=models.TextField(db_default="onboarding", default="onboarding"),
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.TextField()),
                ("first_name", models.TextField(db_default="", default="")),
                ("phone", models.TextField(db_default="", default="")),
                ("language", models.CharField(db_default="de", default="de", max_length=2)),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list, size=None
                    ),
                ),
                ("is_active", models.BooleanField(db_default=True, default=True)),
                ("locked_reason", models.TextField(db_default="", default="")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "client",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="users", to="store.client"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Access",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("email", models.TextField(db_default="", default="")),
                ("address", models.TextField()),
                ("what", models.TextField()),
                ("path", models.TextField()),
                ("status", models.IntegerField(db_default=200, default=200)),
                ("agent", models.TextField(db_default="", default="")),
                (
                    "client",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accesses",
                        to="store.client",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="accesses", to="store.user"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("first_name", models.TextField()),
                ("phone", models.TextField()),
                ("email", models.EmailField(max_length=254)),
                ("language", models.CharField(db_default="de", default="de", max_length=2)),
                ("active", models.BooleanField(db_default=True, default=True)),
                ("legacy", models.BooleanField(db_default=False, default=False)),
                ("mail_state", models.TextField(db_default="unknown", default="unknown")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="contacts", to="store.client"
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="contact", to="store.user"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ContactCertificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(max_length=64)),
                ("der", models.BinaryField()),
                ("uses", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("subject", models.TextField()),
                ("issuer", models.TextField()),
                ("not_before", models.DateTimeField()),
                ("not_after", models.DateTimeField()),
                ("source", models.TextField()),
                ("state", models.TextField(db_default="stored", default="stored")),
                ("failure", models.TextField(db_default="", default="")),
                ("word", models.TextField(db_default="", default="")),
                ("test_sent_at", models.DateTimeField(null=True)),
                ("tested_at", models.DateTimeField(null=True)),
                (
                    "reminded",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), db_default=[], default=list, size=None
                    ),
                ),
                ("added_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="certificates", to="store.contact"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("process", models.TextField()),
                ("values", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                (
                    "done",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drafts", to="store.user"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MarketParticipant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=13, unique=True)),
                ("name", models.TextField()),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="participants", to="store.client"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=11, unique=True)),
                ("orderer_name", models.TextField()),
                ("channel", models.TextField()),
                ("process", models.TextField()),
                ("fields", models.JSONField()),
                ("summary", models.JSONField()),
                ("participant", models.CharField(db_default="", default="", max_length=13)),
                ("reference", models.TextField(db_default="", default="")),
                ("remark", models.TextField(db_default="", default="")),
                ("state", models.TextField(db_default="submitted", default="submitted")),
                ("state_since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("submitted_at", models.DateTimeField()),
                ("requested_at", models.DateTimeField(null=True)),
                ("planned", models.BooleanField()),
                ("due_at", models.DateTimeField()),
                ("starts_at", models.DateTimeField()),
                ("withdrawable_until", models.DateTimeField()),
                ("result", models.JSONField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="store.client"
                    ),
                ),
                (
                    "gateway",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="store.gateway",
                    ),
                ),
                (
                    "orderer",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="store.user"
                    ),
                ),
                (
                    "run",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="order", to="store.run"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("times", django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), size=None)),
                ("reason", models.TextField()),
                ("proposed_by", models.TextField()),
                ("proposed_at", models.DateTimeField()),
                ("chosen", models.DateTimeField(null=True)),
                ("answer", models.TextField(db_default="", default="")),
                ("answered_by", models.TextField(db_default="", default="")),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="proposals", to="store.order"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=11, unique=True)),
                ("kind", models.TextField()),
                ("subject", models.TextField()),
                ("state", models.TextField(db_default="open", default="open")),
                ("state_since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("waiting_reason", models.TextField(db_default="", default="")),
                ("opened_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("first_answer_at", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(null=True)),
                ("billable_minutes", models.IntegerField(db_default=0, default=0)),
                ("billable_reason", models.TextField(db_default="", default="")),
                (
                    "assignee",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="assigned", to="store.user"
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="store.client",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="store.contact",
                    ),
                ),
                (
                    "gateway",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="store.gateway",
                    ),
                ),
                (
                    "order",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="ticket", to="store.order"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MailOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message_id", models.TextField(unique=True)),
                ("kind", models.TextField()),
                ("address", models.TextField()),
                ("language", models.CharField(max_length=2)),
                ("subject", models.TextField()),
                ("text", models.TextField()),
                ("html", models.TextField()),
                ("secure", models.BooleanField()),
                (
                    "references",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list, size=None
                    ),
                ),
                ("files", models.JSONField(db_default=models.Value([], models.JSONField()), default=list)),
                ("state", models.TextField(db_default="queued", default="queued")),
                ("attempts", models.IntegerField(db_default=0, default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("failure", models.TextField(db_default="", default="")),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "certificate",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tests",
                        to="store.contactcertificate",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails_out",
                        to="store.client",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails_out",
                        to="store.contact",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails_out",
                        to="store.ticket",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MailIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("raw", models.BinaryField()),
                ("size", models.BigIntegerField()),
                ("via", models.TextField()),
                ("envelope_from", models.TextField(db_default="", default="")),
                (
                    "envelope_to",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list, size=None
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("state", models.TextField(db_default="stored", default="stored")),
                ("attempts", models.IntegerField(db_default=0, default=0)),
                ("message_id", models.TextField(db_default="", default="")),
                ("from_address", models.TextField(db_default="", default="")),
                ("subject", models.TextField(db_default="", default="")),
                ("security", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ("code", models.TextField(db_default="", default="")),
                ("why", models.TextField(db_default="", default="")),
                ("processed_at", models.DateTimeField(null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails_in",
                        to="store.contact",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails_in",
                        to="store.ticket",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("media_type", models.TextField()),
                ("size", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("content", models.BinaryField()),
                ("secure", models.BooleanField(db_default=False, default=False)),
                ("added_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "mail_in",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to="store.mailin",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="attachments", to="store.ticket"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("action", models.TextField()),
                ("subject", models.TextField()),
                ("payload", models.JSONField()),
                ("reason", models.TextField()),
                ("requested_at", models.DateTimeField()),
                ("state", models.TextField(db_default="pending", default="pending")),
                ("decided_at", models.DateTimeField(null=True)),
                ("remark", models.TextField(db_default="", default="")),
                (
                    "client",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to="store.client",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decided_approvals",
                        to="store.user",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="requested_approvals", to="store.user"
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to="store.ticket",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TicketEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("kind", models.TextField()),
                ("author", models.TextField()),
                ("de", models.TextField()),
                ("en", models.TextField()),
                ("internal", models.BooleanField(db_default=False, default=False)),
                (
                    "mail_in",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="store.mailin",
                    ),
                ),
                (
                    "mail_out",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="store.mailout",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="store.ticket"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower("email"), name="user_email"),
        ),
        migrations.AddIndex(
            model_name="access",
            index=models.Index(fields=["client", "-id"], name="access_client"),
        ),
        migrations.AddIndex(
            model_name="access",
            index=models.Index(fields=["user", "-id"], name="access_user"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(django.db.models.functions.text.Lower("email"), name="contact_by_email"),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                models.F("client"),
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(("active", True)),
                name="contact_email",
            ),
        ),
        migrations.AddIndex(
            model_name="contactcertificate",
            index=models.Index(fields=["state", "not_after"], name="contact_certificate_end"),
        ),
        migrations.AddConstraint(
            model_name="contactcertificate",
            constraint=models.UniqueConstraint(
                fields=("contact", "fingerprint"), name="contact_certificate_fingerprint"
            ),
        ),
        migrations.AddIndex(
            model_name="draft",
            index=models.Index(fields=["user", "-updated_at"], name="draft_user"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["client", "-id"], name="order_client"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["client", "state", "-id"], name="order_client_state"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["gateway", "-id"], name="order_gateway"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["planned", "requested_at"], name="order_requested"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["client", "-id"], name="ticket_client"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["state", "due_at", "id"], name="ticket_queue"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["assignee", "state", "due_at"], name="ticket_assignee"),
        ),
        migrations.AddIndex(
            model_name="mailout",
            index=models.Index(
                condition=models.Q(("state", "queued")), fields=["next_attempt_at"], name="mail_out_queue"
            ),
        ),
        migrations.AddIndex(
            model_name="mailout",
            index=models.Index(fields=["ticket", "id"], name="mail_out_ticket"),
        ),
        migrations.AddIndex(
            model_name="mailin",
            index=models.Index(condition=models.Q(("state", "stored")), fields=["id"], name="mail_in_stored"),
        ),
        migrations.AddIndex(
            model_name="mailin",
            index=models.Index(fields=["message_id"], name="mail_in_message_id"),
        ),
        migrations.AddIndex(
            model_name="mailin",
            index=models.Index(fields=["ticket", "id"], name="mail_in_ticket"),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(fields=["state", "id"], name="approval_state"),
        ),
        migrations.AddIndex(
            model_name="ticketentry",
            index=models.Index(fields=["ticket", "id"], name="ticket_entry_ticket"),
        ),
    ]

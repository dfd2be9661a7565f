from django.db import migrations, models

# What the search asks of contacts on PostgreSQL; SQLite reads the table, which is good enough for what it serves.
INDEXES = [
    # whose name has this word in it
    "CREATE INDEX contact_name_words ON contacts_contact USING gin (UPPER(display_name) gin_trgm_ops)"
    " WHERE display_name > ''",
    # who works for this company
    "CREATE INDEX contact_company_words ON contacts_contact USING gin (UPPER(company) gin_trgm_ops) WHERE company > ''",
]


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        # a trusted extension: the owner of the database may make it
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        for statement in INDEXES:
            schema_editor.execute(statement)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        # the extension stays: others may use it
        schema_editor.execute("DROP INDEX contact_name_words, contact_company_words")


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0002_contact_version"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="contactphone", name="contact_phone_number"),
        migrations.AddIndex(
            model_name="contactphone",
            index=models.Index(fields=["number"], name="contact_phone_number", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.RunPython(make, drop),
    ]

from django.db import migrations, models

# What the search asks of workitems on PostgreSQL; SQLite reads the table, which is good enough for what it serves.
INDEXES = [
    # which subjects have this word in them; most calls have no subject and stay out
    "CREATE INDEX workitem_name_words ON workitems_workitem USING gin (UPPER(name) gin_trgm_ops) WHERE name > ''",
    # what came from, or went to, a number or address that ends so
    "CREATE INDEX workitem_from_end ON workitems_workitem (REVERSE(from_address) text_pattern_ops)",
    "CREATE INDEX workitem_to_end ON workitems_workitem (REVERSE(to_address) text_pattern_ops)",
]


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in INDEXES:
            schema_editor.execute(statement)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX workitem_name_words, workitem_from_end, workitem_to_end")


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0003_search"),  # makes the extension for words
        ("workitems", "0002_mail_tokens_and_versions"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="workitem", name="workitem_from"),
        migrations.RemoveIndex(model_name="workitem", name="workitem_to"),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(fields=["from_address"], name="workitem_from", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(fields=["to_address"], name="workitem_to", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.RunPython(make, drop),
    ]

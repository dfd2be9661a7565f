from django.db import migrations

# All of them switched off: a centre simulates one, makes it its own, and switches it on. One for wrap-up that lasts too
# long is not among them, as it needs one of the centre's own dispositions.
SHIPPED = [
    {
        "policy_id": "p_lost_calls",
        "name": "Calls still in the queue after two hours",
        "channel": "voice",
        "state": "inqueue",
        "after_seconds": 2 * 3600,
        "act": "terminate",
        "cap": 100,
    },
    {
        "policy_id": "p_unanswered_offers",
        "name": "Offers that nobody has answered for ten minutes",
        "channel": "",
        "state": "offered",
        "after_seconds": 600,
        "act": "requeue",
        "cap": 500,
    },
    {
        "policy_id": "p_never_connected",
        "name": "Calls accepted and not connected within an hour",
        "channel": "voice",
        "state": "accepted",
        "after_seconds": 3600,
        "act": "requeue",
        "cap": 100,
    },
    {
        "policy_id": "p_idle_chats",
        "name": "Chats in which nothing has happened for half an hour",
        "channel": "chat",
        "state": "active",
        "after_seconds": 1800,
        "act": "terminate",
        "warn_seconds": 300,
        "cap": 200,
    },
    {
        "policy_id": "p_endless_calls",
        "name": "Calls that are active for eight hours: their end was never told",
        "channel": "voice",
        "state": "active",
        "after_seconds": 8 * 3600,
        "act": "terminate",
        "cap": 100,
    },
]


def ship(apps, schema_editor):
    """Add what is not there yet."""
    policies = apps.get_model("workitems", "StalePolicy")
    for one in SHIPPED:
        policies.objects.get_or_create(policy_id=one["policy_id"], defaults={**one, "is_enabled": False})


def take_back(apps, schema_editor):
    """Remove what has never acted."""
    policies = apps.get_model("workitems", "StalePolicy")
    acted = apps.get_model("workitems", "PolicyRun").objects.values("policy")
    policies.objects.filter(policy_id__in=[one["policy_id"] for one in SHIPPED]).exclude(pk__in=acted).delete()


class Migration(migrations.Migration):
    dependencies = [("workitems", "0004_runs_policies_and_presence")]

    operations = [migrations.RunPython(ship, take_back)]

"""Give somebody a scope."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from queues.models import Queue
from workitems import groups
from workitems.choices import TRANSFER_IN, Scope


class Command(BaseCommand):
    """Scopes from a terminal."""

    help = "Give a person a scope: on all workitems, or with --queue on one queue's."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say who, what and where."""
        parser.add_argument("username")
        parser.add_argument("scope", choices=[*Scope.values, TRANSFER_IN])
        parser.add_argument("--queue", metavar="QUEUE_ID")

    def handle(self, *args: Any, **options: Any) -> None:
        """Give it, and say so."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']}.")
        queue = None
        if options["queue"]:
            queue = Queue.objects.filter(queue_id=options["queue"]).first()
            if queue is None:
                known = ", ".join(Queue.objects.values_list("queue_id", flat=True)[:20]) or "none yet"
                raise CommandError(f"There is no queue {options['queue']}; queues are: {known}.")
        if options["scope"] == TRANSFER_IN:
            if queue is None:
                raise CommandError("transfer_in is given for one queue: add --queue.")
            groups.grant_transfer_in(user, queue)
        else:
            groups.grant(user, Scope(options["scope"]), queue)
        where = f"the queue {queue.queue_id}" if queue else "all workitems"
        self.stdout.write(f"{user.get_username()} now has {options['scope']} on {where}.")

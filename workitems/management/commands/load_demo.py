"""Make the demo centre."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from workitems.demo import centre, loading
from workitems.models import Workitem


class Command(BaseCommand):
    """Make it once, and show the passwords once."""

    help = "Make a demo contact centre in an empty database and show who can sign in; the passwords are shown only now."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it, unless it is there or would mix with real work."""
        if centre.is_loaded():
            self.stdout.write("The demo centre is there already.")
            return
        if Workitem.objects.exists():
            raise CommandError("This database has workitems of its own; the demo centre wants an empty one.")
        accounts = loading.load(now=timezone.now())
        self.stdout.write("Who can sign in (these passwords are shown only now):")
        for account in accounts:
            self.stdout.write(f"  {account.username:<12} {account.password:<18} {account.role}")

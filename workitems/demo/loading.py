"""The demo centre in an empty database, with its past and its present, all or nothing."""

from __future__ import annotations

import random
from datetime import datetime
from itertools import chain

from django.db import transaction

from workitems import services
from workitems.actors import Actor
from workitems.choices import Scope
from workitems.demo import past, present
from workitems.demo.centre import NAME, Account, build, open_accounts


@transaction.atomic
def load(*, now: datetime, seed: int = 1) -> list[Account]:
    """Build the centre and return who can sign in."""
    dice = random.Random(seed)  # noqa: S311  a past to look at, no secret
    centre = build(dice)
    accounts = open_accounts(centre)
    actor = Actor.job(NAME, Scope.ADMIN)
    told = chain(past.histories(dice, centre, now), present.histories(dice, centre, now))
    for chunk in services.chunks(told, services.CHUNK):
        services.record(chunk, actor=actor)
    present.come_to_work(centre, actor, now)
    present.switch_policies_on(centre, actor, now)
    return accounts

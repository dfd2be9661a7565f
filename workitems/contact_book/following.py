"""How the workitems of a merged contact follow to the kept one, and go back when the merge is undone."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from contacts.models import Contact
from workitems import bulk, services
from workitems.actors import Actor
from workitems.choices import Action
from workitems.commands import FollowContact
from workitems.models import BulkItem, BulkRun, ContactMerge, RunItem, Workitem
from workitems.selections import Selection

AT_ONCE = 200  # the most that move while the person waits; more move in a run
MOST_COUNTED = 1_000


def waiting_items(contact: Contact) -> QuerySet[Workitem]:
    """Return the workitems that stand with a contact."""
    return Workitem.objects.filter(contact=contact).order_by("pk")


def follow(merge: ContactMerge, *, actor: Actor, now: datetime) -> None:
    """Let all workitems that stand with the merged contact follow: those that are many, in a run."""
    ids = list(waiting_items(merge.gone).values_list("workitem_id", flat=True)[: AT_ONCE + 1])
    if len(ids) > AT_ONCE:
        merge.run = _request(
            Selection(rows=waiting_items(merge.gone)), merge.gone, merge.kept, merge, actor=actor, now=now
        )
        merge.facts["runs"] = [*merge.facts.get("runs", ()), merge.run.bulk_id]
        merge.save(update_fields=["run", "facts"])
    elif ids:
        command = FollowContact(merge.gone, merge.kept, merge.merge_id)
        outcome = services.execute_many(command, ids, actor=actor, now=now)
        merge.facts["items"] = [*merge.facts.get("items", ()), *outcome.done]
        merge.save(update_fields=["facts"])


def moved_ids(merge: ContactMerge) -> list[str]:
    """Return the workitems that the merge has moved."""
    ids = dict.fromkeys(merge.facts.get("items", ()))
    done = BulkItem.objects.filter(run__bulk_id__in=merge.facts.get("runs", ()), outcome=RunItem.Outcome.DONE)
    return list(ids | dict.fromkeys(done.order_by("pk").values_list("workitem_id", flat=True)))


def go_back(merge: ContactMerge, *, actor: Actor, now: datetime) -> tuple[int, int]:
    """Let what the merge has moved go back, and return how many go and how many stay with whom they are by now."""
    ids = moved_ids(merge)
    if len(ids) > AT_ONCE:
        merge.undo_run = _request(Selection(workitem_ids=ids), merge.kept, merge.gone, merge, actor=actor, now=now)
        return len(ids), 0
    command = FollowContact(merge.kept, merge.gone, merge.merge_id)
    outcome = services.execute_many(command, ids, actor=actor, now=now)
    return len(outcome.done), len(outcome.refused)


def _request(
    selection: Selection, former: Contact, contact: Contact, merge: ContactMerge, *, actor: Actor, now: datetime
) -> BulkRun:
    arguments = {"contactId": contact.contact_id, "formerContactId": former.contact_id, "mergeId": merge.merge_id}
    return bulk.request(Action.EDIT, arguments, selection, actor=actor, now=now)

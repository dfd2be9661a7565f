"""Who may be one and the same person: contacts that share a number, an e-mail address, or a name.

One contact's duplicates are looked up by indexes. The whole book is walked contact by contact in the order of pks, so
that a look costs the same however large the book is; what is shared is looked up for each stretch of it at once.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from contacts.models import Contact, ContactEmail, ContactPhone
from workitems import directory
from workitems.actors import Actor
from workitems.search.patterns import ANY, MAX_STARS, Pattern, literal
from workitems.search.sql import CaselessLike

MOST_DUPLICATES = 20
MOST_ALIKE = 200  # the most of one name that are looked through for one contact
STRETCH = 500
STRETCHES = 4
ENOUGH_GROUPS = 25
MOST_MEMBERS = 10
MOST_SHARING = 5_000  # a name or number that more have in a stretch is nobody's own


class Reason(enum.StrEnum):
    """What they share."""

    NUMBER = "number"
    ADDRESS = "address"
    NAME = "name"


@dataclass(frozen=True)
class Duplicate:
    """A contact that may be the same person, and what both have, by kind."""

    contact: Contact
    shared: list[tuple[Reason, str]]


@dataclass
class Group:
    """Contacts that share something, and what; of many contacts only some."""

    shared: list[tuple[Reason, str]]
    pks: list[int]
    contacts: list[Contact] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        """How many more there are."""
        return max(0, len(self.pks) - MOST_MEMBERS)


@dataclass
class Groups:
    """What was found in a part of the book; `after` is where to go on, or None at its end."""

    groups: list[Group]
    after: int | None
    is_cut: bool = False  # something is shared by so many that not all were looked at


def folded(name: str) -> str:
    """Return a name as it is compared: in one case, with single blanks."""
    return " ".join(name.split()).casefold()


def duplicates_of(contact: Contact, actor: Actor) -> list[Duplicate]:
    """Return those contacts, of which the actor may see each, that share something with this one."""
    shared: dict[int, list[tuple[Reason, str]]] = defaultdict(list)
    numbers = [one.number for one in contact.phones.all()]
    addresses = [one.address for one in contact.emails.all()]
    alike = {
        Reason.NUMBER: _sharing(ContactPhone, "number", numbers),
        Reason.ADDRESS: _sharing(ContactEmail, "address", addresses),
        Reason.NAME: _with_name(contact.display_name),
    }
    for reason, rows in alike.items():
        for value, pk in rows[:MOST_ALIKE]:
            if reason is not Reason.NAME or folded(value) == folded(contact.display_name):
                shared[pk].append((reason, value))
    shared.pop(contact.pk, None)
    visible = directory.visible_contacts(actor).filter(pk__in=list(shared), erased_at=None)
    found = visible.prefetch_related("phones", "emails").order_by("pk")[:MOST_DUPLICATES]
    return sorted((Duplicate(one, shared[one.pk]) for one in found), key=lambda one: (-len(one.shared), one.contact.pk))


def shared_with(contacts: Sequence[Contact]) -> set[int]:
    """Return which of these, whose numbers and addresses are loaded, share one of them with somebody else."""
    by_value: dict[str, set[int]] = defaultdict(set)
    numbers = {one.number for contact in contacts for one in contact.phones.all()}
    addresses = {one.address for contact in contacts for one in contact.emails.all()}
    phones, emails = _sharing(ContactPhone, "number", numbers), _sharing(ContactEmail, "address", addresses)
    for value, pk in phones.union(emails, all=True)[:MOST_SHARING]:
        by_value[value].add(pk)
    return {pk for pks in by_value.values() if len(pks) > 1 for pk in pks}


def find_groups(after: int = 0) -> Groups:
    """Return groups of those who share something, from the contact after this pk on."""
    found = Groups([], after)
    for _stretch in range(STRETCHES):
        rows = list(
            Contact.objects.standing()
            .filter(pk__gt=found.after or 0, erased_at=None)
            .order_by("pk")
            .values_list("pk", "display_name")[:STRETCH]
        )
        _look_through(dict(rows), found)
        found.after = rows[-1][0] if len(rows) == STRETCH else None
        if found.after is None or len(found.groups) >= ENOUGH_GROUPS:
            break
    _load_members(found.groups)
    return found


def _look_through(names: dict[int, str], found: Groups) -> None:
    """Find what the contacts of a stretch share; each group is told where its first contact stands."""
    pks = list(names)
    numbers = set(ContactPhone.objects.filter(contact__in=pks).order_by().values_list("number", flat=True))
    addresses = set(ContactEmail.objects.filter(contact__in=pks).order_by().values_list("address", flat=True))
    spellings = {spelling for name in names.values() for spelling in _spellings(name)}
    alike = Contact.objects.standing().filter(erased_at=None, display_name__in=spellings).order_by()
    groups: dict[tuple[int, ...], Group] = {}
    for reason, rows in (
        (Reason.NUMBER, list(_sharing(ContactPhone, "number", numbers)[:MOST_SHARING])),
        (Reason.ADDRESS, list(_sharing(ContactEmail, "address", addresses)[:MOST_SHARING])),
        (Reason.NAME, list(alike.values_list("display_name", "pk")[:MOST_SHARING])),
    ):
        found.is_cut |= len(rows) >= MOST_SHARING
        by_value: dict[str, set[int]] = defaultdict(set)
        for value, pk in rows:
            by_value[folded(value) if reason is Reason.NAME else value].add(pk)
        for value, sharing in by_value.items():
            first = min(sharing)
            if len(sharing) > 1 and first in names:
                shown = names[first] if reason is Reason.NAME else value
                group = groups.setdefault(tuple(sorted(sharing)), Group([], sorted(sharing)))
                group.shared.append((reason, shown))
    found.groups += groups.values()


def _load_members(groups: list[Group]) -> None:
    pks = {pk for group in groups for pk in group.pks[:MOST_MEMBERS]}
    contacts = Contact.objects.prefetch_related("phones", "emails").in_bulk(pks)
    for group in groups:
        group.contacts = [contacts[pk] for pk in group.pks[:MOST_MEMBERS] if pk in contacts]


def _sharing(
    model: type[ContactPhone | ContactEmail], column: str, values: Iterable[str]
) -> QuerySet[Any, tuple[str, int]]:
    """Return who has one of these numbers or addresses, each with what it is, in no order: many would be sorted."""
    rows: QuerySet[Any] = model._default_manager.filter(**{f"{column}__in": list(values)}).order_by()
    return rows.values_list(column, "contact")


def _spellings(name: str) -> set[str]:
    """Return the ways in which the same name is usually written: an index finds these, and no other case."""
    plain = " ".join(name.split())
    return {name, plain, plain.upper(), plain.lower(), plain.title()} - {""}


def _with_name(name: str) -> QuerySet[Any, tuple[str, int]]:
    """Return contacts with about this name, in any case and with any blanks; the words' own index finds them."""
    words = name.split()
    pieces: list[str] = []
    for word in words[:MAX_STARS]:
        pieces += [*([ANY] if pieces else []), *map(literal, word)]
    if len(words) > MAX_STARS:
        pieces.append(ANY)
    rows = Contact.objects.standing().filter(display_name__gt="").order_by()
    if not pieces:
        return rows.none().values_list("display_name", "pk")
    return rows.filter(CaselessLike("display_name", Pattern(tuple(pieces)))).values_list("display_name", "pk")

"""What two contacts say of themselves, where they contradict each other, and what one made of both would say."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contacts.models import Contact
from workitems import audit

# the id in a source system is worth nothing without the system
EXTERNAL = "external_id"
FIELDS = ("display_name", "first_name", "last_name", "company", EXTERNAL, "is_blocked", "notes", "data")
Facts = dict[str, Any]


class Choice(enum.StrEnum):
    """Whose fact holds where both have one."""

    KEPT = "kept"
    GONE = "gone"
    BOTH = "both"


@dataclass(frozen=True)
class Difference:
    """One fact of two contacts: what each says, and whose holds unless somebody chooses otherwise."""

    name: str
    kept: Any
    gone: Any
    choice: Choice
    is_conflict: bool

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Between what one can choose; texts can be put together."""
        return (Choice.KEPT, Choice.GONE, Choice.BOTH) if self.name == "notes" else (Choice.KEPT, Choice.GONE)


def compare(kept: Contact, gone: Contact) -> list[Difference]:
    """Return all facts in which they differ."""
    return [
        _difference(name, value_of(kept, name), value_of(gone, name))
        for name in FIELDS
        if value_of(kept, name) != value_of(gone, name)
    ]


def united(kept: Contact, gone: Contact, choices: Mapping[str, str]) -> Facts:
    """Return the facts of the kept contact that have to change, by column."""
    facts: Facts = {}
    for one in compare(kept, gone):
        choice = choices.get(one.name, one.choice) if one.is_conflict else one.choice
        if choice == Choice.BOTH and one.name == "notes":
            facts[one.name] = f"{one.kept.rstrip()}\n\n{one.gone.lstrip()}"
        elif choice == Choice.GONE and one.name == EXTERNAL:
            facts |= {"source": gone.source, EXTERNAL: gone.external_id}
        elif choice == Choice.GONE:
            facts[one.name] = one.gone
    return facts


def value_of(contact: Contact, name: str) -> Any:
    """Return a fact; an id of another system together with the system's name."""
    if name == EXTERNAL:
        return f"{contact.source}: {contact.external_id}" if contact.external_id else ""
    return getattr(contact, name)


def parts_of(contact: Contact) -> dict[str, list[dict[str, Any]]]:
    """Return its numbers and addresses, the primary one first."""
    return {
        "phones": [{"value": one.number, "is_primary": one.is_primary} for one in contact.phones.all()],
        "emails": [{"value": one.address, "is_primary": one.is_primary} for one in contact.emails.all()],
    }


def all_of(contact: Contact) -> audit.Facts:
    """Return everything that a contact says of itself, for an audit."""
    return audit.facts_of(contact, ("phones", "emails"))


def _difference(name: str, kept: Any, gone: Any) -> Difference:
    if name == "is_blocked":  # whoever was blocked stays so unless somebody says otherwise
        return Difference(name, kept, gone, Choice.KEPT if kept else Choice.GONE, is_conflict=True)
    if not kept or not gone:
        return Difference(name, kept, gone, Choice.KEPT if kept else Choice.GONE, is_conflict=False)
    return Difference(name, kept, gone, Choice.BOTH if name == "notes" else Choice.KEPT, is_conflict=True)

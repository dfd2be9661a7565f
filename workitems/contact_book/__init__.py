"""The contact book: who may be one and the same person, and making one of two, taking that back, blocking and erasing.

Contacts as programs keep them stand in directory.py. Workitems follow by commands, each with its event.
"""

from workitems.contact_book.blocking import set_blocked
from workitems.contact_book.duplicates import (
    Duplicate,
    Group,
    Groups,
    Reason,
    duplicates_of,
    find_groups,
    folded,
    shared_with,
)
from workitems.contact_book.erasing import ERASED_NAME, Erasure, erase, erasure_left
from workitems.contact_book.facts import Choice, Difference, compare, parts_of
from workitems.contact_book.following import AT_ONCE, MOST_COUNTED, follow, waiting_items
from workitems.contact_book.merging import Preview, bring_over, merge, merges_of, preview
from workitems.contact_book.undoing import Undone, undo

__all__ = [
    "AT_ONCE",
    "ERASED_NAME",
    "MOST_COUNTED",
    "Choice",
    "Difference",
    "Duplicate",
    "Erasure",
    "Group",
    "Groups",
    "Preview",
    "Reason",
    "Undone",
    "bring_over",
    "compare",
    "duplicates_of",
    "erase",
    "erasure_left",
    "find_groups",
    "folded",
    "follow",
    "merge",
    "merges_of",
    "parts_of",
    "preview",
    "set_blocked",
    "shared_with",
    "undo",
    "waiting_items",
]

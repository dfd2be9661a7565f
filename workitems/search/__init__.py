"""The search language `q`: what people and integrations type, turned into a condition on rows.

`matching` is all that most callers need. Rows come in already narrowed to what the caller may see; nothing here
widens them. Whatever the text, the only error is InvalidSearch.
"""

from workitems.search.compiling import condition, matching
from workitems.search.schema import Schema
from workitems.search.schemas import AGENTS, CONTACTS, DISPOSITIONS, QUEUES, WORKITEMS

__all__ = ["AGENTS", "CONTACTS", "DISPOSITIONS", "QUEUES", "WORKITEMS", "Schema", "condition", "matching"]

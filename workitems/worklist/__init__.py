"""The list of workitems that people look at: what it can be narrowed to, in which columns, and one page of it.

Nothing here knows who shows it: the back office does, and whatever else lists workitems to people.
"""

from workitems.worklist.chips import LABELS, Chip, chips
from workitems.worklist.columns import BY_DUE, COLUMNS, SORTS, USUAL_COLUMNS, USUAL_SORT, Column
from workitems.worklist.conditions import matching, names_archive, slices
from workitems.worklist.filters import NAMES, Archived, Filters, Reader, Within
from workitems.worklist.ordering import ordered
from workitems.worklist.pages import MOST_COUNTED, Page, page_of
from workitems.worklist.rows import rows_of
from workitems.worklist.sla import Sla, Standing, standing_of
from workitems.worklist.waits import waited_until

__all__ = [
    "BY_DUE",
    "COLUMNS",
    "LABELS",
    "MOST_COUNTED",
    "NAMES",
    "SORTS",
    "USUAL_COLUMNS",
    "USUAL_SORT",
    "Archived",
    "Chip",
    "Column",
    "Filters",
    "Page",
    "Reader",
    "Sla",
    "Standing",
    "Within",
    "chips",
    "matching",
    "names_archive",
    "ordered",
    "page_of",
    "rows_of",
    "slices",
    "standing_of",
    "waited_until",
]

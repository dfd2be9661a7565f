"""Reports over the ledger: how work came in and was dealt with, by queue, channel, agent and hour or day.

Whoever asks gets the figures of the queues whose work he may see. Nothing is remembered between two reports.
"""

from workitems.reports.asking import MOST_DAYS, Asked, Clock, Period, Reach, Subject
from workitems.reports.counting import Cell, Counted
from workitems.reports.report import Report, make

__all__ = ["MOST_DAYS", "Asked", "Cell", "Clock", "Counted", "Period", "Reach", "Report", "Subject", "make"]

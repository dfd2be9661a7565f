"""What the REST door keeps: the programs that may come in, and the answers that can be asked for again."""

from workitems.api.models.application import Application
from workitems.api.models.kept_answer import KeptAnswer

__all__ = ["Application", "KeptAnswer"]

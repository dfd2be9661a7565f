"""The desk: the board, on which one sees within a second where it burns, and the wallboard."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from workitems import board as boards
from workitems import cached
from workitems.actors import Actor
from workitems.board import Board, RunLine
from workitems.choices import Action
from workitems.models import Workitem
from workitems.pages import first_steps, live
from workitems.pages.board_view import Asked, figures_of, wall_of
from workitems.pages.people import actor_of
from workitems.presenting.run_words import bar_of, pace_of

ABSENT_SHOWN = 20
ALERTS_SHOWN = 5
RUNS_SHOWN = 10
OWN_SHOWN = 20


@dataclass(frozen=True)
class Part:
    """What is drawn once for everybody who sees the same in the same way."""

    template: str
    figures_of: Callable[[Board, Asked], dict[str, Any]]


BOARD = Part("supervisor/board_figures.html", figures_of)
WALL = Part("supervisor/wall_figures.html", wall_of)


@dataclass(frozen=True)
class Progress:
    """A run on its way: what it does, how far it is, and where its receipt stands."""

    words: str
    settled: int
    bar: dict[str, Any]
    pace: str
    address: str


@login_required
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Show all queues, what is stuck and what is on its way."""
    return live.answer(request, "supervisor/board.html", lambda mark: _context(request, mark, BOARD), is_shared=True)


@login_required
@require_GET
def wallboard(request: HttpRequest) -> HttpResponse:
    """Show all queues, or those that the address names, for a screen that many look at from afar."""
    return live.answer(request, "supervisor/wallboard.html", lambda mark: _context(request, mark, WALL), is_shared=True)


def _context(request: HttpRequest, mark: str, part: Part) -> dict[str, Any]:
    actor, now, asked = actor_of(request), timezone.now(), Asked.of(request.GET)
    seen = boards.look(actor, mark, now=now)
    asked = asked.within(seen)
    is_empty = not seen.queues and not asked.queues
    return {
        "figures": None if is_empty else _figures(actor, mark, seen, asked, part),
        "steps": first_steps.steps(actor) if _may_be_new(seen) else [],
        "own": _own(actor) if is_empty else [],
        "absent": seen.absent[:ABSENT_SHOWN],
        "absent_left_out": max(0, len(seen.absent) - ABSENT_SHOWN),
        "alerts": seen.alerts[:ALERTS_SHOWN],
        "runs": [_progress(one, actor) for one in seen.runs_for(actor)[:RUNS_SHOWN]],
        "asked": asked,
        "now": now,
    }


def _figures(actor: Actor, mark: str, seen: Board, asked: Asked, part: Part) -> SafeString:
    """Return the figures as they are drawn; who may see them is in the key, so rights hold at once."""
    options = hashlib.sha256(f"{part.template} {get_language()} {asked.address()}".encode()).hexdigest()

    def draw() -> str:
        return str(render_to_string(part.template, part.figures_of(seen, asked)))

    key = f"board-drawn:{boards.audience_key(actor)}:{mark}:{options}"
    return mark_safe(cached.remembered(key, draw, boards.REMEMBERED_SECONDS))  # noqa: S308  drawn by a template


def _own(actor: Actor) -> list[Workitem]:
    """Return what somebody has in hand who sees no queue."""
    mine = Workitem.objects.visible_to(actor).current_for(actor)
    return list(mine.select_related("queue").order_by("state_changed_at", "pk")[:OWN_SHOWN])


def _may_be_new(seen: Board) -> bool:
    return seen.sees_all and all(one.total.is_empty for one in seen.queues)


def _progress(line: RunLine, actor: Actor) -> Progress:
    now = timezone.now()
    if line.kind == "transfer":
        words = _("Transfer to %s") % line.name if line.name else _("Transfer back")
    elif line.kind == "bulk":
        words = str(Action(line.name).label)
    else:
        words = _("Stale policy “%s”") % line.name
    address = reverse("desk-run", args=[line.run_id]) if line.kind != "policy" else ""
    return Progress(words, line.run.settled, bar_of(line.run), pace_of(line.run, now), address)

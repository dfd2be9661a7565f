"""Somebody at a browser: who enters, and what axe says of a page that he sees."""

from __future__ import annotations

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.doors import browser as client_of

# a refusal that a script is meant to show; the browser notes the answer as an error
REFUSAL = re.compile(r"Failed to load resource: .* status of (400|403|409|412|428|503) ")
# colours that fade in, and nothing that goes on for ever
AT_REST = """Promise.allSettled(document.getAnimations()
    .filter(one => Number.isFinite(one.effect.getComputedTiming().endTime)).map(one => one.finished))"""


def enter(chromium: Browser, address: str, user: User, *, width: int = 1280, **options: Any) -> Page:
    """Open a window in which somebody is signed in, and note in `page.problems` what goes wrong in it."""
    context = chromium.new_context(base_url=address, viewport={"width": width, "height": 900}, **options)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client_of(user).cookies[name].value, "url": address}])
    page = context.new_page()
    problems: list[str] = []
    page.problems = problems  # type: ignore[attr-defined]
    page.on("console", lambda line: problems.append(line.text) if is_wrong(line) else None)
    page.on("pageerror", lambda error: problems.append(error.stack or str(error)))
    page.on("request", lambda one: problems.append(one.url) if goes_out(one.url, address) else None)
    return page


def is_wrong(line: ConsoleMessage) -> bool:
    return line.type == "error" and not REFUSAL.match(line.text)


def goes_out(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))


def objections(page: Page, part: str | dict[str, Any] | None = None) -> list[str]:
    """Return what axe objects to in a page, or in a part of it, first in light colours and then in dark ones."""
    page.wait_for_load_state("networkidle")
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        # the back office looks at the scheme once, when it is loaded
        page.evaluate("scheme => document.documentElement.classList.toggle('dark', scheme === 'dark')", scheme)
        page.evaluate(AT_REST)
        for one in Axe().run(page, context=part).response["violations"]:
            found += [f"{scheme}: {one['id']}: {node['html'][:120]}" for node in one["nodes"]]
    page.emulate_media(color_scheme="light")
    page.evaluate("document.documentElement.classList.remove('dark')")
    return found


def sticks_out(page: Page) -> bool:
    """Tell whether the page has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))

"""The browser that tests and pictures are made with: Debian's Chromium, which asks nobody else for anything."""

from __future__ import annotations

import os
import shutil

import pytest

# the one without windows does the same in two thirds of the time
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# the mark of a module that looks at pages: real transactions, and skipped only where no browser is asked for
IN_A_BROWSER = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("REQUIRE_BROWSER"), reason="there is no chromium on this machine"
    ),
]

"""The browser that tests and pictures are made with: Debian's Chromium, which asks nobody else for anything."""

from __future__ import annotations

import shutil

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

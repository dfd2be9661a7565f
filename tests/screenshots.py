"""Pictures of the main pages of desk and back office, light and dark, from a fresh demo: python -m tests.screenshots

They go to docs/screenshots. A page that cannot be reached is named at the end, and the others are still taken.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.browsers import ARGUMENTS, CHROMIUM

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "screenshots"
START_SECONDS = 120
LIVELY_SECONDS = 45  # so long the simulated centre works before the first picture
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LIST = "/admin/workitems/workitem/"
SEARCH = "state%3Ainqueue+AND+channelType%3A%28voice+OR+chat%29"
PNG_HEAD = b"\x89PNG\r\n\x1a\n"

# A palette of 256 of the picture's colours, each chosen because many pixels are far from those chosen before, and for
# each pixel the place of the nearest of them.
READ_PIXELS = """async (data) => {
    const image = new Image();
    image.src = data;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const bytes = context.getImageData(0, 0, image.width, image.height).data;
    const exact = new Uint32Array(bytes.length / 4);
    const counts = new Map();
    for (let at = 0; at < exact.length; at += 1) {
        exact[at] = (bytes[4 * at] << 16) | (bytes[4 * at + 1] << 8) | bytes[4 * at + 2];
        counts.set(exact[at], (counts.get(exact[at]) ?? 0) + 1);
    }
    const apart = (one, two) =>
        [16, 8, 0].reduce((sum, bit) => sum + (((one >> bit) & 255) - ((two >> bit) & 255)) ** 2, 0);
    const colours = [...counts].map(([colour, count]) => ({ colour, count, away: Infinity, place: 0 }));
    const palette = [];
    while (palette.length < Math.min(256, colours.length)) {
        let next = colours[0];
        for (const one of colours) {
            const [mine, best] = [one, next].map(({ count, away }) => (away === Infinity ? 1e9 : away) * count);
            if (mine > best) next = one;
        }
        for (const one of colours) {
            const away = apart(one.colour, next.colour);
            if (away < one.away) [one.away, one.place] = [away, palette.length];
        }
        palette.push(next.colour);
    }
    const places = new Map(colours.map(({ colour, place }) => [colour, place]));
    let text = "";
    for (const colour of exact) text += String.fromCharCode(places.get(colour));
    return { width: image.width, height: image.height, palette, pixels: btoa(text) };
}"""


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data_dir,
        demo(Path(data_dir)) as (address, password),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        missing = take_all(browser, address, password)
        browser.close()
    for name, why in missing.items():
        sys.stderr.write(f"not taken: {name}: {why}\n")
    return 1 if missing else 0


@contextmanager
def demo(data_dir: Path) -> Iterator[tuple[str, str]]:
    """Run the product with a demo centre of its own, and yield its address and the administrator's password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")}
    settings = {"DATA_DIR": str(data_dir), "HTTPS": "off", "SECOND_FACTOR": "off", "ENVIRONMENT_NAME": "Demo"}
    output = data_dir / "demo.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "demo", "--port", str(port)],
            cwd=ROOT, env=kept | settings, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}", wait_for(r"^ *admin +(\S+)", "Workitems is running", output, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def wait_for(pattern: str, last: str, output: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        text = output.read_text()
        found = re.search(pattern, text, re.MULTILINE)
        if found and last in text:
            return found[1]
        time.sleep(0.5)
    raise SystemExit(f"The demo does not start:\n{output.read_text()}")


def take_all(browser: Browser, address: str, password: str) -> dict[str, str]:
    context = browser.new_context(base_url=address, viewport=WIDE, locale="en-GB", color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(15_000)
    sign_in(page, password)
    time.sleep(LIVELY_SECONDS)
    missing = {}
    for name, go in PAGES.items():
        try:
            go(page)
            take(page, name)
        except Error as error:
            missing[name] = str(error).splitlines()[0]
    missing |= take_the_desk(page)
    page.set_viewport_size(NARROW)
    home(page)
    shoot(page, "home-narrow")
    context.close()
    return missing


def take_the_desk(page: Page) -> dict[str, str]:
    """Take the desk's pages, wide in both colours and narrow; they follow the colours of the system."""
    missing = {}
    for name, go in DESK.items():
        try:
            for size, scheme, suffix in ((WIDE, "light", ""), (WIDE, "dark", "-dark"), (NARROW, "light", "-narrow")):
                page.set_viewport_size(size)
                page.emulate_media(color_scheme=scheme)
                go(page)
                shoot(page, name + suffix)
        except Error as error:
            missing[name] = str(error).splitlines()[0]
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    return missing


def sign_in(page: Page, password: str) -> None:
    page.goto("/admin/")
    page.locator("[name=login]").fill("admin")
    page.locator("[name=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")


def take(page: Page, name: str) -> None:
    """Take the page in both colours, without loading it anew."""
    for scheme, suffix in (("light", ""), ("dark", "-dark")):
        page.emulate_media(color_scheme=scheme)
        page.evaluate("(scheme) => { Alpine.$data(document.documentElement).adminTheme = scheme; }", scheme)
        shoot(page, name + suffix)
    page.evaluate("() => { Alpine.$data(document.documentElement).adminTheme = 'light'; }")
    page.emulate_media(color_scheme="light")


def shoot(page: Page, name: str) -> None:
    page.evaluate("document.fonts.ready")
    page.mouse.move(700, 899)
    page.wait_for_timeout(300)
    picture = page.screenshot(animations="disabled", caret="hide")
    (PICTURES / f"{name}.png").write_bytes(smaller(page.context.browser, picture))


def smaller(browser: Browser | None, picture: bytes) -> bytes:
    """Return the picture with the 256 colours that it uses most: text and flat areas look the same, at a third."""
    assert browser is not None
    page = browser.new_page()
    read = page.evaluate(READ_PIXELS, "data:image/png;base64," + b64encode(picture).decode())
    page.close()
    width, height, pixels = read["width"], read["height"], b64decode(read["pixels"])
    rows = b"".join(b"\0" + pixels[row * width : (row + 1) * width] for row in range(height))
    palette = b"".join(colour.to_bytes(3, "big") for colour in read["palette"])
    return b"".join(
        [
            PNG_HEAD,
            piece(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            piece(b"PLTE", palette),
            piece(b"IDAT", zlib.compress(rows, 9)),
            piece(b"IEND", b""),
        ]
    )


def piece(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def at(path: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        answer = page.goto(path)
        if answer is None or not answer.ok:
            raise Error(f"{path} answers {answer and answer.status}")
        page.wait_for_load_state("networkidle")

    return go


def first_of(path: str) -> Callable[[Page], None]:
    """Open the first object of a list."""

    def go(page: Page) -> None:
        at(path)(page)
        link = page.locator("#result_list a[href*='/change/']").first.get_attribute("href")
        at(link or path)(page)

    return go


def preview(page: Page) -> None:
    """Ask for what a transfer of eight, one of them not open any more, would do; the buttons of the list may change."""
    at(f"{LIST}?q=selectedQueue%3Aq_support")(page)
    page.evaluate(
        """() => {
            const form = document.createElement("form");
            form.method = "post";
            const add = (name, value) => form.append(Object.assign(document.createElement("input"), { name, value }));
            add("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
            add("action", "transfer");
            add("step", "preview");
            add("target", "queue:q_vip");
            add("reason", "Queue overloaded");
            const boxes = [...document.querySelectorAll("input[name=_selected_action][value]")];
            boxes.slice(0, 8).forEach((box) => add("_selected_action", box.value));
            document.body.append(form);
            form.submit();
        }"""
    )
    page.get_by_text("will move to").first.wait_for()
    page.wait_for_load_state("networkidle")


def receipt(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"^Transfer \d+")).click()
    page.wait_for_url("**/transfer/*/change/*")
    page.wait_for_load_state("networkidle")


def desk(path: str, follow: str = "") -> Callable[[Page], None]:
    """Open a page of the desk, and the first thing on it that a selector finds; pages that live are never idle."""

    def go(page: Page) -> None:
        page.goto(path)
        if follow:
            page.goto(page.locator(follow).first.get_attribute("href") or path)
        page.wait_for_timeout(1_000)

    return go


home = at("/admin/")
DESK: dict[str, Callable[[Page], None]] = {
    "board": desk("/supervisor/"),
    "wallboard": desk("/supervisor/wallboard/"),
    "work-list": desk("/supervisor/work/"),
    "item": desk("/supervisor/work/?state=active", "a[data-open]"),
    "agents": desk("/supervisor/agents/"),
    "agent": desk("/supervisor/agents/ann.brook/"),
    "transfer": desk("/supervisor/work/?state=inqueue", "a[data-transfer], [data-row] a[href*='/transfer/']"),
    "runs": desk("/supervisor/runs/"),
    "reports": desk("/supervisor/reports/?range=7days"),
    "moment": desk("/supervisor/reports/moment/"),
    "desk-settings": desk("/supervisor/settings/"),
}
PAGES: dict[str, Callable[[Page], None]] = {
    "home": home,
    "workitems": at(LIST),
    "search": at(f"{LIST}?q={SEARCH}"),
    "workitem": first_of(f"{LIST}?q=state%3Aactive"),
    "transfer-preview": preview,
    "transfer-receipt": receipt,
    "contacts": at("/admin/contacts/contact/"),
    "contact": first_of("/admin/contacts/contact/"),
    "queue": first_of("/admin/queues/queue/"),
    "users": at("/admin/auth/user/"),
    "policies": at("/admin/workitems/stalepolicy/"),
}

if __name__ == "__main__":
    sys.exit(main())

// Keeps the home page's figures fresh while its tab is visible: asks every half minute, and replaces only what has
// changed and holds no focus. Can be paused, and pauses by itself when nobody has moved anything for ten minutes: its
// questions would keep a person signed in who has gone.
"use strict";

const home = document.querySelector("[data-home]");
const toggle = home?.querySelector("[data-toggle]");

if (toggle) {
    const SECONDS = 30;
    const ALONE_SECONDS = 600;
    const failing = home.querySelector("[data-failing]");
    const blocks = (root) => new Map([...root.querySelectorAll("[data-live]")].map((one) => [one.dataset.live, one]));

    const served = new Map([...blocks(home)].map(([name, one]) => [name, one.innerHTML]));
    let next = Date.now() + 1000 * SECONDS;
    let touched = Date.now();
    let paused = false;
    let asking = false;

    const replace = (html) => {
        const fresh = blocks(new DOMParser().parseFromString(html, "text/html"));
        if (!fresh.size) throw new Error("not the home page");
        for (const [name, block] of blocks(home)) {
            const now = fresh.get(name)?.innerHTML ?? "";
            if (served.get(name) === now || block.contains(document.activeElement)) continue;
            served.set(name, now);
            block.innerHTML = now;
        }
    };

    const ask = async () => {
        asking = true;
        try {
            const answer = await fetch(location.pathname, { cache: "no-store", redirect: "error" });
            if (!answer.ok) throw new Error(String(answer.status));
            replace(await answer.text());
            failing.hidden = true;
        } catch {
            failing.hidden = false;
        }
        next = Date.now() + 1000 * SECONDS;
        asking = false;
    };

    const pause = (is) => {
        paused = is;
        toggle.textContent = paused ? toggle.dataset.go : toggle.dataset.pause;
        next = 0;
    };

    toggle.addEventListener("click", () => pause(!paused));
    for (const sign of ["pointermove", "pointerdown", "keydown", "scroll"]) {
        addEventListener(sign, () => (touched = Date.now()), { passive: true });
    }
    toggle.hidden = false;
    setInterval(() => {
        if (!paused && Date.now() - touched > 1000 * ALONE_SECONDS) pause(true);
        if (!paused && !asking && !document.hidden && Date.now() >= next) ask();
    }, 1000);
}

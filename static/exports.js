// Keeps the page of a running export or import up to date while its tab is visible.
"use strict";

const EVERY_MS = 2000;
const exported = document.querySelector("[data-export]");
const reloaded = document.querySelector("[data-reload]");

if (exported && !exported.querySelector("[data-finished]")) {
    const live = exported.querySelector("[data-live]");
    const said = exported.querySelector("[data-said]");

    const ask = async () => {
        if (document.hidden) return;
        const answer = await fetch(exported.dataset.export, { cache: "no-store", redirect: "error" }).catch(() => null);
        if (!answer?.ok) return;
        const before = live.querySelector("[data-state]").dataset.state;
        const focused = live.contains(document.activeElement);
        live.innerHTML = await answer.text();
        const now = live.querySelector("[data-state]");
        if (now.dataset.state !== before) said.textContent = now.dataset.words;
        if (focused) (live.querySelector("a, button") ?? live).focus({ preventScroll: true });
        if (now.hasAttribute("data-finished")) clearInterval(timer);
    };
    const timer = setInterval(ask, EVERY_MS);
}

if (reloaded) {
    setInterval(() => {
        if (!document.hidden) location.reload();
    }, EVERY_MS);
}

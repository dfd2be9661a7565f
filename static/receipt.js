// Keeps a running transfer's receipt up to date while its tab is visible: asks whether anything is new, and replaces
// only what has changed, so that focus, scrolling and selection stay. Can be paused.
"use strict";

const receipt = document.querySelector("[data-receipt]");

if (receipt && !receipt.querySelector("[data-finished]")) {
    const updates = receipt.querySelector("[data-updates]");
    const age = updates.querySelector("[data-age]");
    const toggle = updates.querySelector("[data-toggle]");
    const interval = updates.querySelector("[data-interval]");
    const failing = receipt.querySelector("[data-failing]");
    const said = receipt.querySelector("[data-said]");
    const blocks = (root) => new Map([...root.querySelectorAll("[data-live]")].map((one) => [one.dataset.live, one]));

    let etag = receipt.dataset.etag;
    let served = new Map([...blocks(receipt)].map(([name, one]) => [name, one.innerHTML]));
    let last = Date.now();
    let next = 0;
    let paused = false;
    let asking = false;

    const replace = (html) => {
        const fresh = blocks(new DOMParser().parseFromString(html, "text/html"));
        const shown = blocks(receipt);
        const before = shown.get("head").dataset.state;
        for (const [name, one] of fresh) {
            const block = shown.get(name);
            if (!block || served.get(name) === one.innerHTML) continue;
            served.set(name, one.innerHTML);
            const focused = block.contains(document.activeElement) ? document.activeElement.id : null;
            block.innerHTML = one.innerHTML;
            localise(block);
            if (focused !== null) (document.getElementById(focused) ?? block).focus({ preventScroll: true });
        }
        const head = fresh.get("head");
        shown.get("head").dataset.state = head.dataset.state;
        if (head.dataset.state !== before) said.textContent = head.dataset.words;
        if (head.hasAttribute("data-finished")) stop();
    };

    const localise = (root) => {
        const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
        const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
        for (const element of root.querySelectorAll("time[datetime]")) {
            const moment = new Date(element.dateTime);
            element.textContent = short.format(moment);
            element.title = exact.format(moment);
        }
    };

    const ask = async () => {
        asking = true;
        try {
            const answer = await fetch(receipt.dataset.receipt, {
                headers: { "If-None-Match": etag },
                cache: "no-store",
                redirect: "error",
            });
            if (answer.status === 200) {
                replace(await answer.text());
                etag = answer.headers.get("ETag");
            } else if (answer.status !== 304) {
                throw new Error(String(answer.status));
            }
            last = Date.now();
            failing.hidden = true;
        } catch {
            failing.hidden = false;
        }
        next = Date.now() + 1000 * (Number(interval.value) || 2);
        asking = false;
    };

    const tick = () => {
        const seconds = Math.round((Date.now() - last) / 1000);
        age.textContent = paused ? age.dataset.stopped : age.dataset.text.replace("%s", seconds);
        if (!paused && !asking && !document.hidden && Date.now() >= next) ask();
    };

    const stop = () => {
        clearInterval(timer);
        if (updates.contains(document.activeElement)) receipt.querySelector("[data-live=buttons]").focus();
        updates.hidden = true;
    };

    toggle.addEventListener("click", () => {
        paused = !paused;
        toggle.textContent = paused ? toggle.dataset.go : toggle.dataset.pause;
        next = 0;
        tick();
    });
    interval.value = localStorage.getItem("receipt-interval") ?? "2";
    interval.addEventListener("change", () => {
        localStorage.setItem("receipt-interval", interval.value);
        next = 0;
    });
    updates.hidden = false;
    const timer = setInterval(tick, 500);
}

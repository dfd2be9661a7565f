// The page of one workitem: forms that open in place and are left alone while somebody fills them in, drafts that
// outlive a lost connection, and who else looks.
"use strict";

(() => {
    const region = document.querySelector("#live[data-item]");
    if (!region) return;
    const { desk } = window;
    const LOOKS_EVERY_MS = 15_000;
    const draftKey = (form) => `draft:${region.dataset.item}:${new URL(form.action).pathname}`;
    const texts = (form) => [...form.elements].filter((one) => one.name && /^(textarea|text)$/.test(one.type));

    // Forms: open ones are not touched by updates, and know the version that the person saw

    function toggled(details) {
        if (details.open) details.dataset.keep = "";
        else delete details.dataset.keep;
    }

    function opened(details) {
        const field = details.querySelector("form :is(input:not([type=hidden]), select, textarea, .item-choices button)");
        field?.focus();
    }

    function fold(details) {
        details.querySelector("form")?.reset();
        details.open = false;
        details.querySelector("summary").focus();
    }

    region.addEventListener("toggle", (event) => {
        if (!event.target.matches("details.item-action")) return;
        toggled(event.target);
        if (event.target.open) opened(event.target);
        else document.dispatchEvent(new CustomEvent("desk:refresh"));
    }, true);

    region.addEventListener("click", (event) => {
        const button = event.target.closest("[data-fold]");
        if (button) fold(button.closest("details"));
    });

    region.addEventListener("keydown", (event) => {
        const details = event.key === "Escape" && event.target.closest("details.item-action[open]");
        if (details) fold(details);
    });

    function prepare(root) {
        for (const button of root.querySelectorAll("[data-fold]")) button.hidden = false;
        for (const details of root.querySelectorAll("details.item-action[open]")) toggled(details);
    }

    // What was sent and done: its form is done with; what was refused comes in its place, and is read first

    document.addEventListener("htmx:afterRequest", (event) => {
        const form = event.target.closest?.("form");
        if (!form || !region.contains(form) || !event.detail.successful) return;
        sessionStorage.removeItem(draftKey(form));
        form.reset();
        const details = form.closest("details.item-action");
        if (details?.open) fold(details);
    });

    document.addEventListener("htmx:afterSwap", () => {
        prepare(region);
        const wrong = region.querySelector("details.item-action[open] [role=alert], .item-note [role=alert]");
        wrong?.closest("form").querySelector("[aria-invalid], input:not([type=hidden]), select, textarea, button")?.focus();
    });

    // Drafts

    region.addEventListener("input", (event) => {
        const form = event.target.closest("form[data-draft]");
        if (!form) return;
        const typed = texts(form).filter((one) => one.value !== one.defaultValue).map((one) => [one.name, one.value]);
        if (typed.length) sessionStorage.setItem(draftKey(form), JSON.stringify(typed));
        else sessionStorage.removeItem(draftKey(form));
    });

    function restore(form) {
        const kept = sessionStorage.getItem(draftKey(form));
        if (!kept) return;
        for (const [name, value] of JSON.parse(kept)) {
            const field = form.elements[name];
            if (field && !field.value.trim()) field.value = value;
        }
        const details = form.closest("details");
        if (details) details.open = true;
    }

    // What others do meanwhile is told where somebody has begun something

    const place = document.getElementById("item-changed");
    const latest = () => document.getElementById("item-latest");
    let known = latest()?.dataset.version ?? "";

    document.addEventListener("live:after", () => {
        prepare(region);
        const now = latest();
        if (!now || now.dataset.version === known) return;
        known = now.dataset.version;
        if (now.dataset.by === region.dataset.me || !isBusy()) return;
        tell(now.textContent.trim());
    });

    const isBusy = () =>
        Boolean(region.querySelector("details.item-action[open]") || document.querySelector("dialog[open]")) ||
        texts({ elements: region.querySelectorAll("form[data-draft] textarea") }).some((one) => one.value.trim());

    function tell(text) {
        const banner = document.createElement("div");
        banner.className = "banner";
        const words = document.createElement("span");
        words.textContent = place.dataset.words.replace("%s", text);
        banner.append(words, desk.button(place.dataset.close, () => banner.remove(), "quiet"));
        place.replaceChildren(banner);
    }

    // Who looks

    let isHere = false;

    async function look() {
        if (document.hidden || desk.isOffline) return;
        try {
            const answer = await desk.ask(region.dataset.look, { method: "POST", body: new URLSearchParams() });
            const isFirst = !isHere;
            isHere = answer.ok;
            if (isFirst) document.dispatchEvent(new CustomEvent("desk:refresh"));
        } catch {
            isHere = false; // live.js tells of a lost connection
        }
    }

    function leave() {
        if (!isHere) return;
        isHere = false;
        navigator.sendBeacon(region.dataset.look, new URLSearchParams({ leaves: "1", csrfmiddlewaretoken: desk.csrf() }));
    }

    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", (event) => event.persisted && look());
    document.addEventListener("visibilitychange", look);
    setInterval(look, LOOKS_EVERY_MS);

    prepare(region);
    for (const form of region.querySelectorAll("form[data-draft]")) restore(form);
    look();
})();

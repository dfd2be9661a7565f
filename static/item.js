// The page of a workitem: tabs that keep what was typed, buttons that are pressed once, copying, and drafts.
// Without it the tabs are links, and everything works all the same.
"use strict";

const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

function tellTimes(part) {
    for (const element of part.querySelectorAll("time[datetime]")) {
        const moment = new Date(element.dateTime);
        element.textContent = times.format(moment);
        element.title = exactly.format(moment);
    }
}

function offerCopies(part) {
    for (const button of part.querySelectorAll("[data-copy]")) {
        if (!navigator.clipboard) continue;
        button.hidden = false;
        button.addEventListener("click", async () => {
            const words = button.textContent;
            await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
            button.textContent = button.dataset.done;
            setTimeout(() => { button.textContent = words; }, 2000);
        });
    }
}

// One click is one command.
for (const form of document.querySelectorAll("[data-command], [data-edit]")) {
    let sent = false;
    form.addEventListener("submit", (event) => {
        if (sent) event.preventDefault();
        sent = true;
    });
    window.addEventListener("pageshow", () => { sent = false; });
}

// The theme's chooser stands in for a select without taking its label over.
window.django?.jQuery?.(() => {
    for (const chooser of document.querySelectorAll(".select2-selection[role=combobox]")) {
        const select = chooser.closest(".select2-container").previousElementSibling;
        const label = document.querySelector(`label[for="${select?.id}"]`);
        if (!label) continue;
        label.id ||= `${select.id}_label`;
        chooser.setAttribute("aria-labelledby", `${label.id} ${chooser.getAttribute("aria-labelledby") ?? ""}`.trim());
        chooser.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
    }
});

offerCopies(document);
document.querySelector("[data-problems]")?.focus();

const page = document.querySelector("[data-item]");
if (page) {
    const tabs = [...page.querySelectorAll("[data-tab]")];
    const parts = new Map(tabs.map((tab) => [tab.dataset.tab, document.getElementById(`wi-part-${tab.dataset.tab}`)]));
    const problem = page.querySelector("[data-tab-problem]");
    const opened = tabs.find((tab) => tab.hasAttribute("aria-current"));

    async function load(name, address) {
        const part = parts.get(name);
        part.setAttribute("aria-busy", "true");
        try {
            const answer = await fetch(address, { headers: { "X-Part": "1" } });
            if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
            part.innerHTML = await answer.text();
            part.setAttribute("data-loaded", "");
            problem.hidden = true;
            tellTimes(part);
            offerCopies(part);
        } catch {
            problem.hidden = false;
        }
        part.removeAttribute("aria-busy");
    }

    async function show(tab, { remember = true } = {}) {
        const name = tab.dataset.tab;
        for (const one of tabs) {
            const isOpen = one === tab;
            one.setAttribute("aria-selected", String(isOpen));
            one.tabIndex = isOpen ? 0 : -1;
            parts.get(one.dataset.tab).hidden = !isOpen;
        }
        if (remember) history.pushState({ tab: name }, "", tab.href);
        // The overview needs its scripts and is loaded with the page or not at all.
        if (!parts.get(name).hasAttribute("data-loaded")) await load(name, tab.href);
    }

    page.querySelector("[data-tabs]").setAttribute("role", "tablist");
    for (const tab of tabs) {
        const part = parts.get(tab.dataset.tab);
        tab.setAttribute("role", "tab");
        tab.setAttribute("aria-controls", part.id);
        tab.removeAttribute("aria-current");
        tab.setAttribute("aria-selected", String(tab === opened));
        tab.tabIndex = tab === opened ? 0 : -1;
        part.setAttribute("role", "tabpanel");
        part.setAttribute("aria-labelledby", tab.id);
        tab.addEventListener("click", (event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            if (tab.dataset.tab === "overview" && !part.hasAttribute("data-loaded")) return;
            event.preventDefault();
            show(tab);
        });
        tab.addEventListener("keydown", (event) => {
            const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            const next = event.key === "Home" ? tabs[0] : event.key === "End" ? tabs.at(-1)
                : step && tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
            if (event.key === " ") {
                event.preventDefault();
                tab.click();
            } else if (next) {
                event.preventDefault();
                next.tabIndex = 0;
                next.focus();
            }
        });
    }
    page.addEventListener("click", (event) => {
        const link = event.target.closest("a[data-load]");
        if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        history.replaceState({}, "", link.href);
        load(link.closest("[data-part]").dataset.part, link.href);
    });
    window.addEventListener("popstate", () => {
        const name = new URLSearchParams(location.search).get("tab") || "overview";
        const tab = tabs.find((one) => one.dataset.tab === name);
        if (!tab) return;
        if (name === "overview" && !parts.get(name).hasAttribute("data-loaded")) location.reload();
        else show(tab, { remember: false });
    });

    // What was typed and not saved outlives a button that is pressed beside it.
    const edit = page.querySelector("[data-edit]");
    if (edit) {
        const key = `item-draft:${location.pathname}`;
        const fields = [...edit.elements].filter((field) => field.name && field.type !== "hidden" && field.tagName !== "BUTTON");
        const shown = new Map(fields.map((field) => [field, field.value]));
        const draft = JSON.parse(sessionStorage.getItem(key) || "null");
        sessionStorage.removeItem(key);
        if (draft && !edit.querySelector("[data-problems]")) {
            for (const field of fields) {
                const typed = draft[field.name];
                if (!typed) continue;
                if (field.tagName === "SELECT" && ![...field.options].some((one) => one.value === typed.value)) {
                    field.add(new Option(typed.words, typed.value));
                }
                field.value = typed.value;
                field.dispatchEvent(new Event("input", { bubbles: true }));
                field.dispatchEvent(new Event("change", { bubbles: true }));
            }
            edit.querySelector("[data-kept]").hidden = false;
        }
        const changed = () => fields.filter((field) => field.value !== shown.get(field));
        let leaving = false;
        document.addEventListener("submit", (event) => {
            leaving = true;
            if (event.target === edit || !event.target.matches("[data-command]")) return;
            const kept = {};
            for (const field of changed()) {
                kept[field.name] = { value: field.value, words: field.selectedOptions?.[0]?.textContent ?? "" };
            }
            if (Object.keys(kept).length) sessionStorage.setItem(key, JSON.stringify(kept));
        });
        window.addEventListener("beforeunload", (event) => {
            if (!leaving && changed().length) event.preventDefault();
        });
        window.addEventListener("pageshow", () => { leaving = false; });
    }
}

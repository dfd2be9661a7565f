// The desk by keyboard: rows, what can be done to them, and places to go. Single keys never act while somebody types.
"use strict";

(() => {
    const { desk } = window;
    const GO_MS = 1500;
    let going = 0; // until when a letter after "g" is a place

    const isOn = () => document.body.dataset.singleKeys === "on";
    const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
    const current = () => document.activeElement?.closest?.("[data-row]") ?? document.querySelector("[data-row].is-current");

    function isTyping(element) {
        if (!element?.closest) return false;
        if (element.closest("textarea, select, [contenteditable]:not([contenteditable=false])")) return true;
        const field = element.closest("input");
        return Boolean(field) && !["checkbox", "radio", "button", "submit"].includes(field.type);
    }

    function move(step) {
        const all = rows();
        if (!all.length) return false;
        const at = all.indexOf(current());
        const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
        put(all[next]);
        return true;
    }

    function put(row) {
        document.querySelector("[data-row].is-current")?.classList.remove("is-current");
        row.classList.add("is-current");
        row.tabIndex = -1;
        row.focus({ preventScroll: true });
        row.scrollIntoView({ block: "nearest" });
    }

    function select() {
        const box = current()?.querySelector("input[type=checkbox]:not(:disabled)");
        box?.click();
        return Boolean(box);
    }

    function open() {
        const row = current();
        if (!row || document.activeElement !== row) return false;
        const link = row.querySelector("a[data-open]") ?? row.querySelector("a[href]");
        link?.click();
        return Boolean(link);
    }

    function copyId() {
        const row = current();
        const button = (row ?? document).querySelector("[data-copy]");
        if (button) desk.copy(button.dataset.copy || button.textContent.trim());
        else if (row?.dataset.row) desk.copy(row.dataset.row);
        return Boolean(button || row?.dataset.row);
    }

    function search() {
        const field = [...document.querySelectorAll("[data-search], #desk-search")].find((one) => one.offsetParent !== null);
        field?.focus();
        field?.select();
        return Boolean(field);
    }

    function go() {
        going = Date.now() + GO_MS;
        return true;
    }

    function place(letter) {
        going = 0;
        const link = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
        link?.click();
        return Boolean(link);
    }

    const KEYS = { j: () => move(1), k: () => move(-1), x: select, Enter: open, ".": copyId, "/": search, g: go, "?": showMap };

    // What a page has registered goes before what is the same everywhere; in the row first, then anywhere.
    function press(key) {
        const of = `[data-key="${CSS.escape(key)}"]`;
        const within = document.querySelector("dialog[open]");
        const found = within ? within.querySelector(of) : (current()?.querySelector(of) ?? document.querySelector(`${of}:not([data-row] *)`));
        if (found && !found.disabled) {
            found.click();
            return true;
        }
        return within ? false : Boolean(KEYS[key]?.());
    }

    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && event.target.matches?.("[data-search], #desk-search")) event.target.blur();
        if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
        if (!isOn() || isTyping(event.target) || (event.shiftKey && /^[a-z]$/i.test(event.key))) return;
        if (event.key.length > 1 && event.key !== "Enter") return;
        if (event.repeat && !["j", "k"].includes(event.key)) return;
        const done = Date.now() < going ? place(event.key) : press(event.key);
        if (done) event.preventDefault();
    });

    // The map

    function showMap() {
        if (document.querySelector("dialog[open]")) return false;
        const map = document.getElementById("key-map").content.cloneNode(true);
        listPageKeys(map);
        map.querySelector("[data-keys-off]").hidden = isOn();
        desk.showDialog(map);
        return true;
    }

    function listPageKeys(map) {
        const list = map.querySelector("[data-page-keys]");
        const told = new Map();
        for (const one of document.querySelectorAll("[data-key][data-key-help]")) told.set(one.dataset.key, one.dataset.keyHelp);
        for (const [key, help] of told) list.append(line(key, help));
        list.closest("section").hidden = told.size === 0;
    }

    function line(key, help) {
        const made = document.createElement("div");
        const [term, says, cap] = ["dt", "dd", "kbd"].map((name) => document.createElement(name));
        cap.textContent = key;
        says.textContent = help;
        term.append(cap);
        made.append(term, says);
        return made;
    }

    document.addEventListener("click", (event) => {
        if (!event.target.closest?.("[data-show-keys]")) return;
        event.target.closest("details")?.removeAttribute("open");
        showMap();
    });

    document.addEventListener("focusin", (event) => {
        const row = event.target.closest?.("[data-row]");
        if (row && !row.classList.contains("is-current")) {
            document.querySelector("[data-row].is-current")?.classList.remove("is-current");
            row.classList.add("is-current");
        }
    });
})();

// Completes the search of workitems while one types. The server decides what fits at the cursor; without this script
// the box is a plain one. Positions travel as characters, while the browser counts UTF-16 units.
"use strict";

const PAUSE = 120; // milliseconds without a key before the server is asked

for (const form of document.querySelectorAll("[data-search-box]")) {
    const input = form.querySelector("input[name=q]");
    const list = form.querySelector("[role=listbox]");
    let offers = [];
    let offeredFor = ""; // the text that they fit
    let chosen = -1;
    let timer = 0;
    let asked = null;

    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");
    const key = form.querySelector("[data-key]");
    if (key) key.hidden = false;

    const toCharacters = (units) => [...input.value.slice(0, units)].length;
    const toUnits = (characters) => [...input.value].slice(0, characters).join("").length;

    const close = () => {
        clearTimeout(timer);
        asked?.abort();
        asked = null;
        offers = [];
        chosen = -1;
        list.hidden = true;
        list.replaceChildren();
        input.setAttribute("aria-expanded", "false");
        input.removeAttribute("aria-activedescendant");
    };

    const choose = (number) => {
        chosen = number;
        [...list.children].forEach((option, place) => {
            option.setAttribute("aria-selected", String(place === number));
            if (place === number) {
                input.setAttribute("aria-activedescendant", option.id);
                option.scrollIntoView({ block: "nearest" });
            }
        });
        if (number < 0) input.removeAttribute("aria-activedescendant");
    };

    const show = (found) => {
        if (!found.length || document.activeElement !== input) {
            close();
            return;
        }
        offers = found;
        offeredFor = input.value;
        list.replaceChildren(...found.map((offer, place) => {
            const option = document.createElement("li");
            option.id = `${list.id}-${place}`;
            option.setAttribute("role", "option");
            const label = document.createElement("span");
            label.className = "wi-search-label";
            label.textContent = offer.label;
            const about = document.createElement("span");
            about.className = "wi-search-about";
            about.textContent = offer.about;
            option.append(label, " ", about);
            option.addEventListener("click", () => accept(place));
            return option;
        }));
        list.hidden = false;
        input.setAttribute("aria-expanded", "true");
        choose(-1);
    };

    const ask = async () => {
        asked?.abort();
        const mine = new AbortController();
        asked = mine;
        const text = input.value;
        const query = new URLSearchParams({ q: text, at: String(toCharacters(input.selectionStart)) });
        try {
            const answer = await fetch(`${form.dataset.complete}?${query}`, { signal: mine.signal });
            const found = answer.ok ? (await answer.json()).completions : [];
            if (asked === mine && input.value === text) show(found);
        } catch {
            if (asked === mine) close(); // the box works without
        }
    };

    const accept = (place) => {
        if (input.value !== offeredFor) return;
        const offer = offers[place];
        const [from, to] = [toUnits(offer.from), toUnits(offer.to)];
        close();
        input.focus();
        input.setRangeText(offer.insert, from, to, "end");
        if (/[:.]$/.test(offer.insert)) ask(); // a field: its values come next
    };

    input.addEventListener("input", (event) => {
        clearTimeout(timer);
        asked?.abort();
        choose(-1);
        if (!event.isComposing) timer = setTimeout(ask, PAUSE);
    });

    input.addEventListener("keydown", (event) => {
        if (event.isComposing) return;
        const moves = { ArrowDown: 1, ArrowUp: -1 };
        if (event.key in moves && !event.altKey && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
            if (list.hidden || input.value !== offeredFor) ask();
            // one place more than there are offers: the text itself
            else choose(((chosen + 1 + moves[event.key] + offers.length + 1) % (offers.length + 1)) - 1);
        } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0 && !event.shiftKey) {
            event.preventDefault();
            accept(chosen);
        } else if (event.key === "Escape" && !list.hidden) {
            event.preventDefault();
            close();
        } else if (["ArrowLeft", "ArrowRight", "Home", "End", "Enter"].includes(event.key)) {
            close();
        }
    });

    list.addEventListener("pointerdown", (event) => event.preventDefault()); // or the box loses the focus
    input.addEventListener("click", close);
    input.addEventListener("blur", close);
    form.addEventListener("submit", close);

    // Where the search is wrong, one can type at once.
    if (input.dataset.from !== undefined) {
        input.focus();
        input.setSelectionRange(toUnits(Number(input.dataset.from)), toUnits(Number(input.dataset.to)));
    }

    window.addEventListener("keydown", (event) => {
        if (document.body.dataset.singleKeys === "off") return;
        if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
        if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
        event.preventDefault();
        input.focus();
        input.select();
    });
}

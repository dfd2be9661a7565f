// The list of workitems: copied ids, times in the reader's own zone, panels that close, columns that move, filters without blanks.
"use strict";

const worklist = document.querySelector(".wi-worklist");
const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

worklist.classList.add("wi-scripted");

for (const element of worklist.querySelectorAll("[data-at]")) {
    element.title = exactly.format(new Date(element.dataset.at));
}

for (const element of worklist.querySelectorAll(".wi-rows time")) {
    const moment = new Date(element.dateTime);
    const year = moment.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
    element.textContent = moment.toLocaleString(undefined, {
        year, month: "short", day: "numeric", hour: "numeric", minute: "2-digit",
    });
    element.title = exactly.format(moment);
}

async function copy(button) {
    const icon = button.querySelector(".material-symbols-outlined");
    try {
        await navigator.clipboard.writeText(button.dataset.copy);
        icon.textContent = "check";
    } catch {
        icon.textContent = "error"; // a browser gives the clipboard only to pages that came safely
    }
    setTimeout(() => { icon.textContent = "content_copy"; }, 1500);
}

worklist.addEventListener("click", (event) => {
    const button = event.target.closest(".wi-copy");
    if (button) {
        copy(button);
    }
});

// Panels: one at a time, closed by Escape and by a click elsewhere.
const panels = [...worklist.querySelectorAll(".wi-drop")];

for (const panel of panels) {
    panel.addEventListener("toggle", () => {
        if (panel.open) {
            panels.filter((other) => other !== panel).forEach((other) => { other.open = false; });
        }
    });
    panel.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && panel.open) {
            panel.open = false;
            panel.querySelector("summary").focus();
        }
    });
}

document.addEventListener("click", (event) => {
    panels.filter((panel) => !panel.contains(event.target)).forEach((panel) => { panel.open = false; });
});

if (location.hash === "#columns") {
    document.getElementById("columns").open = true;
}

// Columns move at once; without this script the arrows send the form.
document.querySelector(".wi-order").addEventListener("click", (event) => {
    const arrow = event.target.closest(".wi-move");
    if (!arrow) {
        return;
    }
    event.preventDefault();
    const item = arrow.closest("li");
    if (arrow.name === "up") {
        item.previousElementSibling?.before(item);
    } else {
        item.nextElementSibling?.after(item);
    }
    const hidden = getComputedStyle(arrow).visibility === "hidden";
    (hidden ? item.querySelector(`.wi-move:not([name="${arrow.name}"])`) : arrow).focus();
});

// Filters: what is blank stays out of the address, and names are offered as they are typed.
const filters = document.querySelector(".wi-filters");

filters.addEventListener("submit", () => {
    for (const field of filters.elements) {
        if (field.name && field.value === "") {
            field.disabled = true;
        }
    }
    setTimeout(() => { [...filters.elements].forEach((field) => { field.disabled = false; }); });
});

function offer(input) {
    let asked = 0;
    input.addEventListener("input", () => {
        clearTimeout(asked);
        asked = setTimeout(async () => {
            const asks = new URLSearchParams({ of: input.dataset.typed, begun: input.value });
            const answer = await fetch(`${filters.dataset.offers}?${asks}`);
            if (!answer.ok) {
                return;
            }
            const { offers } = await answer.json();
            input.list.replaceChildren(...offers.map((one) => new Option(one.words, one.value)));
        }, 200);
    });
}

filters.querySelectorAll("[data-typed]").forEach(offer);

// "3 of 312 selected": of all that match, and not of this page.
const form = document.getElementById("changelist-form");
const counter = form.querySelector(".action-counter[data-words]");

function count() {
    const ticked = form.querySelectorAll(".action-select:checked").length;
    counter.textContent = counter.dataset.words.replace("%s", ticked.toLocaleString());
}

if (counter) {
    form.addEventListener("change", count);
    form.addEventListener("click", count);
    window.addEventListener("pageshow", () => setTimeout(count));
}

// Fills in how many workitems each saved view in the sidebar shows, once the page stands. What has no number in the
// answer took too long to count, and shows none.
"use strict";

const fillCounts = async (menu) => {
    let counts;
    try {
        const answer = await fetch(menu.dataset.viewCounts);
        if (!answer.ok) return;
        ({ counts } = await answer.json());
    } catch {
        return; // the links work without
    }
    for (const place of menu.querySelectorAll("[data-count]")) {
        const count = counts[place.dataset.count];
        if (!count) continue;
        const text = document.createElement("span");
        text.setAttribute("aria-hidden", "true");
        text.textContent = count.text;
        const words = document.createElement("span");
        words.className = "wi-unseen";
        words.textContent = count.words;
        place.replaceChildren(text, words);
    }
};

const fillAllCounts = () => {
    for (const menu of document.querySelectorAll("[data-view-counts]")) fillCounts(menu);
};

if (document.readyState === "complete") fillAllCounts();
else window.addEventListener("load", fillAllCounts);

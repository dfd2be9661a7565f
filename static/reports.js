// Reports: what a figure means is shown while its name is pointed at or focused, and the page can be printed.
"use strict";

(() => {
    const card = document.createElement("p");
    card.className = "definition";
    card.hidden = true;
    card.setAttribute("aria-hidden", "true"); // the figure's name is described by the list below already
    document.body.append(card);

    function show(name) {
        card.textContent = name.dataset.defined;
        card.hidden = false;
        const place = name.getBoundingClientRect();
        const left = Math.max(8, Math.min(place.left, innerWidth - card.offsetWidth - 8));
        const below = place.bottom + 6;
        const fits = below + card.offsetHeight < innerHeight;
        card.style.left = `${left}px`;
        card.style.top = `${fits ? below : place.top - card.offsetHeight - 6}px`;
    }

    function hide() {
        card.hidden = true;
    }

    for (const name of document.querySelectorAll("[data-defined]")) {
        name.dataset.defined = name.title;
        name.removeAttribute("title");
        name.addEventListener("mouseenter", () => show(name));
        name.addEventListener("focus", () => show(name));
        name.addEventListener("mouseleave", hide);
        name.addEventListener("blur", hide);
    }
    document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
    document.addEventListener("scroll", hide, { capture: true, passive: true });

    for (const button of document.querySelectorAll("[data-print]")) {
        button.hidden = false;
        button.addEventListener("click", () => window.print());
    }
})();

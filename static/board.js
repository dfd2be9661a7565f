// The board's links to itself: another order, a queue opened or closed. The address changes, and the living part with it.
"use strict";

(() => {
    function follow(event) {
        const link = event.target.closest?.("#live a[data-board]");
        if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        history.replaceState(null, "", link.href);
        document.dispatchEvent(new CustomEvent("desk:refresh"));
    }

    function leave(event) {
        const back = document.querySelector("[data-leaves-wallboard]");
        if (back && event.key === "Escape" && !document.querySelector("dialog[open]")) back.click();
    }

    async function fill(event) {
        if (!event.target.closest?.("[data-fullscreen]")) return;
        if (document.fullscreenElement) await document.exitFullscreen();
        else await document.documentElement.requestFullscreen();
    }

    document.addEventListener("click", follow);
    document.addEventListener("click", fill);
    document.addEventListener("keydown", leave);
})();

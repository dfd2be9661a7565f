// The work list: rows that are selected over pages and updates, panels, columns that move, filters without blanks.
"use strict";

(() => {
    const { desk } = window;
    const form = document.getElementById("work-form");
    const live = document.getElementById("live");
    const bar = document.getElementById("bulk-bar");
    const KEPT = "work:selection";
    const MOST_KEPT = 5000;

    // The selection: ids, or all that match; kept for this tab, and for these filters alone

    const selection = { key: form.dataset.selection, ids: new Set(), all: false };
    let last = null; // where a range begins

    function restore() {
        const left = new URLSearchParams(location.hash.slice(1)).get("select");
        if (left) return takeOver(left.split(","));
        const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
        const isDone = document.querySelector(".message.success") || /^\/supervisor\/runs\//.test(pathBefore());
        if (!kept || kept.key !== selection.key || (isDone && !history.state?.isTakenOver)) return sessionStorage.removeItem(KEPT);
        selection.ids = new Set(kept.ids);
        selection.all = kept.all;
    }

    // What an action has left over comes selected, by the address; a reload keeps what one makes of it.
    function takeOver(ids) {
        selection.ids = new Set(ids);
        history.replaceState({ isTakenOver: true }, "", location.pathname + location.search);
        keep();
    }

    const pathBefore = () => (document.referrer.startsWith(location.origin) ? new URL(document.referrer).pathname : "");

    function keep() {
        const { key, all } = selection;
        sessionStorage.setItem(KEPT, JSON.stringify({ key, all, ids: [...selection.ids].slice(0, MOST_KEPT) }));
    }

    const boxes = () => [...live.querySelectorAll("input[name=workitem]")];
    const isAny = () => selection.all || selection.ids.size > 0;

    function change(ids, isOn) {
        if (selection.all) selection.ids = new Set(boxes().map((box) => box.value)); // from all that match to those one sees
        selection.all = false;
        for (const id of ids) selection.ids[isOn ? "add" : "delete"](id);
        show();
        keep();
    }

    function choose(all) {
        selection.all = all;
        selection.ids.clear();
        show();
        keep();
    }

    // Showing it

    const fill = (words, count = "") => words.replace("%s", count).replace("%t", document.getElementById("work-place").dataset.total);

    function show() {
        if (!bar) return;
        const here = boxes();
        for (const box of here) box.checked = selection.all || selection.ids.has(box.value);
        const ticked = here.filter((box) => box.checked).length;
        const page = live.querySelector("[data-pick-page]");
        if (page) {
            page.checked = here.length > 0 && ticked === here.length;
            page.indeterminate = ticked > 0 && ticked < here.length;
        }
        tell(here.length, ticked);
        bar.classList.toggle("is-on", isAny());
        live.toggleAttribute("data-hold-order", isAny());
    }

    function tell(shown, ticked) {
        const count = document.getElementById("bulk-count");
        const says = selection.all ? fill(count.dataset.wordsAll) : fill(count.dataset.words, selection.ids.size.toLocaleString());
        if (count.textContent !== says) count.textContent = isAny() ? says : "";
        const all = document.getElementById("bulk-all");
        const { count: total, isCapped } = document.getElementById("work-place").dataset;
        all.hidden = selection.all || ticked < shown || !(isCapped !== undefined || Number(total) > shown);
        all.textContent = fill(all.dataset.words);
    }

    form.addEventListener("click", (event) => {
        const box = event.target.closest("input[name=workitem]");
        if (!box) return;
        const here = boxes();
        const [from, to] = [here.indexOf(last), here.indexOf(box)];
        const range = event.shiftKey && from >= 0 ? here.slice(Math.min(from, to), Math.max(from, to) + 1) : [box];
        last = box;
        change(range.map((one) => one.value), box.checked);
    });

    form.addEventListener("change", (event) => {
        if (!event.target.matches("[data-pick-page]")) return;
        change(boxes().map((box) => box.value), event.target.checked);
    });

    document.getElementById("bulk-all")?.addEventListener("click", () => choose(true));
    document.getElementById("bulk-clear")?.addEventListener("click", () => choose(false));

    // Acting on it: on what is selected, or, by a key, on the row where the keyboard is

    const current = () => live.querySelector("[data-row].is-current")?.dataset.row;

    bar?.addEventListener("click", (event) => {
        const button = event.target.closest("[data-bulk]");
        if (!button || isAny()) return;
        event.preventDefault();
        const id = current();
        if (!id) return;
        if (button.dataset.bulk === "transfer") openTransfer(id);
        else sendOne(button, id);
    });

    function openTransfer(id) {
        const query = new URLSearchParams({ workitem: id, next: form.elements.next.value });
        desk.openDialog(`${form.dataset.transferPage}?${query}`);
    }

    function sendOne(button, id) {
        forgetCarried();
        carry("workitem", id);
        form.action = button.formAction;
        form.submit();
    }

    form.addEventListener("submit", () => {
        forgetCarried();
        const here = new Set(boxes().map((box) => box.value));
        const others = [...selection.ids].filter((id) => !here.has(id));
        if (selection.all) carry("all", "1");
        else if (others.length) carry("workitem", others.join(","));
    });

    // submit() tells nobody, and a page that one comes back to has the fields of before
    addEventListener("pageshow", forgetCarried);

    function forgetCarried() {
        for (const old of form.querySelectorAll("[data-carried]")) old.remove();
    }

    function carry(name, value) {
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name, value });
        field.dataset.carried = "";
        form.append(field);
    }

    // Updates leave the boxes to the selection.
    document.addEventListener("live:before", ({ detail }) => {
        for (const box of detail.fresh.querySelectorAll("input[name=workitem]")) {
            box.toggleAttribute("checked", selection.all || selection.ids.has(box.value));
        }
    });
    document.addEventListener("live:after", show);
    window.addEventListener("pageshow", show);

    // Panels

    const views = document.getElementById("views");
    views.addEventListener("toggle", async () => {
        if (!views.open) return;
        const answer = await desk.ask(views.dataset.views).catch(() => null);
        if (!answer?.ok || desk.isSignedOut(answer)) return; // the link stays
        const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
        const page = parsed.querySelector(".work-views-page");
        if (page) views.querySelector("[data-views-place]").replaceChildren(page);
    });

    if (location.hash === "#columns") document.getElementById("columns").open = true;

    // Columns move at once; without this script the arrows send the form.
    document.querySelector(".work-order").addEventListener("click", (event) => {
        const arrow = event.target.closest("button[name=up], button[name=down]");
        if (!arrow) return;
        event.preventDefault();
        const item = arrow.closest("li");
        if (arrow.name === "up") item.previousElementSibling?.before(item);
        else item.nextElementSibling?.after(item);
        for (const one of item.parentElement.children) {
            one.querySelector("[name=up]").disabled = !one.previousElementSibling;
            one.querySelector("[name=down]").disabled = !one.nextElementSibling;
        }
        (arrow.disabled ? item.querySelector("button:not(:disabled)") : arrow).focus();
    });

    for (const choice of document.querySelectorAll("[data-density-choice]")) {
        choice.addEventListener("change", () => {
            document.documentElement.dataset.density = choice.value;
            desk.send(document.body.dataset.settingsUrl, { density: choice.value });
        });
    }

    // Filters: what is blank stays out of the address, and names are offered as they are typed.
    const filters = document.querySelector(".work-filters");

    filters.addEventListener("submit", () => {
        const blank = [...filters.elements].filter((field) => field.name && field.value === "" && !field.disabled);
        for (const field of blank) field.disabled = true;
        setTimeout(() => blank.forEach((field) => (field.disabled = false)));
    });

    function offer(input) {
        let asked = 0;
        input.addEventListener("input", () => {
            clearTimeout(asked);
            asked = setTimeout(async () => {
                const asks = new URLSearchParams({ of: input.dataset.typed, begun: input.value });
                const answer = await desk.ask(`${filters.dataset.offers}?${asks}`).catch(() => null);
                if (!answer?.ok) return;
                const { offers } = await answer.json();
                input.list.replaceChildren(...offers.map((one) => new Option(one.words, one.value)));
            }, 200);
        });
    }

    filters.querySelectorAll("[data-typed]").forEach(offer);

    restore();
    show();
})();

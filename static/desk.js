// What all pages of the desk can do: toasts, dialogs, menus, copying, and forms that are sent once.
"use strict";

(() => {
    const { word } = window.deskClock;
    const TOAST_SECONDS = 8;
    const UNDO_SECONDS = 20;
    const SENT_SECONDS = 6;

    // Asking the server

    function csrf() {
        const kept = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
        return kept ? decodeURIComponent(kept[1]) : (document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "");
    }

    function ask(url, options = {}) {
        const headers = { "HX-Request": "true", ...options.headers };
        if ((options.method ?? "GET") !== "GET") headers["X-CSRFToken"] = csrf();
        return fetch(url, { credentials: "same-origin", ...options, headers });
    }

    const isSignedOut = (answer) => answer.redirected && new URL(answer.url).pathname.startsWith("/login/");

    // Tells what an answer bears for people in its headers, as htmx would.
    function tell(answer) {
        const said = answer.headers.get("HX-Trigger");
        if (!said?.startsWith("{")) return false;
        for (const [name, detail] of Object.entries(JSON.parse(said))) {
            document.body.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
        }
        return "desk:toast" in JSON.parse(said);
    }

    // Toasts

    function toast(text, { undoUrl = "", label = "", seconds = undoUrl ? UNDO_SECONDS : TOAST_SECONDS, kind = "" } = {}) {
        const box = document.createElement("div");
        box.className = `toast ${kind}`.trim();
        const words = document.createElement("span");
        words.className = "toast-text";
        words.textContent = text;
        box.append(words);
        if (undoUrl) box.append(undoButton(box, undoUrl, label || word("undo")));
        box.append(closeButton(() => box.remove()));
        document.getElementById("toasts").append(box);
        fade(box, seconds);
        return box;
    }

    function button(text, press, className = "") {
        const made = document.createElement("button");
        made.type = "button";
        made.className = className;
        made.textContent = text;
        made.addEventListener("click", press);
        return made;
    }

    function closeButton(press) {
        const made = button("", press, "bare");
        made.append(icon("close"), hidden(word("dismiss")));
        return made;
    }

    function icon(name) {
        return document.getElementById("desk-icons").content.querySelector(`[data-icon="${name}"]`).cloneNode(true);
    }

    function hidden(text) {
        const made = document.createElement("span");
        made.className = "visually-hidden";
        made.textContent = text;
        return made;
    }

    function undoButton(box, url, label) {
        return button(label, async (event) => {
            event.currentTarget.disabled = true;
            await send(url);
            box.remove();
        }, "toast-undo");
    }

    // Goes after its time, which stands still as long as somebody is at it.
    function fade(box, seconds) {
        let left = seconds;
        const timer = setInterval(() => {
            if (box.matches(":hover, :focus-within") || document.hidden) return;
            left -= 0.5;
            if (left > 0 && box.isConnected) return;
            clearInterval(timer);
            box.remove();
        }, 500);
    }

    async function send(url, fields = {}) {
        try {
            const answer = await ask(url, { method: "POST", body: new URLSearchParams(fields) });
            if (isSignedOut(answer)) document.dispatchEvent(new CustomEvent("desk:signed-out"));
            else if (!tell(answer) && !answer.ok) toast(word("not-done", answer.status), { kind: "is-bad" });
            document.dispatchEvent(new CustomEvent("desk:refresh"));
            return answer;
        } catch {
            toast(word("not-sent"), { kind: "is-bad" });
            return null;
        }
    }

    document.addEventListener("desk:toast", ({ detail }) => {
        const undo = detail.undo ?? {};
        toast(detail.text ?? detail.value, { undoUrl: undo.url, label: undo.label, kind: detail.kind });
    });

    // The banner below the bar: one at a time, there until what it tells is over

    function banner(text, kind = "") {
        const place = document.getElementById("banner");
        const made = document.createElement("div");
        made.className = `banner ${kind}`.trim();
        const words = document.createElement("span");
        words.textContent = text;
        made.append(icon(kind === "is-bad" ? "breached" : "warning"), words);
        place.replaceChildren(...(text ? [made] : []));
        return made;
    }

    // Dialogs

    async function openDialog(url, { opener = document.activeElement } = {}) {
        let answer;
        try {
            answer = await ask(url);
        } catch {
            toast(word("not-sent"), { kind: "is-bad" });
            return null;
        }
        if (isSignedOut(answer)) {
            document.dispatchEvent(new CustomEvent("desk:signed-out"));
            return null;
        }
        const text = await answer.text();
        if (!answer.ok && /<html/i.test(text)) {
            toast(word("not-opened", answer.status), { kind: "is-bad" });
            return null;
        }
        return showDialog(contentOf(text), opener);
    }

    // A fragment as it is; of a whole page, its main part.
    function contentOf(text) {
        const parsed = new DOMParser().parseFromString(text, "text/html");
        const content = document.createDocumentFragment();
        content.append(...(parsed.querySelector("#content") ?? parsed.body).childNodes);
        return content;
    }

    function showDialog(content, opener = document.activeElement) {
        const dialog = document.createElement("dialog");
        dialog.append(content);
        if (!dialog.querySelector("[data-close]")) {
            const close = closeButton(() => dialog.close());
            close.classList.add("dialog-close");
            dialog.prepend(close);
        }
        name(dialog);
        document.getElementById("dialog-place").append(dialog);
        dialog.addEventListener("close", () => {
            dialog.remove();
            if (opener?.isConnected) opener.focus({ preventScroll: true });
        });
        window.deskClock.show(dialog);
        window.htmx?.process(dialog);
        dialog.showModal();
        dialog.querySelector("[autofocus]")?.focus();
        document.dispatchEvent(new CustomEvent("desk:dialog", { detail: { dialog } }));
        return dialog;
    }

    function name(dialog) {
        const heading = dialog.querySelector("h1, h2");
        if (!heading) return;
        heading.id ||= "dialog-title";
        dialog.setAttribute("aria-labelledby", heading.id);
    }

    function isTypedIn(field) {
        if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
        if (field.options) return [...field.options].some(isChosenAnew, field);
        return field.type !== "hidden" && field.defaultValue !== undefined && field.value !== field.defaultValue;
    }

    // The first of a list counts as chosen where the page chooses none.
    function isChosenAnew(option, place) {
        const chosen = [...this.options].some((one) => one.defaultSelected);
        return option.selected !== (chosen || this.multiple ? option.defaultSelected : place === 0);
    }

    function closeBackdrop(event) {
        const dialog = event.target;
        if (!(dialog instanceof HTMLDialogElement) || !dialog.open) return;
        const box = dialog.getBoundingClientRect();
        const inside =
            event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
        if (!inside && ![...dialog.querySelectorAll("input, textarea, select")].some(isTypedIn)) dialog.close();
    }

    // Clicks that mean the same everywhere

    const CLICKS = {
        "[data-close]": (element) => element.closest("dialog")?.close(),
        "[data-copy-from]": (element) => copy(document.getElementById(element.dataset.copyFrom).textContent),
        "[data-copy]": (element) => copy(element.dataset.copy || element.textContent.trim()),
        "[data-dialog]": (element) => openDialog(element.dataset.dialog || element.href, { opener: element }),
        "[data-transfer]": (element) => openDialog(transferUrl(element), { opener: element }),
        "[data-dismiss]": (element) => dismiss(element),
    };

    function transferUrl(element) {
        const here = window.location.pathname + window.location.search;
        const query = new URLSearchParams({ workitem: element.dataset.transfer, next: here });
        return `${document.body.dataset.transferUrl}?${query}`;
    }

    // Hints that somebody has put away stay away on this machine.
    function dismiss(element) {
        localStorage.setItem(`dismissed:${element.dataset.dismiss}`, "yes");
        element.closest("[data-hint]")?.remove();
    }

    function showHints(root = document) {
        for (const hint of root.querySelectorAll("[data-hint][hidden]")) {
            if (localStorage.getItem(`dismissed:${hint.dataset.hint}`)) hint.remove();
            else hint.hidden = false;
        }
    }

    document.addEventListener("click", (event) => {
        closeMenus(event.target);
        closeBackdrop(event);
        if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
        const found = Object.keys(CLICKS).find((one) => event.target.closest?.(one));
        if (!found) return;
        event.preventDefault();
        CLICKS[found](event.target.closest(found));
    });

    async function copy(text) {
        try {
            await navigator.clipboard.writeText(text);
        } catch {
            copyTheOldWay(text); // pages that come over plain HTTP have no clipboard
        }
        toast(word("copied", text.length > 40 ? `${text.slice(0, 39)}…` : text), { seconds: 4 });
    }

    function copyTheOldWay(text) {
        const area = document.createElement("textarea");
        area.value = text;
        area.className = "visually-hidden";
        const before = document.activeElement;
        (document.querySelector("dialog[open]") ?? document.body).append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
        before?.focus({ preventScroll: true });
    }

    // Menus

    function closeMenus(except = null) {
        for (const menu of document.querySelectorAll("details.menu[open]")) {
            if (!except || !menu.contains(except)) menu.open = false;
        }
    }

    document.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        const menu = event.target.closest?.("details.menu[open]") ?? document.querySelector("details.menu[open]");
        if (!menu) return;
        const hadFocus = menu.contains(document.activeElement);
        menu.open = false;
        if (hadFocus) menu.querySelector("summary").focus();
    });

    document.addEventListener("focusin", (event) => {
        if (event.target !== document.body) closeMenus(event.target);
    });

    // Forms

    document.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        const form = event.target.closest?.("form");
        if (!form) return;
        event.preventDefault();
        form.requestSubmit();
    });

    const isSaved = (form) => form.method !== "post" || "noGuard" in form.dataset;
    const isText = (field) =>
        field.tagName === "TEXTAREA" || ["text", "email", "tel", "url"].includes(field.type);

    function hasTypedText(form) {
        return [...form.elements].some((field) => isText(field) && field.value.trim() && isTypedIn(field));
    }

    document.addEventListener("submit", (event) => {
        const form = event.target;
        if (form.method !== "post") return;
        if (form.dataset.sent || window.desk.isOffline) {
            event.preventDefault();
            event.stopImmediatePropagation();
            if (window.desk.isOffline) toast(word("kept"), { kind: "is-bad", seconds: UNDO_SECONDS });
            return;
        }
        form.dataset.sent = "yes";
        const again = () => delete form.dataset.sent;
        // what a script sends by itself it may send again, and a file that comes leaves the page where it is
        setTimeout(() => (event.defaultPrevented ? again() : setTimeout(again, SENT_SECONDS * 1000)));
    }, true);

    window.addEventListener("pageshow", () => {
        for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    });

    window.addEventListener("beforeunload", (event) => {
        const unsaved = [...document.forms].some((form) => !isSaved(form) && !form.dataset.sent && hasTypedText(form));
        if (unsaved) event.preventDefault();
    });

    // htmx

    document.addEventListener("htmx:configRequest", (event) => {
        event.detail.headers["X-CSRFToken"] = csrf();
    });

    // A refusal that is a fragment of the page is shown in its place; any other is told.
    document.addEventListener("htmx:beforeSwap", (event) => {
        const { xhr } = event.detail;
        if (new URL(xhr.responseURL || window.location.href).pathname.startsWith("/login/")) {
            event.detail.shouldSwap = false;
            document.dispatchEvent(new CustomEvent("desk:signed-out"));
        } else if (xhr.status >= 400 && xhr.status < 500 && xhr.responseText && !/<html/i.test(xhr.responseText)) {
            event.detail.shouldSwap = true;
            event.detail.isError = false;
        }
    });

    document.addEventListener("htmx:responseError", (event) => {
        const said = event.detail.xhr.getResponseHeader("HX-Trigger") ?? "";
        if (!said.includes("desk:toast")) toast(word("not-done", event.detail.xhr.status), { kind: "is-bad" });
    });

    document.addEventListener("htmx:sendError", () => toast(word("not-sent"), { kind: "is-bad" }));

    window.desk = {
        ask, banner, button, copy, csrf, hidden, icon, isTypedIn, isSignedOut, openDialog, send, showDialog, tell, toast, word,
        isOffline: false,
        hasTypedText: () => [...document.forms].some((form) => !isSaved(form) && hasTypedText(form)),
    };
    showHints();
    document.addEventListener("live:after", () => showHints());
})();

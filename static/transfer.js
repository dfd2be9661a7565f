// What makes transfers quick: finding a target while one types (a combobox), ready reasons, one's own clock, and a
// single transfer that needs no page of its own. Without it the list of targets is a plain choice, and all works.
"use strict";

(() => {
    const { desk } = window;
    const LATER = "desk:toast-later";
    const WAIT_MS = 150;
    let made = 0;

    // The combobox over the list of targets

    class Finder {
        constructor(form) {
            this.form = form;
            this.field = form.querySelector("[name=find]");
            this.choices = form.querySelector("[data-targets]");
            this.said = form.querySelector("[data-said]");
            this.words = this.choices.dataset;
            this.options = [];
            this.active = null;
            this.build();
            this.read();
            this.listen();
            const checked = this.choices.querySelector("input:checked");
            if (checked) this.choose(this.options.find((one) => one.radio === checked), { quiet: true });
            else this.open();
        }

        build() {
            made += 1;
            this.list = document.createElement("div");
            Object.assign(this.list, { id: `targets-${made}`, className: "target-list", role: "listbox" });
            this.list.setAttribute("aria-label", this.words.label);
            this.card = document.createElement("div");
            this.card.className = "target-chosen";
            this.card.hidden = true;
            this.choices.after(this.list, this.card);
            this.choices.hidden = true;
            this.form.querySelector("[data-find]").remove();
            const about = { role: "combobox", "aria-autocomplete": "list", "aria-controls": this.list.id };
            for (const [name, value] of Object.entries(about)) this.field.setAttribute(name, value);
        }

        // Makes an option of each choice that the server has sent.
        read() {
            this.options = [...this.choices.querySelectorAll("label")].map((label, number) => this.option(label, number));
        }

        option(label, number) {
            const radio = label.querySelector("input");
            const element = document.createElement("div");
            element.className = `target-option${radio.disabled ? " is-refused" : ""}`;
            element.id = `${this.list.id}-${number}`;
            element.setAttribute("role", "option");
            element.setAttribute("aria-selected", "false");
            if (radio.disabled) element.setAttribute("aria-disabled", "true");
            for (const part of label.children) if (part !== radio) element.append(part.cloneNode(true));
            const one = { radio, element, name: label.dataset.name, words: label.dataset.words.toLocaleLowerCase() };
            element.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
            element.addEventListener("click", () => this.choose(one));
            return one;
        }

        listen() {
            this.field.addEventListener("input", () => this.typed());
            this.field.addEventListener("keydown", (event) => this.pressed(event));
            this.field.addEventListener("click", () => this.open());
            this.form.addEventListener("submit", (event) => this.check(event), true);
        }

        async typed() {
            this.unchoose();
            if ("complete" in this.words) return this.open();
            clearTimeout(this.timer);
            this.asked = new Promise((done) => {
                this.timer = setTimeout(() => this.ask().then(done), WAIT_MS);
            });
        }

        async ask() {
            const address = new URL(this.words.source, window.location.href);
            address.searchParams.set("find", this.field.value.trim());
            const answer = await desk.ask(address);
            if (!answer.ok) return;
            this.choices.querySelectorAll("label, p").forEach((one) => one.remove());
            this.choices.insertAdjacentHTML("beforeend", await answer.text());
            this.read();
            this.open();
        }

        get shown() {
            return [...this.list.children].map((one) => this.options.find(({ element }) => element === one)).filter(Boolean);
        }

        get isOpen() {
            return !this.list.hidden;
        }

        // Shows what fits, best first: a name that begins so, then a word that does, then the rest.
        open() {
            const sought = this.chosen ? "" : this.field.value.trim().toLocaleLowerCase();
            const parts = sought.split(/\s+/).filter(Boolean);
            const fitting = this.options.filter((one) => parts.every((part) => one.words.includes(part)));
            const rank = (one) => {
                if (one.radio.disabled) return 3;
                if (!sought || one.words.startsWith(sought)) return 0;
                return one.words.includes(` ${sought}`) ? 1 : 2;
            };
            fitting.sort((one, other) => rank(one) - rank(other));
            this.list.replaceChildren(...fitting.map((one) => one.element));
            if (!fitting.length) this.list.append(this.nothing());
            this.list.hidden = false;
            this.card.hidden = true;
            this.field.setAttribute("aria-expanded", "true");
            this.point(fitting.find((one) => one === this.chosen) ?? fitting.find((one) => !one.radio.disabled) ?? null);
        }

        nothing() {
            const line = document.createElement("div");
            line.className = "target-option";
            line.setAttribute("role", "option");
            line.setAttribute("aria-disabled", "true");
            line.textContent = this.words.none;
            return line;
        }

        close() {
            this.list.hidden = true;
            this.field.setAttribute("aria-expanded", "false");
            this.point(null);
        }

        point(one) {
            this.active?.element.classList.remove("is-pointed");
            this.active = one;
            if (!one) return this.field.removeAttribute("aria-activedescendant");
            one.element.classList.add("is-pointed");
            one.element.scrollIntoView({ block: "nearest" });
            this.field.setAttribute("aria-activedescendant", one.element.id);
        }

        move(by) {
            const able = this.shown.filter((one) => !one.radio.disabled);
            if (!able.length) return;
            const at = able.indexOf(this.active);
            this.point(able[(at + by + able.length) % able.length]);
        }

        async pressed(event) {
            const { key } = event;
            if (key === "ArrowDown" || key === "ArrowUp") {
                event.preventDefault();
                if (this.isOpen) this.move(key === "ArrowDown" ? 1 : -1);
                else this.open();
            } else if (key === "Enter" && !event.ctrlKey && !event.metaKey && this.isOpen) {
                event.preventDefault();
                await this.asked;
                if (this.active) this.choose(this.active);
            } else if (key === "Escape" && this.isOpen && this.chosen) {
                event.preventDefault();
                event.stopPropagation();
                this.choose(this.chosen);
            }
        }

        choose(one, { quiet = false } = {}) {
            if (!one || one.radio.disabled) return;
            one.radio.checked = true;
            this.chosen = one;
            for (const { element, radio } of this.options) element.setAttribute("aria-selected", String(radio.checked));
            this.field.value = one.name;
            const card = one.element.cloneNode(true);
            card.classList.remove("is-pointed");
            for (const name of ["id", "role", "aria-selected"]) card.removeAttribute(name);
            this.card.replaceChildren(card);
            this.card.hidden = false;
            this.close();
            if (!quiet) {
                this.said.textContent = this.words.chosen.replace("%s", one.element.innerText.replace(/\s+/g, " "));
                this.field.focus();
            }
        }

        unchoose() {
            if (!this.chosen) return;
            this.chosen.radio.checked = false;
            this.chosen.element.setAttribute("aria-selected", "false");
            this.chosen = null;
            this.said.textContent = "";
        }

        check(event) {
            if (this.chosen) return;
            event.preventDefault();
            event.stopImmediatePropagation();
            delete this.form.dataset.sent;
            this.said.textContent = this.words.missing;
            this.field.focus();
            this.open();
        }
    }

    // A single transfer in a dialog: done where one is, with its undo in a toast

    async function send(form, event) {
        const dialog = form.closest("dialog");
        if (!dialog || !form.hasAttribute("data-one")) return;
        event.preventDefault();
        if (form.dataset.busy) return;
        form.dataset.busy = "yes";
        try {
            const answer = await desk.ask(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
            await take(dialog, answer);
        } catch {
            desk.toast(desk.word("not-sent"), { kind: "is-bad" });
        }
        delete form.dataset.busy;
    }

    async function take(dialog, answer) {
        if (desk.isSignedOut(answer)) return document.dispatchEvent(new CustomEvent("desk:signed-out"));
        if (answer.status === 200 && answer.headers.has("HX-Trigger")) return done(dialog, answer);
        const text = await answer.text();
        if (!text || /<html/i.test(text)) return desk.toast(desk.word("not-done", answer.status), { kind: "is-bad" });
        const fresh = new DOMParser().parseFromString(text, "text/html").body;
        for (const one of [...dialog.children]) if (!one.matches(".dialog-close")) one.remove();
        dialog.append(...fresh.childNodes);
        enhance(dialog);
        (dialog.querySelector("[name=find]") ?? dialog.querySelector("[data-close]"))?.focus();
    }

    function done(dialog, answer) {
        const next = answer.headers.get("HX-Location");
        dialog.close();
        if (next) {
            sessionStorage.setItem(LATER, answer.headers.get("HX-Trigger"));
            window.location.assign(next);
            return;
        }
        desk.tell(answer);
        document.dispatchEvent(new CustomEvent("desk:refresh"));
    }

    function tellLater() {
        const said = sessionStorage.getItem(LATER);
        sessionStorage.removeItem(LATER);
        if (said) desk.tell({ headers: new Headers({ "HX-Trigger": said }) });
    }

    // Reasons and times

    function offerReasons(form) {
        const presets = form.querySelector("[data-presets]");
        if (!presets) return;
        const reason = document.getElementById(presets.dataset.presets);
        presets.hidden = false;
        presets.addEventListener("click", (event) => {
            const preset = event.target.closest("button");
            if (!preset) return;
            reason.value = preset.textContent.trim();
            reason.focus();
        });
    }

    function useOwnClock(form) {
        const at = form.querySelector("[data-at]");
        if (!at) return;
        const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
        form.querySelector("[name=zone]").value = zone;
        at.querySelector("[data-zone]").textContent = zone;
        const later = form.querySelector("[name=when][value=later]");
        const show = () => { at.hidden = !later.checked; };
        form.addEventListener("change", show);
        show();
    }

    function enhance(root) {
        for (const form of root.querySelectorAll("[data-transfer-form]")) {
            if (form.querySelector("[data-targets]")) new Finder(form);
            offerReasons(form);
            useOwnClock(form);
            form.addEventListener("submit", (event) => send(form, event));
        }
    }

    for (const button of document.querySelectorAll("[data-print]")) {
        button.hidden = false;
        button.addEventListener("click", () => window.print());
    }
    document.addEventListener("desk:dialog", ({ detail }) => enhance(detail.dialog));
    enhance(document);
    tellLater();
})();

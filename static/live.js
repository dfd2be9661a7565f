// Keeps the page's living part as the server has it: asks every few seconds by a conditional request, and makes the
// page equal to the answer without taking anything out of the reader's hands.
"use strict";

(() => {
    const region = document.querySelector("#live[data-live]");
    const { desk, deskClock: clock } = window;
    const { word } = clock;
    const TIMEOUT_MS = 15_000;
    const LONGEST_RETRY_SECONDS = 60;
    const PAUSED = "desk:paused";
    const bar = document.getElementById("live-bar");
    const pill = document.getElementById("live-pill");
    const signIn = () => `${document.body.dataset.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`;

    const state = {
        etag: "",
        seconds: Number(document.body.dataset.refresh) || 3,
        updatedAt: clock.now(),
        nextAt: Date.now() + (Number(document.body.dataset.refresh) || 3) * 1000,
        asking: null,
        failures: 0,
        stopped: "", // why nothing is asked any more: "gone" or "signed-out"
        paused: sessionStorage.getItem(PAUSED) === "yes",
        held: null, // the newest answer, some of whose rows wait to be shown in their new order
    };

    // Asking

    async function ask() {
        const controller = new AbortController();
        const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
        state.asking = controller;
        const began = Date.now();
        try {
            const headers = { "X-Live": "1", ...(state.etag && { "If-None-Match": state.etag }) };
            const answer = await fetch(location.pathname + location.search, {
                headers, credentials: "same-origin", cache: "no-store", signal: controller.signal,
            });
            const text = answer.status === 200 ? await answer.text() : "";
            setServerTime(answer, (began + Date.now()) / 2);
            take(answer, text);
        } catch {
            fail();
        } finally {
            clearTimeout(timer);
            state.asking = null;
        }
    }

    function setServerTime(answer, local) {
        const said = new Date(answer.headers.get("Date") ?? NaN).getTime();
        if (said) clock.correct(said + 500, local); // the header leaves out the part of a second that has passed
    }

    function take(answer, text) {
        if (answer.redirected || answer.status === 403) return stop("signed-out");
        if (answer.status === 404) return stop("gone");
        if (answer.status !== 200 && answer.status !== 304) return fail();
        recover();
        state.updatedAt = clock.now();
        state.nextAt = Date.now() + state.seconds * 1000;
        if (answer.status === 200) {
            state.etag = answer.headers.get("ETag") ?? "";
            show(text);
        }
        tellBar();
    }

    // Trouble: said loudly, and tried again with growing patience; nothing that is typed is touched

    function fail() {
        state.failures += 1;
        const patience = Math.min(LONGEST_RETRY_SECONDS, 2 ** state.failures);
        state.nextAt = Date.now() + 1000 * patience * (0.5 + Math.random() / 2);
        desk.isOffline = true;
        if (state.failures === 1) tellLost();
        tellRetry();
        tellBar();
    }

    function tellLost() {
        const banner = desk.banner(word("lost", clock.time(state.updatedAt)), "is-bad");
        const retry = document.createElement("span");
        retry.id = "live-retry";
        retry.setAttribute("aria-hidden", "true"); // it changes every second: told aloud it would never end
        banner.append(retry, desk.button(word("try-now"), () => ask(), "quiet"));
    }

    function tellRetry() {
        const place = document.getElementById("live-retry");
        if (!place) return;
        const seconds = Math.max(0, Math.ceil((state.nextAt - Date.now()) / 1000));
        place.textContent = state.asking ? word("trying") : word("retry", seconds);
    }

    function recover() {
        const wasAway = state.failures > 0 || state.stopped === "signed-out";
        state.failures = 0;
        state.stopped = "";
        desk.isOffline = false;
        if (!wasAway) return;
        desk.banner("");
        renewTokens();
        desk.toast(word("back"), { seconds: 4 });
    }

    // Who has signed in again, in another tab, has a new token; the forms of this page get it.
    function renewTokens() {
        for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = desk.csrf();
    }

    function stop(why) {
        if (state.stopped === why) return;
        state.stopped = why;
        state.failures = 0;
        desk.isOffline = why === "signed-out";
        const banner = desk.banner(word(why), why === "gone" ? "" : "is-bad");
        if (why === "signed-out") banner.append(signInLink());
        tellBar();
    }

    // What is typed stays here: then the way in opens beside this page, which goes on by itself afterwards.
    function signInLink() {
        const link = document.createElement("a");
        link.className = "button";
        link.textContent = word("sign-in");
        link.href = signIn();
        link.addEventListener("click", () => (link.target = desk.hasTypedText() ? "_blank" : ""));
        return link;
    }

    // Showing

    function show(text) {
        const fresh = document.createElement("div");
        fresh.innerHTML = text;
        const living = fresh.querySelector("#live[data-live]") ?? fresh;
        prepare(living);
        const waiting = keepOrder(living.cloneNode(true));
        state.held = waiting.count ? living : null;
        tellPill(waiting.count);
        morph(waiting.count ? waiting.kept : living);
    }

    function prepare(root) {
        nameRows(root);
        clock.show(root);
    }

    // Rows are known by what they show, so that each stays itself wherever it goes.
    function nameRows(root) {
        for (const row of root.querySelectorAll("[data-row]:not([id])")) {
            if (row.dataset.row) row.id = `row-${row.dataset.row}`;
        }
    }

    function morph(fresh) {
        const before = new CustomEvent("live:before", { cancelable: true, detail: { fresh } });
        if (!document.dispatchEvent(before)) {
            state.etag = ""; // what somebody has held back comes again
            return;
        }
        const focused = whereFocusIs();
        const changed = [];
        keepCurrent(fresh);
        window.Idiomorph.morph(region, fresh, {
            morphStyle: "innerHTML",
            ignoreActiveValue: true,
            callbacks: {
                beforeNodeMorphed: (old, made) => !isInHand(old) && !isSame(old, made, changed),
                beforeNodeRemoved: (old) => !holdsSomething(old),
                beforeAttributeUpdated: (name, element) => !(name === "open" && /^(DETAILS|DIALOG)$/.test(element.tagName)),
            },
        });
        window.htmx?.process(region);
        putFocusBack(focused);
        for (const cell of changed) flash(cell);
        document.dispatchEvent(new CustomEvent("live:after"));
    }

    const isField = (node) => /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName ?? "");
    const isInHand = (node) =>
        node.nodeType === 1 && ("keep" in node.dataset || (isField(node) && (desk.isTypedIn(node) || node === document.activeElement)));
    const holdsSomething = (node) =>
        node.nodeType === 1 && (isInHand(node) || [...node.querySelectorAll("[data-keep], input, textarea, select")].some(isTextInHand));
    const isTextInHand = (node) => "keep" in node.dataset || (isInHand(node) && node.type !== "checkbox");

    function isSame(old, made, changed) {
        if (old.nodeType !== 1) return false;
        if (old.isEqualNode(made)) return true;
        if (old.matches("td, [data-flash]") && old.textContent.trim() !== made.textContent.trim()) changed.push(old);
        return false;
    }

    // The row where the keyboard is, stays so.
    function keepCurrent(fresh) {
        for (const row of region.querySelectorAll("[data-row].is-current, [data-row][tabindex]")) {
            const made = row.id && fresh.querySelector(`#${CSS.escape(row.id)}`);
            if (!made) continue;
            made.classList.toggle("is-current", row.classList.contains("is-current"));
            made.tabIndex = -1;
        }
    }

    // A row that goes takes the focus with it; it passes to the row that has come in its place.
    function whereFocusIs() {
        const row = document.activeElement?.closest?.("#live [data-row]");
        return row && { row, rows: row.parentElement, place: [...row.parentElement.children].indexOf(row), on: document.activeElement };
    }

    function putFocusBack(focused) {
        if (!focused || focused.on.isConnected) return;
        const row = focused.row.isConnected ? focused.row : focused.rows.children[Math.min(focused.place, focused.rows.children.length - 1)];
        if (!row) return;
        row.tabIndex = -1;
        row.focus({ preventScroll: true });
    }

    const MOVES = window.matchMedia("(prefers-reduced-motion: no-preference)");

    function flash(element) {
        if (!MOVES.matches || !element.isConnected || element.querySelector("time[data-age], time[data-countdown]")) return;
        element.classList.remove("has-changed");
        void element.offsetWidth; // begin again where it runs already
        element.classList.add("has-changed");
        element.addEventListener("animationend", () => element.classList.remove("has-changed"), { once: true });
    }

    // Rows stay in their order under the pointer and while some are selected

    const isHeld = () => Boolean(document.querySelector("[data-hold-order]") || region.querySelector("[data-row]:hover"));

    function keepOrder(fresh) {
        const result = { kept: fresh, count: 0 };
        if (!isHeld()) return result;
        const places = new Set([...region.querySelectorAll("[data-row]")].map((row) => row.parentElement));
        for (const place of places) result.count += keepRows(place, fresh);
        return result;
    }

    // Puts the new rows of one table into the order that the page has, and counts what that hides.
    function keepRows(place, fresh) {
        const old = rowsOf(place);
        const made = new Map([...fresh.querySelectorAll("[data-row]")].map((row) => [row.id, row]));
        const target = old.map((row) => made.get(row.id)?.parentElement).find(Boolean) ?? counterpart(place, fresh);
        if (!target) return 0;
        const coming = rowsOf(target);
        const ids = new Set(old.map((row) => row.id));
        const stay = coming.filter((row) => ids.has(row.id)).map((row) => row.id);
        const were = old.filter((row) => made.has(row.id)).map((row) => row.id);
        const added = coming.filter((row) => !ids.has(row.id));
        const gone = old.filter((row) => !made.has(row.id));
        const moved = stay.filter((id, at) => id !== were[at]);
        if (added.length + gone.length + moved.length === 0) return 0;
        const all = [...target.children];
        const rest = all.filter((one) => !coming.includes(one));
        const head = rest.filter((one) => coming.length && all.indexOf(one) < all.indexOf(coming[0]));
        const foot = rest.filter((one) => !head.includes(one));
        target.replaceChildren(...head, ...old.map((row) => made.get(row.id) ?? leftover(row)), ...foot);
        return added.length + gone.length + moved.length;
    }

    const precedes = (one, other) => Boolean(one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);
    const rowsOf = (place) => [...place.children].filter((one) => "row" in one.dataset);
    const counterpart = (place, fresh) => (place.id ? fresh.querySelector(`#${CSS.escape(place.id)}`) : fresh.querySelector(place.tagName));

    function leftover(row) {
        const copy = row.cloneNode(true);
        copy.classList.add("has-gone");
        copy.title = word("has-gone");
        return copy;
    }

    function tellPill(count) {
        pill.hidden = !count;
        if (!count) return;
        const text = count === 1 ? word("update") : word("updates", count);
        if (pill.textContent !== text) pill.textContent = text;
    }

    function showHeld() {
        const fresh = state.held;
        state.held = null;
        tellPill(0);
        if (!fresh) return;
        clock.show(fresh);
        morph(fresh);
    }

    // The bar: how old this is, and how often it is asked

    function tellBar() {
        if (!bar) return;
        const place = document.getElementById("live-state");
        const kind = state.stopped || state.failures ? "is-lost" : state.paused ? "is-paused" : "is-live";
        if (bar.dataset.state !== kind) bar.dataset.state = kind;
        const ago = Math.max(0, Math.floor((clock.now() - state.updatedAt) / 1000));
        const says = state.paused ? word("paused", clock.time(state.updatedAt)) : word("updated", ago < 60 ? word("seconds", ago) : clock.span(ago * 1000));
        if (place.textContent !== says) place.textContent = says;
    }

    function pause(paused) {
        state.paused = paused;
        sessionStorage.setItem(PAUSED, paused ? "yes" : "no");
        if (paused) clock.stop();
        else clock.go();
        tellPause();
        tellBar();
        if (!paused) refresh();
    }

    function tellPause() {
        const button = document.getElementById("live-pause");
        button.setAttribute("aria-pressed", String(state.paused));
        button.title = word(state.paused ? "go-on" : "pause");
    }

    async function choose(event) {
        state.seconds = Number(event.target.value);
        state.nextAt = Date.now() + state.seconds * 1000;
        document.body.dataset.refresh = event.target.value;
        await desk.send(document.body.dataset.settingsUrl, { refresh_seconds: event.target.value });
    }

    function refresh() {
        if (state.stopped === "gone") return;
        if (state.asking) state.nextAt = Date.now(); // what is asked now may be older than what has just been done
        else ask();
    }

    function tick() {
        if (document.hidden) return;
        tellBar();
        tellRetry();
        if (state.held && !isHeld()) showHeld();
        const waits = state.paused && !state.failures;
        if (!waits && !state.stopped && !state.asking && Date.now() >= state.nextAt) ask();
    }

    function seen() {
        if (document.hidden) return;
        if (state.stopped === "signed-out" || !state.paused) refresh();
    }

    document.addEventListener("desk:signed-out", () => stop("signed-out"));
    if (!region || !bar) return;
    nameRows(region);
    tellPause();
    if (state.paused) clock.stop();
    tellBar();
    pill.addEventListener("click", showHeld);
    document.getElementById("live-pause").addEventListener("click", () => pause(!state.paused));
    document.getElementById("live-interval").addEventListener("change", choose);
    document.addEventListener("visibilitychange", seen);
    window.addEventListener("focus", () => state.stopped === "signed-out" && refresh());
    document.addEventListener("desk:refresh", refresh);
    window.addEventListener("online", refresh);
    setInterval(tick, 250);
})();

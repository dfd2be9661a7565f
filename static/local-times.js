// Times as the reader lives them: moments in his own zone and language, ages that tick, countdowns, and what becomes
// late while he looks. All of it is counted from the server's clock, whatever his own says.
"use strict";

(() => {
    const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
    const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
    const WRONG_MS = 1500; // a clock that is less wrong than this is left alone: the Date header counts in seconds
    let ahead = 0;
    let stopped = null;

    const word = (name, ...values) => {
        const kept = document.getElementById("desk-words")?.content.querySelector(`[data-word="${name}"]`);
        return values.reduce((text, value) => text.replace("%s", value), kept?.textContent ?? values.join(" "));
    };

    const now = () => stopped ?? Date.now() + ahead;

    function correct(server, local = Date.now()) {
        const difference = server - local;
        ahead = Math.abs(difference) > WRONG_MS ? difference : 0;
    }

    // In its two largest units, as the server says it.
    function span(milliseconds) {
        const seconds = Math.max(0, Math.round(milliseconds / 1000));
        const [minutes, hours, days] = [60, 3600, 86400].map((one) => Math.floor(seconds / one));
        if (days) return word("days", days, hours % 24);
        if (hours) return word("hours", hours, minutes % 60);
        if (minutes) return word("minutes", minutes, seconds % 60);
        return word("seconds", seconds);
    }

    function countdown(due) {
        const left = due - now();
        return left >= 0 ? word("left", span(left)) : word("over", span(-left));
    }

    function text(element) {
        const moment = new Date(element.dateTime);
        if (Number.isNaN(moment.getTime())) return element.textContent;
        if ("age" in element.dataset) return span(now() - moment);
        if ("countdown" in element.dataset) return countdown(moment);
        return shown.format(moment);
    }

    function write(element) {
        const says = text(element);
        if (element.textContent !== says) element.textContent = says;
    }

    // A wait gets its colour, its icon and its word in the very second in which it becomes too long.
    function judge(element) {
        const late = passed(element.dataset.dueAt);
        mark(element, "breaches", late, "breached");
        mark(element, "warns", !late && passed(element.dataset.warnAt), "warning");
    }

    const passed = (moment) => Boolean(moment) && new Date(moment) <= now();

    function mark(element, kind, holds, icon) {
        if (element.classList.contains(kind) === holds) return;
        element.classList.toggle(kind, holds);
        for (const old of element.querySelectorAll(`:scope > [data-judged=${kind}]`)) old.remove();
        const drawn = document.getElementById("desk-icons")?.content.querySelector(`[data-icon="${icon}"]`);
        if (!holds || !drawn) return;
        const sign = drawn.cloneNode(true);
        sign.dataset.judged = kind;
        for (const stale of element.querySelectorAll(":scope > .icon, :scope > .visually-hidden")) stale.remove();
        element.prepend(sign);
    }

    function show(root = document) {
        for (const element of root.querySelectorAll("time[datetime]")) {
            write(element);
            const moment = new Date(element.dateTime);
            if (!Number.isNaN(moment.getTime())) element.title = exact.format(moment);
        }
        for (const element of root.querySelectorAll("[data-warn-at], [data-due-at]")) judge(element);
    }

    function tick() {
        if (document.hidden || stopped !== null) return;
        for (const element of document.querySelectorAll("time[data-age], time[data-countdown]")) write(element);
        for (const element of document.querySelectorAll("[data-warn-at], [data-due-at]")) judge(element);
    }

    // The page says when it was made; the browser knows when it got it.
    function begin() {
        const made = new Date(document.body.dataset.now ?? NaN).getTime();
        const got = performance.getEntriesByType("navigation")[0]?.responseStart;
        if (made && got) correct(made, performance.timeOrigin + got);
    }

    const clock = {
        now,
        correct,
        span,
        show,
        word,
        time: (moment) => new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }).format(moment),
        stop: () => (stopped = now()),
        go: () => {
            stopped = null;
            tick();
        },
    };
    window.deskClock = clock;
    begin();
    show();
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
    document.addEventListener("htmx:afterSwap", (event) => show(event.target));
})();

// Shows every <time> in the reader's own zone and language; the exact moment stays in its title.
"use strict";

const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

for (const element of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    element.textContent = shown.format(moment);
    element.title = exact.format(moment);
}

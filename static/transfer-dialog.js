// What makes the transfer dialog quick: finding while one types, ready reasons, one's own clock, Ctrl+Enter.
// Without it the dialog works all the same, with its Search button and the server's clock.
"use strict";

for (const form of document.querySelectorAll("[data-transfer-dialog]")) {
    const submit = form.querySelector("[data-submit]");

    form.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && submit) {
            event.preventDefault();
            form.requestSubmit(submit);
        }
    });

    // One click is one transfer.
    let sent = false;
    form.addEventListener("submit", (event) => {
        if (sent) event.preventDefault();
        else if (event.submitter?.hasAttribute("data-once")) sent = true;
    });
    window.addEventListener("pageshow", () => { sent = false; });

    const find = form.querySelector("[name=find][type=search]");
    const button = form.querySelector("[data-find]");
    if (find && button?.hasAttribute("data-complete")) {
        const targets = [...form.querySelectorAll("[data-words]")];
        const found = form.querySelector("[data-found]");
        if (!find.value) {
            button.remove();
            find.addEventListener("input", () => {
                const word = find.value.trim().toLocaleLowerCase();
                let count = 0;
                for (const target of targets) {
                    const chosen = target.querySelector("input").checked;
                    const fits = target.dataset.words.toLocaleLowerCase().includes(word);
                    target.hidden = !fits && !chosen;
                    count += Number(fits);
                }
                found.textContent = word ? `${count} / ${targets.length}` : "";
            });
            find.addEventListener("keydown", (event) => {
                if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
                event.preventDefault();
                const first = targets.find((target) => !target.hidden)?.querySelector("input");
                if (first) {
                    first.checked = true;
                    first.focus();
                }
            });
        }
    }

    const presets = form.querySelector("[data-presets]");
    if (presets) {
        const reason = document.getElementById(presets.dataset.presets);
        presets.hidden = false;
        presets.addEventListener("click", (event) => {
            if (event.target.closest("button")) reason.value = event.target.closest("button").textContent.trim();
        });
    }

    const at = form.querySelector("[data-at]");
    if (at) {
        const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
        form.querySelector("[name=zone]").value = zone;
        at.querySelector("[data-zone]").textContent = zone;
        const later = form.querySelector("[name=when][value=later]");
        const show = () => { at.hidden = !later.checked; };
        form.addEventListener("change", show);
        show();
    }
}

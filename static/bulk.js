// The menu of actions on the list of workitems: what no ticked row allows is greyed, and the reason is told beside it.
// Without this script the preview tells the same.
"use strict";

const menu = document.querySelector("#changelist-form select[name=action]");

if (menu) {
    const form = menu.form;
    const note = document.createElement("ul");
    note.className = "wi-why-not";
    note.setAttribute("role", "status");
    document.getElementById("changelist-actions").append(note);
    const words = new Map([...menu.options].map((option) => [option, option.textContent]));
    let last = "";
    let waiting = 0;
    let rows = 0;

    const across = () => form.querySelector("[name=select_across]")?.value === "1";
    const ticked = () => [...form.querySelectorAll(".action-select:checked")].map((box) => box.value).sort();

    const clear = () => {
        for (const [option, text] of words) {
            option.disabled = false;
            option.textContent = text;
        }
        note.replaceChildren();
    };

    const tell = () => {
        const reasons = menu.selectedOptions[0]?.reasons ?? [];
        note.replaceChildren(...reasons.map(({ count, reason }) => {
            const line = document.createElement("li");
            line.textContent = `${count} / ${rows}: ${reason}`;
            return line;
        }));
    };

    const show = ({ rows: asked, actions }) => {
        rows = asked;
        for (const [option, text] of words) {
            const told = actions[option.value];
            if (!told) continue;
            option.reasons = told.refused;
            option.disabled = told.allowed === 0;
            option.textContent = option.disabled && told.refused.length ? `${text} (${told.refused[0].reason})` : text;
        }
        tell();
    };

    const ask = async (ids) => {
        const answer = await fetch(`actions/?ids=${ids}`);
        if (answer.ok && ids === last) show(await answer.json());
    };

    const look = () => {
        const ids = across() ? "" : ticked().join(",");
        if (ids === last) return;
        last = ids;
        clearTimeout(waiting);
        if (ids) waiting = setTimeout(() => ask(ids).catch(clear), 150);
        else clear();
    };

    form.addEventListener("change", look);
    form.addEventListener("click", () => setTimeout(look));
    menu.addEventListener("change", tell);
    window.addEventListener("pageshow", () => setTimeout(look));
}

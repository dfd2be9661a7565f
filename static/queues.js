"use strict";

// Completes the line into which usernames are typed: what is chosen becomes a ticked name above it.
// Without this, usernames are typed whole.

(() => {
    const WAIT = 200;

    function begin(box) {
        const line = box.querySelector("input[type=text]");
        const list = box.querySelector(".wi-people-list");
        const none = box.querySelector(".wi-people-none");
        const found = document.createElement("div");
        let asked = 0;
        let timer = 0;

        found.className = "wi-people-found";
        found.id = `${line.id}_found`;
        found.setAttribute("role", "listbox");
        found.setAttribute("aria-label", line.labels[0] ? line.labels[0].textContent.trim() : box.dataset.name);
        found.hidden = true;
        line.after(found);
        line.setAttribute("role", "combobox");
        line.setAttribute("aria-autocomplete", "list");
        line.setAttribute("aria-controls", found.id);
        line.setAttribute("aria-expanded", "false");

        const options = () => [...found.querySelectorAll("[role=option]")];
        const marked = () => found.querySelector("[aria-selected=true]");

        function show(is_shown) {
            found.hidden = !is_shown;
            line.setAttribute("aria-expanded", String(is_shown));
            if (!is_shown) {
                line.removeAttribute("aria-activedescendant");
            }
        }

        function mark(option) {
            options().forEach((one) => one.setAttribute("aria-selected", String(one === option)));
            if (option) {
                line.setAttribute("aria-activedescendant", option.id);
                option.scrollIntoView({ block: "nearest" });
            }
        }

        function text(tag, words, name) {
            const part = document.createElement(tag);
            part.textContent = words;
            part.className = name || "";
            return part;
        }

        function tick(person) {
            const present = [...list.querySelectorAll("input")].find((one) => one.value === person.username);
            if (present) {
                present.checked = true;
            } else {
                const label = document.createElement("label");
                const input = document.createElement("input");
                input.type = "checkbox";
                input.name = box.dataset.name;
                input.value = person.username;
                input.checked = true;
                label.append(input, person.name || person.username, text("span", person.username, "wi-id"));
                const row = document.createElement("li");
                row.append(label);
                list.append(row);
            }
            none.hidden = true;
            line.value = "";
            line.dispatchEvent(new Event("change", { bubbles: true }));
            show(false);
        }

        function fill(people) {
            found.replaceChildren(
                ...people.map((person, place) => {
                    const option = document.createElement("div");
                    option.id = `${found.id}_${place}`;
                    option.setAttribute("role", "option");
                    option.setAttribute("aria-selected", "false");
                    option.append(text("span", person.name || person.username), text("span", person.username, "wi-id"));
                    option.addEventListener("mousedown", (event) => {
                        event.preventDefault();
                        tick(person);
                    });
                    option.addEventListener("wi-chosen", () => tick(person));
                    return option;
                }),
            );
            if (!people.length) {
                const nobody = text("div", box.dataset.none, "wi-id");
                nobody.setAttribute("role", "option");
                nobody.setAttribute("aria-disabled", "true");
                nobody.setAttribute("aria-selected", "false");
                found.replaceChildren(nobody);
            }
            show(true);
            mark(people.length ? options()[0] : null);
        }

        async function ask() {
            const words = line.value.trim();
            const turn = ++asked;
            if (words.length < 2 || words.includes(",")) {
                show(false);
                return;
            }
            try {
                const answer = await fetch(`${box.dataset.people}?q=${encodeURIComponent(words)}`, {
                    headers: { Accept: "application/json" },
                });
                const { people } = await answer.json();
                if (turn === asked) {
                    fill(people);
                }
            } catch {
                show(false);
            }
        }

        line.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(ask, WAIT);
        });
        line.addEventListener("blur", () => show(false));
        line.addEventListener("keydown", (event) => {
            const all = options();
            const place = all.indexOf(marked());
            if (found.hidden || !all.length) {
                return;
            }
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
                const step = event.key === "ArrowDown" ? 1 : -1;
                mark(all[(place + step + all.length) % all.length]);
            } else if (event.key === "Enter" && marked()) {
                marked().dispatchEvent(new Event("wi-chosen"));
            } else if (event.key === "Escape") {
                show(false);
            } else {
                return;
            }
            event.preventDefault();
        });
    }

    document.querySelectorAll("[data-people]").forEach(begin);
})();

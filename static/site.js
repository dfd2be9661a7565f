// Brings the entry of the menu that one is at into view: the menu may be longer than the screen.
"use strict";

addEventListener("load", () => document.querySelector("#nav-sidebar [aria-current]")?.scrollIntoView({ block: "nearest" }));

// The theme writes the name of a file into the text field of its own widget, and there is none beside ours.
addEventListener("change", (event) => event.target.matches("input.wi-input[type=file]") && event.stopPropagation(), true);

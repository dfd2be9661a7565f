// Brings the entry of the menu that one is at into view: the menu may be longer than the screen.
"use strict";

addEventListener("load", () => document.querySelector("#nav-sidebar [aria-current]")?.scrollIntoView({ block: "nearest" }));

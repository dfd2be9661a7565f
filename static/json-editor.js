// Makes a textarea a place to write JSON in: line numbers, where and what is wrong, the size, and one click to format.
// It reads the text itself and never through numbers, so that formatting changes nothing but white space.
"use strict";

const TOKEN = /[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const BLANK = /[ \t\n\r]*/y;
const DEEPEST = 200;

class Problem extends Error {
    constructor(kind, at, found = "") {
        super(kind);
        Object.assign(this, { kind, at, found });
    }
}

class Reader {
    constructor(text) {
        this.text = text;
        this.at = 0;
        this.small = "";
        this.next();
    }

    next() {
        BLANK.lastIndex = this.at;
        BLANK.exec(this.text);
        this.at = BLANK.lastIndex || this.at;
        this.start = this.at;
        TOKEN.lastIndex = this.at;
        this.token = TOKEN.exec(this.text)?.[0] ?? "";
        if (!this.token && this.at < this.text.length) {
            const rest = this.text.slice(this.at).match(/^[\w.+-]+|[^]/u)[0];
            throw new Problem(rest === '"' ? "text" : "unexpected", this.at, rest.slice(0, 20));
        }
        this.at += this.token.length;
    }

    take() {
        const taken = this.token;
        this.small += taken;
        this.next();
        return taken;
    }

    fail(kind = "unexpected") {
        throw new Problem(this.token ? kind : "ends", this.start, this.token);
    }

    value(depth) {
        if (depth > DEEPEST) this.fail();
        if (this.token === "{") return this.many("}", depth, () => `${this.key()}: ${this.value(depth + 1)}`);
        if (this.token === "[") return this.many("]", depth, () => this.value(depth + 1));
        if (!this.token || "}],:".includes(this.token)) this.fail();
        return this.take();
    }

    key() {
        if (!this.token.startsWith('"')) this.fail("key");
        const key = this.take();
        if (this.token !== ":") this.fail();
        this.take();
        return key;
    }

    many(closing, depth, one) {
        const opening = this.take();
        const found = [];
        while (this.token !== closing || found.length) {
            found.push(one());
            if (this.token !== ",") break;
            this.take();
        }
        if (this.token !== closing) this.fail();
        this.take();
        const indent = "  ".repeat(depth);
        return found.length
            ? `${opening}\n${found.map((part) => `${indent}  ${part}`).join(",\n")}\n${indent}${closing}`
            : opening + closing;
    }
}

function read(text) {
    if (!text.trim()) return { pretty: "{}", small: "{}", isObject: true };
    const reader = new Reader(text);
    const isObject = reader.token === "{";
    const pretty = reader.value(0);
    if (reader.token) reader.fail("more");
    return { pretty, small: reader.small, isObject };
}

for (const box of document.querySelectorAll("[data-json]")) {
    const area = box.querySelector("textarea");
    const words = box.dataset;
    const verdict = box.querySelector("[data-verdict]");
    const bytes = box.querySelector("[data-bytes]");
    const lines = box.querySelector("[data-lines]");
    const format = box.querySelector("[data-format]");

    function look() {
        const count = area.value.split("\n").length;
        lines.textContent = Array.from({ length: count }, (_one, index) => index + 1).join("\n");
        lines.scrollTop = area.scrollTop;
        let told = words.fine;
        let isFine = true;
        let size = "";
        try {
            const found = read(area.value);
            const length = new TextEncoder().encode(found.small).length;
            size = words.size.replace("{size}", length.toLocaleString()).replace("{most}", Number(words.most).toLocaleString());
            if (!found.isObject) [told, isFine] = [words.noObject, false];
            else if (length > Number(words.most)) [told, isFine] = [words.tooLarge, false];
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            const before = area.value.slice(0, problem.at).split("\n");
            told = words.bad
                .replace("{line}", before.length)
                .replace("{column}", before.at(-1).length + 1)
                .replace("{problem}", words[problem.kind].replace("{found}", problem.found));
            isFine = false;
        }
        if (verdict.textContent !== told) verdict.textContent = told;
        verdict.className = isFine ? "wi-fine" : "wi-wrong";
        bytes.textContent = size;
        format.disabled = !size;
        area.setAttribute("aria-invalid", String(!isFine));
    }

    lines.hidden = false;
    format.hidden = false;
    format.addEventListener("click", () => {
        try {
            area.value = read(area.value).pretty;
        } catch {
            area.focus();
        }
        area.dispatchEvent(new Event("input", { bubbles: true }));
    });
    area.addEventListener("input", look);
    area.addEventListener("scroll", () => { lines.scrollTop = area.scrollTop; });
    look();
}

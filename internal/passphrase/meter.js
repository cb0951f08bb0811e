// Shows how strong a passphrase is while a person types it. Without this file
// the form works all the same: the server judges with the same program.
//
// Markup (every text comes from the page, translated):
//
//   <input type="password" id="passphrase" data-meter="passphrase-meter"
//          autocomplete="new-password" aria-describedby="passphrase-rules">
//   <div id="passphrase-meter" class="meter"
//        data-src="/assets/zxcvbn.bundle.js"   the worker, of this origin
//        data-year="2026" data-min-length="12" data-min-score="3"
//        data-own='["sekar","ayu"]'            the owner's words, longest first
//        data-words='{ ... }'>                 see below
//     <ul id="passphrase-rules">
//       <li data-rule="length">...</li> <li data-rule="own">...</li>
//       <li data-rule="score">...</li>  <li data-rule="match">...</li>
//     </ul>
//   </div>
//   <input type="password" data-meter-confirm="passphrase">   optional, the repetition
//
// data-words:
//   { "scores": [five words, weakest first], "score": "{word} ({score}/4)",
//     "crack": "Time to guess it: {time}", "instant": "...", "centuries": "...",
//     "show": "...", "hide": "...", "capsLock": "...", "met": "...", "unmet": "...",
//     "progress": "{met} of {all} conditions are met", "busy": "..." }
//
// What it adds, to be styled by the page: .meter-bar[data-score] with four
// .meter-step, .meter-score, .meter-crack, .meter-live (for screen readers
// only), .meter-mark in each rule, the class is-met on met rules, and after the
// first input .meter-reveal (a button) and .meter-caps.

const WAIT = 120; // ms without a key before the estimate is asked for
const SPEAK = 900; // ms before it is read out

function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text) e.textContent = text;
  return e;
}

function parse(json, otherwise) {
  try {
    return JSON.parse(json) ?? otherwise;
  } catch {
    return otherwise;
  }
}

const fill = (template, values) =>
  String(template ?? "").replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));

class Meter {
  constructor(input, box) {
    this.input = input;
    this.box = box;
    this.words = parse(box.dataset.words, {});
    this.own = parse(box.dataset.own, []);
    this.lang = box.closest("[lang]")?.lang || "id";
    this.confirm = document.querySelector(`[data-meter-confirm="${CSS.escape(input.id)}"]`);
    this.asked = 0; // number of the newest text
    this.result = null; // the estimate of that text, once it is there
    this.failed = false; // there is no estimator here

    this.bar = element("div", "meter-bar");
    this.bar.setAttribute("aria-hidden", "true");
    for (let i = 0; i < 4; i++) this.bar.append(element("span", "meter-step"));
    this.score = element("p", "meter-score");
    this.crack = element("p", "meter-crack");
    this.live = element("p", "meter-live visually-hidden");
    this.live.setAttribute("aria-live", "polite");
    box.prepend(this.bar, this.score, this.crack);
    box.append(this.live);
    this.marks = new Map();
    for (const li of box.querySelectorAll("[data-rule]")) {
      const mark = element("span", "meter-mark visually-hidden");
      li.append(" ", mark);
      this.marks.set(li.dataset.rule, { li, mark });
    }
    this.addKeyboardHelp();
    for (const field of this.fields()) field.addEventListener("input", () => this.changed());
    input.addEventListener("focus", () => this.start(), { once: true });
    if (input.value) this.start();
    this.show();
  }

  fields() {
    return this.confirm ? [this.input, this.confirm] : [this.input];
  }

  // One button shows both fields: what is hidden in one cannot be compared.
  addKeyboardHelp() {
    const button = element("button", "meter-reveal", this.words.show);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-controls", this.fields().map((f) => f.id).filter(Boolean).join(" "));
    const reveal = (on) => {
      for (const f of this.fields()) f.type = on ? "text" : "password";
      button.setAttribute("aria-pressed", String(on));
      button.textContent = on ? this.words.hide : this.words.show;
    };
    button.addEventListener("click", () => reveal(this.input.type === "password"));
    // A field that is text when it is sent would be kept by the browser's form history.
    this.input.form?.addEventListener("submit", () => reveal(false));
    for (const f of this.fields()) {
      f.spellcheck = false;
      f.setAttribute("autocapitalize", "none");
      f.setAttribute("autocorrect", "off");
    }
    const caps = element("p", "meter-caps", "");
    caps.setAttribute("role", "status");
    for (const f of this.fields()) {
      for (const type of ["keydown", "keyup"]) {
        f.addEventListener(type, (e) => {
          caps.textContent = e.getModifierState?.("CapsLock") ? this.words.capsLock : "";
        });
      }
      f.addEventListener("blur", () => (caps.textContent = ""));
    }
    this.input.after(button, caps);
  }

  // The worker is a megabyte of words: it is fetched when somebody comes to
  // the field, not with the page.
  start() {
    if (this.worker || this.failed) return;
    try {
      this.worker = new Worker(this.box.dataset.src);
    } catch {
      this.failed = true; // the rules that need no estimate go on
      return this.show();
    }
    this.worker.addEventListener("message", (e) => {
      if (e.data.id !== this.asked) return; // an answer to what is no longer there
      this.result = e.data;
      this.show();
    });
    this.worker.addEventListener("error", () => {
      this.worker.terminate();
      this.failed = true;
      this.show();
    });
    this.ask();
  }

  changed() {
    this.start();
    this.result = null;
    this.asked++;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
    this.show();
  }

  ask() {
    const text = this.input.value;
    if (!text || !this.worker || this.failed) return;
    this.worker.postMessage({ id: this.asked, text, own: this.own, year: Number(this.box.dataset.year) });
  }

  rules() {
    const text = this.input.value.normalize("NFKC");
    const r = this.result;
    const rules = new Map();
    rules.set("length", Array.from(text).length >= Number(this.box.dataset.minLength));
    rules.set("own", Boolean(r) && !r.own);
    rules.set("score", Boolean(r) && r.score >= Number(this.box.dataset.minScore));
    rules.set("match", text !== "" && this.confirm?.value.normalize("NFKC") === text);
    return rules;
  }

  time(r) {
    if (r.unit === "instant" || r.unit === "centuries") return this.words[r.unit] ?? "";
    return new Intl.NumberFormat(this.lang, { style: "unit", unit: r.unit, unitDisplay: "long" }).format(r.n);
  }

  show() {
    const { words, result: r } = this;
    const typed = this.input.value !== "";
    const busy = typed && !r && !this.failed;
    // While the next estimate is on its way the last one stays, dimmed: a bar
    // that jumps at every key tells nothing.
    this.box.classList.toggle("is-busy", busy);
    if (r && typed) {
      this.bar.dataset.score = r.score;
      this.score.textContent = fill(words.score, { word: words.scores?.[r.score] ?? "", score: r.score });
      this.crack.textContent = fill(words.crack, { time: this.time(r) });
    } else if (!typed || this.failed) {
      delete this.bar.dataset.score;
      this.score.textContent = "";
      this.crack.textContent = "";
    } else if (!this.score.textContent) {
      this.score.textContent = words.busy ?? "";
    }
    if (busy && this.bar.dataset.score !== undefined) return this.showRules(["length", "match"]);
    this.showRules([...this.marks.keys()]);
    this.speak(typed && !busy);
  }

  // Without an estimator the two rules that need it are left to the server.
  showRules(codes) {
    const rules = this.rules();
    for (const code of codes) {
      const item = this.marks.get(code);
      if (!item) continue;
      const unknown = this.failed && (code === "own" || code === "score");
      const met = !unknown && rules.get(code);
      item.li.classList.toggle("is-met", met);
      item.mark.textContent = unknown ? "" : met ? this.words.met : this.words.unmet;
    }
  }

  speak(on) {
    clearTimeout(this.speaking);
    if (!on) return void (this.live.textContent = "");
    this.speaking = setTimeout(() => {
      const met = [...this.marks.values()].filter(({ li }) => li.classList.contains("is-met")).length;
      const parts = [this.score.textContent, this.crack.textContent, fill(this.words.progress, { met, all: this.marks.size })];
      this.live.textContent = parts.filter(Boolean).join(". ");
    }, SPEAK);
  }
}

// enhance adds a meter to every input under root that asks for one. Pages that
// swap in parts of themselves call it for the new part.
export function enhance(root = document) {
  for (const input of root.querySelectorAll("input[data-meter]:not([data-meter-on])")) {
    const box = document.getElementById(input.dataset.meter);
    if (!box) continue;
    input.dataset.meterOn = "";
    new Meter(input, box);
  }
}

enhance();

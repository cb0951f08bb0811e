// sheet shows the pages of a PDF document; with boxes and marks on them where its
// page asks for these.
import { Boxes } from "./boxes.js";
import { Marks } from "./marks.js";

const mm = 72 / 25.4;
const most = 2000; // pixels of a canvas' side

const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

class Sheet {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector("[data-sheet-stage]");
    this.stage.tabIndex = -1;
    this.canvas = root.querySelector("canvas");
    this.state = root.querySelector("[data-sheet-state]");
    this.text = root.querySelector("[data-sheet-text]");
    this.lock = root.querySelector("[data-sheet-lock]");
    this.tools = root.querySelector("[data-sheet-tools]");
    this.passwords = new Map(); // of locked files, by address, while the page is open
    this.file = root.querySelector("[data-sheet-file]");
    this.seen = root.querySelector("[data-sheet-seen]");
    this.page = 1;
    this.boxes = "places" in root.dataset ? new Boxes(this, root.closest("form")) : null;
    this.marks = "marks" in root.dataset ? new Marks(this) : null;
  }

  async open() {
    const { file } = this;
    const pdf = await import(this.root.dataset.pdf);
    pdf.GlobalWorkerOptions.workerSrc = this.root.dataset.worker;
    this.pdf = pdf;
    file.addEventListener?.("change", () => this.load(file.value));
    this.root.addEventListener("click", (event) => {
      const act = event.target.closest("[data-sheet-do]")?.dataset.sheetDo;
      if (act === "back") this.turn(this.page - 1);
      if (act === "next") this.turn(this.page + 1);
      if (act === "unlock") this.unlock();
      this.boxes?.act(act);
    });
    this.lock?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.type !== "password") return;
      event.preventDefault(); // it is no field of the form around it
      this.unlock();
    });
    await this.load(file.value);
  }

  async load(url) {
    this.task?.destroy();
    const task = (this.task = this.pdf.getDocument({ url, password: this.passwords.get(url), isEvalSupported: false, enableXfa: false, useWasm: false }));
    this.ask(null);
    task.onPassword = (answer, reason) => {
      if (task === this.task) this.ask(answer, url, reason === this.pdf.PasswordResponses.INCORRECT_PASSWORD);
    };
    const marked = this.marks?.load(url);
    try {
      const opened = await task.promise;
      await marked;
      if (task !== this.task) return;
      this.document = opened;
      const typed = this.lock?.contains(document.activeElement);
      this.ask(null);
      this.root.hidden = false;
      await this.turn((this.boxes?.used() && this.boxes.first()) || this.marks?.first() || 1);
      if (typed) (this.tools.querySelector("button:not([hidden])") ?? this.stage).focus(); // what had the focus is hidden
    } catch {
      if (task !== this.task) return; // another file was chosen
      this.ask(null);
      this.root.hidden = false;
      this.stage.hidden = true;
      this.boxes?.show(false);
      this.state.textContent = this.root.dataset.failed;
    }
  }

  // ask shows the field for the password of a locked file in place of its pages,
  // or, without an answer to give, the pages.
  ask(answer, url, wrong) {
    this.answer = answer;
    this.locked = url;
    const asks = Boolean(answer);
    if (wrong) this.passwords.delete(url);
    this.stage.hidden = asks;
    if (this.tools) this.tools.hidden = asks;
    this.boxes?.show(!asks);
    if (!this.lock) return;
    const input = this.lock.querySelector("[data-sheet-password]");
    const again = asks && Boolean(wrong);
    this.lock.hidden = !asks;
    this.lock.querySelector("[data-sheet-wrong]").hidden = !again;
    input.setAttribute("aria-invalid", String(again));
    input.setAttribute("aria-describedby", again ? "sheet-password-hint sheet-password-error" : "sheet-password-hint");
    input.value = "";
    if (!asks) return;
    this.text.textContent = "";
    delete this.root.dataset.ready;
    this.root.hidden = false;
    if (again) input.focus();
  }

  // unlock gives what was typed to pdf.js, and to nobody else.
  unlock() {
    const input = this.lock.querySelector("[data-sheet-password]");
    if (!this.answer || input.value === "") return input.focus();
    this.passwords.set(this.locked, input.value);
    this.answer(input.value);
  }

  // turn shows a page. Only the newest request is drawn.
  async turn(n) {
    const total = this.document.numPages;
    this.page = Math.min(Math.max(n, 1), total);
    this.tools?.querySelectorAll("button").forEach((b) => (b.hidden = total === 1));
    const turn = (this.turning = {});
    const page = await this.document.getPage(this.page);
    const size = page.getViewport({ scale: 1 });
    this.width = size.width / mm;
    this.height = size.height / mm;
    this.view = size;
    const wide = Math.max(this.stage.clientWidth, 280);
    const scale = Math.min((wide / size.width) * (globalThis.devicePixelRatio || 1), most / size.width, most / size.height);
    const view = page.getViewport({ scale });
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(view.width);
    canvas.height = Math.ceil(view.height);
    await page.render({ canvas, canvasContext: canvas.getContext("2d"), viewport: view }).promise;
    const content = await page.getTextContent();
    if (turn !== this.turning) return;
    canvas.setAttribute("role", "img");
    const label = fill(this.root.dataset.page, { n: this.page, total });
    canvas.setAttribute("aria-label", label);
    this.canvas.replaceWith(canvas);
    this.canvas = canvas;
    this.say(label);
    if (this.seen) this.seen.value = this.page;
    this.text.textContent = content.items.map((i) => i.str + (i.hasEOL ? "\n" : "")).join("");
    this.draw();
    this.root.dataset.ready = String(this.page);
  }

  draw() {
    this.boxes?.draw();
    this.marks?.draw();
  }

  say(text) {
    this.state.textContent = text;
  }
}

export const sheet = (root) => new Sheet(root).open();

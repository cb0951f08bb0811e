// revisions shows what was signed and what the file is now next to each other, page
// by page. The file never leaves the browser for that: an earlier revision is its
// beginning (ISO 32000-2 7.5.6), which the browser cuts off by itself. The list of
// changes on the page says the same in words.
import { each } from "./dom.js";

const most = 1600; // pixels of a canvas' side
const tile = 8; // pixels of what is compared at once
const near = 3; // tiles that still belong together
const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// The file that was sent last, with the password beside it.
const kept = { file: null, password: "" };

// keep remembers what a form sends; the page that answers takes its place.
const keep = (event) => {
  const field = event.target.querySelector?.("input[type=file][name=dokumen]");
  if (!field?.files.length) return;
  kept.file = field.files[0];
  kept.password = event.target.querySelector("[name=sandi]")?.value ?? "";
  opened.clear();
};

// hash is the SHA-256 of bytes, or nothing where the browser has none to offer.
const hash = async (bytes) => {
  if (!globalThis.crypto?.subtle) return undefined;
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...sum].map((b) => b.toString(16).padStart(2, "0")).join("");
};

// The documents that are open, by how much of the file they are.
const opened = new Map();

class Revisions {
  constructor(root) {
    this.root = root;
    this.state = root.querySelector("[data-rev-state]");
    this.words = root.querySelector("[data-rev-words]");
    this.sides = [...root.querySelectorAll("[data-rev-side]")];
    this.at = 0;
    root.hidden = false;
    const box = root.closest("details");
    const open = () => box.open && this.open();
    box.addEventListener("toggle", open);
    root.querySelector("[data-rev-file]").addEventListener("change", (event) => {
      kept.file = event.target.files[0] ?? null;
      opened.clear();
      this.open();
    });
    root.querySelector("[data-rev-unlock]").addEventListener("click", () => this.unlock());
    root.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("[data-rev-secret]")) this.unlock();
    });
    root.addEventListener("click", (event) => {
      const act = event.target.closest("[data-rev-do]")?.dataset.revDo;
      if (act === "back") this.turn(this.at - 1);
      if (act === "next") this.turn(this.at + 1);
    });
    open();
  }

  part(name, shown) {
    this.root.querySelector(`[data-rev-part=${name}]`).hidden = !shown;
  }

  say(text) {
    this.state.textContent = text;
  }

  async open() {
    if (this.documents) return;
    const { size, sha256, signed, pdf, worker } = this.root.dataset;
    try {
      this.part("choose", true);
      if (!kept.file) return this.say("");
      const bytes = new Uint8Array(await kept.file.arrayBuffer());
      const sum = await hash(bytes);
      if (bytes.length !== Number(size) || (sum && sum !== sha256)) return this.say(this.root.dataset.other);
      this.part("choose", false);
      this.pdf = await import(pdf);
      this.pdf.GlobalWorkerOptions.workerSrc = worker;
      this.documents = [await this.load(bytes, Number(signed)), await this.load(bytes, bytes.length)];
      this.part("pair", true);
      this.pages = this.which();
      await this.turn(0);
    } catch {
      this.documents = undefined;
      this.say(this.root.dataset.failed);
    }
  }

  // load opens the first bytes of the file. Nothing in it runs, and nothing is
  // fetched for it.
  load(bytes, end) {
    if (!opened.has(end)) {
      const task = this.pdf.getDocument({
        data: bytes.slice(0, end), password: kept.password, isEvalSupported: false, enableXfa: false, useWasm: false, maxImageSize: 64e6, verbosity: 0,
      });
      task.onPassword = (update) => {
        this.answer = update;
        this.part("password", true);
        this.say("");
        this.root.querySelector("[data-rev-secret]").focus();
      };
      opened.set(end, task.promise);
      task.promise.catch(() => opened.delete(end));
    }
    return opened.get(end);
  }

  unlock() {
    kept.password = this.root.querySelector("[data-rev-secret]").value;
    this.part("password", false);
    this.answer?.(kept.password);
  }

  // which pages are to be seen: those with changes, or all where a change has none.
  which() {
    const total = Math.max(...this.documents.map((d) => d.numPages));
    const named = this.root.dataset.pages.split(" ").map(Number).filter((n) => n >= 1 && n <= total);
    return named.length > 0 ? named : Array.from({ length: Math.min(total, 200) }, (_, i) => i + 1);
  }

  // turn shows one of the pages on both sides. Only the newest request is drawn.
  async turn(i) {
    this.at = Math.min(Math.max(i, 0), this.pages.length - 1);
    const n = this.pages[this.at];
    const turn = (this.turning = {});
    this.root.querySelectorAll("[data-rev-do]").forEach((b) => {
      b.hidden = this.pages.length < 2;
      b.disabled = b.dataset.revDo === "back" ? this.at === 0 : this.at === this.pages.length - 1;
    });
    const pages = await Promise.all(this.documents.map((d) => (n <= d.numPages ? d.getPage(n) : null)));
    const drawn = await Promise.all(pages.map((p) => p && this.draw(p)));
    const texts = await Promise.all(pages.map(async (p) => (p ? (await p.getTextContent()).items.map((t) => t.str.trim()).filter(Boolean) : [])));
    if (turn !== this.turning) return;
    const boxes = drawn.every(Boolean) ? differences(...drawn) : [];
    this.sides.forEach((side, k) => this.put(side, drawn[k], n, boxes));
    const many = drawn.every(Boolean) ? (boxes.length > 0 ? "differs" : "same") : "absent";
    this.say(fill(this.root.dataset[many], { n, places: boxes.length, i: this.at + 1, total: this.pages.length }));
    this.tell(texts);
    this.root.dataset.ready = String(n);
  }

  async draw(page) {
    const size = page.getViewport({ scale: 1 });
    const wide = Math.max(this.sides[0].clientWidth, 280) * (globalThis.devicePixelRatio || 1);
    const view = page.getViewport({ scale: Math.min(wide / size.width, most / size.width, most / size.height) });
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(view.width);
    canvas.height = Math.ceil(view.height);
    await page.render({ canvas, canvasContext: canvas.getContext("2d", { willReadFrequently: true }), viewport: view }).promise;
    return canvas;
  }

  put(side, canvas, n, boxes) {
    const stage = side.querySelector("[data-rev-stage]");
    const absent = side.querySelector("[data-rev-absent]");
    absent.hidden = canvas !== null;
    stage.hidden = canvas === null;
    if (!canvas) return stage.replaceChildren();
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", fill(side.dataset.label, { n }));
    outline(canvas, boxes);
    stage.replaceChildren(canvas);
  }

  // tell says in words which text went and which came, for those who see no canvas.
  tell([was, is]) {
    const less = (a, b) => {
      const left = [...b];
      return a.filter((s) => {
        const at = left.indexOf(s);
        if (at >= 0) left.splice(at, 1);
        return at < 0;
      });
    };
    const some = (list) => list.slice(0, 20).join(" · ").slice(0, 400);
    const gone = some(less(was, is));
    const come = some(less(is, was));
    this.words.textContent = [gone && fill(this.root.dataset.gone, { text: gone }), come && fill(this.root.dataset.come, { text: come })].filter(Boolean).join("\n");
  }
}

// differences finds the boxes in which two pictures differ; pictures of different
// sizes differ as a whole.
const differences = (a, b) => {
  if (a.width !== b.width || a.height !== b.height) return [[0, 0, Infinity, Infinity]];
  const { width, height } = a;
  const [p, q] = [a, b].map((c) => new Uint32Array(c.getContext("2d").getImageData(0, 0, width, height).data.buffer));
  const wide = Math.ceil(width / tile);
  const marks = new Set();
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (p[i] !== q[i]) marks.add(Math.floor(y / tile) * wide + Math.floor(x / tile));
    }
  }
  const boxes = [];
  while (marks.size > 0) {
    const [first] = marks;
    marks.delete(first);
    const [left, top] = [first % wide, Math.floor(first / wide)];
    const box = [left, top, left, top];
    const open = [[left, top]];
    while (open.length > 0) {
      const [x, y] = open.pop();
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
      for (let dy = -near; dy <= near; dy++) {
        for (let dx = -near; dx <= near; dx++) {
          if (x + dx < 0 || x + dx >= wide) continue;
          if (marks.delete((y + dy) * wide + x + dx)) open.push([x + dx, y + dy]);
        }
      }
    }
    boxes.push([box[0] * tile, box[1] * tile, (box[2] + 1) * tile, (box[3] + 1) * tile]);
  }
  return boxes;
};

// outline draws the boxes, dark on light so that they show on any page.
const outline = (canvas, boxes) => {
  const pen = canvas.getContext("2d");
  const line = Math.max(2, canvas.width / 300);
  for (const [left, top, right, bottom] of boxes) {
    const edge = [Math.max(left, line), Math.max(top, line), Math.min(right, canvas.width - line), Math.min(bottom, canvas.height - line)];
    for (const [width, colour] of [[line * 2.2, "#fff"], [line, "#a81d1a"]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.strokeRect(edge[0], edge[1], edge[2] - edge[0], edge[3] - edge[1]);
    }
  }
};

export const revisions = () => {
  const find = () => each(document, "[data-rev]", (root) => new Revisions(root));
  document.addEventListener("submit", keep, true);
  new MutationObserver(find).observe(document.querySelector("main"), { childList: true });
  find();
};

// sheet shows the pages of a PDF document and lets people put the visible
// signatures on them: by a click or tap, by dragging, or with the arrow keys.
// The fields of the form hold where they are, in millimetres from the upper left
// corner, so that the form says all of it without this script.
const mm = 72 / 25.4;
const most = 2000; // pixels of a canvas' side

const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const round = (n) => String(Math.round(n * 10) / 10);

// field reads and writes one value of a place of the form.
const field = (form, name, number) => form?.elements.namedItem(`${name}.${number}`);

const number = (input, otherwise) => {
  const n = Number.parseFloat((input?.value ?? "").replace(",", "."));
  return Number.isFinite(n) ? n : otherwise;
};

const choose = (form, name, n, value) => {
  const radios = field(form, name, n);
  if (!radios) return;
  radios.value = value;
  form.querySelectorAll(`[name="${CSS.escape(`${name}.${n}`)}"]`).forEach((r) => r.dispatchEvent(new Event("change", { bubbles: true })));
};

class Sheet {
  constructor(root) {
    this.root = root;
    this.form = root.closest("form");
    this.stage = root.querySelector("[data-sheet-stage]");
    this.canvas = root.querySelector("canvas");
    this.state = root.querySelector("[data-sheet-state]");
    this.text = root.querySelector("[data-sheet-text]");
    this.lock = root.querySelector("[data-sheet-lock]");
    this.tools = root.querySelector("[data-sheet-tools]");
    this.passwords = new Map(); // of locked files, by address, while the page is open
    this.page = 1;
    this.boxes = [];
  }

  async open() {
    const file = this.root.querySelector("[data-sheet-file]");
    const pdf = await import(this.root.dataset.pdf);
    pdf.GlobalWorkerOptions.workerSrc = this.root.dataset.worker;
    this.pdf = pdf;
    file.addEventListener?.("change", () => this.load(file.value));
    this.root.addEventListener("click", (event) => {
      const act = event.target.closest("[data-sheet-do]")?.dataset.sheetDo;
      if (act === "back") this.turn(this.page - 1);
      if (act === "next") this.turn(this.page + 1);
      if (act === "unlock") this.unlock();
    });
    this.lock?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.type !== "password") return;
      event.preventDefault(); // it is no field of the form around it
      this.unlock();
    });
    if ("places" in this.root.dataset) this.places();
    await this.load(file.value);
  }

  async load(url) {
    this.task?.destroy();
    const task = (this.task = this.pdf.getDocument({ url, password: this.passwords.get(url), isEvalSupported: false, enableXfa: false, useWasm: false }));
    this.ask(null);
    task.onPassword = (answer, reason) => {
      if (task === this.task) this.ask(answer, url, reason === this.pdf.PasswordResponses.INCORRECT_PASSWORD);
    };
    try {
      const opened = await task.promise;
      if (task !== this.task) return;
      this.document = opened;
      const typed = this.lock?.contains(document.activeElement);
      this.ask(null);
      this.root.hidden = false;
      const first = this.boxes[0] ? this.pageOf(this.boxes[0].n) : 1;
      await this.turn(first);
      if (typed) this.tools.querySelector("[data-sheet-do=next]").focus(); // what had the focus is hidden
    } catch {
      if (task !== this.task) return; // another file was chosen
      this.ask(null);
      this.root.hidden = false;
      this.stage.hidden = true;
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
    const turn = (this.turning = {});
    const page = await this.document.getPage(this.page);
    const size = page.getViewport({ scale: 1 });
    this.width = size.width / mm;
    this.height = size.height / mm;
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
    this.state.textContent = label;
    this.text.textContent = content.items.map((i) => i.str + (i.hasEOL ? "\n" : "")).join("");
    this.draw();
    this.root.dataset.ready = String(this.page);
  }

  // places makes a box for every place of the form.
  places() {
    const count = Number(this.form.elements.namedItem("jumlah")?.value ?? 1);
    for (let n = 1; n <= count; n++) {
      const box = document.createElement("button");
      box.type = "button";
      box.className = "sheet-box";
      box.textContent = fill(this.root.dataset.box, { n });
      box.setAttribute("aria-describedby", "sheet-help");
      box.addEventListener("keydown", (event) => this.key(event, n));
      box.addEventListener("pointerdown", (event) => this.drag(event, n));
      box.addEventListener("click", (event) => event.stopPropagation());
      this.stage.append(box);
      this.boxes.push({ n, box });
      for (const name of ["x", "y", "lebar", "tinggi", "halaman", "posisi"]) field(this.form, name, n)?.addEventListener("change", () => this.draw());
      this.form.querySelectorAll(`[name="cara.${n}"]`).forEach((r) => r.addEventListener("change", () => this.draw()));
    }
    this.current = 1;
    this.stage.addEventListener("click", (event) => {
      const at = this.point(event);
      const p = this.where(this.current);
      this.put(this.current, at.x - p.w / 2, at.y - p.h / 2);
    });
  }

  pageOf(n) {
    const value = field(this.form, "halaman", n)?.value;
    if (value === "awal") return 1;
    if (value === "akhir") return this.document.numPages;
    return Number(value) || 1;
  }

  // where is place n now, in millimetres, however the form says it.
  where(n) {
    const w = number(field(this.form, "lebar", n), 75);
    const h = number(field(this.form, "tinggi", n), 32);
    if (field(this.form, "cara", n)?.value !== "posisi") return { x: number(field(this.form, "x", n), 0), y: number(field(this.form, "y", n), 0), w, h };
    const [side, level] = (field(this.form, "posisi", n)?.value ?? "kanan_bawah").split("_");
    const edge = 15;
    const x = side === "kanan" ? this.width - w - edge : side === "kiri" ? edge : (this.width - w) / 2;
    return { x, y: level === "atas" ? edge : this.height - h - edge, w, h };
  }

  // put moves place n to a point of the page that is shown.
  put(n, x, y) {
    const { w, h } = this.where(n);
    field(this.form, "x", n).value = round(Math.min(Math.max(x, 0), Math.max(this.width - w, 0)));
    field(this.form, "y", n).value = round(Math.min(Math.max(y, 0), Math.max(this.height - h, 0)));
    choose(this.form, "cara", n, "koordinat");
    const page = field(this.form, "halaman", n);
    if (this.pageOf(n) !== this.page) {
      const value = this.page === this.document.numPages ? "akhir" : String(this.page);
      // The server does not know how many pages a locked file has.
      if (![...page.options].some((o) => o.value === value)) page.add(new Option(value, value));
      page.value = value;
    }
    this.draw();
    const p = this.where(n);
    this.state.textContent = fill(this.root.dataset.moved, { n, x: round(p.x), y: round(p.y), w: round(p.w), h: round(p.h) });
  }

  resize(n, by) {
    const { x, y, w, h } = this.where(n);
    field(this.form, "lebar", n).value = round(Math.min(Math.max(w + by, 20), this.width));
    field(this.form, "tinggi", n).value = round(Math.min(Math.max(h + (by * h) / w, 10), this.height));
    this.put(n, x, y);
  }

  key(event, n) {
    const step = event.shiftKey ? 10 : 1;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    this.current = n;
    if (event.key in moves) {
      const { x, y } = this.where(n);
      this.put(n, x + moves[event.key][0], y + moves[event.key][1]);
    } else if (event.key === "+" || event.key === "=") this.resize(n, 5);
    else if (event.key === "-") this.resize(n, -5);
    else return;
    event.preventDefault();
  }

  // point is where on the page an event was, in millimetres.
  point(event) {
    const r = this.canvas.getBoundingClientRect();
    return { x: ((event.clientX - r.left) / r.width) * this.width, y: ((event.clientY - r.top) / r.height) * this.height };
  }

  drag(event, n) {
    const box = event.currentTarget;
    const start = this.point(event);
    const { x, y } = this.where(n);
    this.current = n;
    box.setPointerCapture(event.pointerId);
    const move = (e) => {
      const at = this.point(e);
      this.put(n, x + at.x - start.x, y + at.y - start.y);
    };
    box.addEventListener("pointermove", move);
    const end = () => box.removeEventListener("pointermove", move);
    box.addEventListener("pointerup", end, { once: true });
    box.addEventListener("pointercancel", end, { once: true });
  }

  draw() {
    for (const { n, box } of this.boxes) {
      const here = this.pageOf(n) === this.page && field(this.form, "cara", n)?.value !== "jangkar";
      box.hidden = !here;
      if (!here) continue;
      const p = this.where(n);
      box.style.left = `${(p.x / this.width) * 100}%`;
      box.style.top = `${(p.y / this.height) * 100}%`;
      box.style.width = `${(p.w / this.width) * 100}%`;
      box.style.height = `${(p.h / this.height) * 100}%`;
    }
  }
}

export const sheet = (root) => new Sheet(root).open();

// Boxes are the places of a form on the page that is shown, of one signer or of
// many: a click or tap puts one there, dragging, the arrow keys and buttons move it
// and change its size. The fields of the form hold where they are, in millimetres
// from the upper left corner, so that the form says all of it without this script.
// A place is an element with data-spot, its number: mark and label say whose it is,
// mode names the field that says whether it is visible.
const least = { w: 20, h: 10 }; // millimetres
const grip = 20; // pixels of the corner that changes the size

const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const round = (n) => String(Math.round(n * 10) / 10);
const clamp = (n, low, high) => Math.min(Math.max(n, low), Math.max(high, low));

const number = (input, otherwise) => {
  const n = Number.parseFloat((input?.value ?? "").replace(",", "."));
  return Number.isFinite(n) ? n : otherwise;
};

export class Boxes {
  constructor(sheet, form) {
    this.sheet = sheet;
    this.form = form;
    this.tools = sheet.root.querySelector("[data-sheet-moves]");
    this.which = sheet.root.querySelector("[data-sheet-box]");
    this.list = [...form.querySelectorAll("[data-spot]")].map((e) => this.box(e));
    this.current = this.list.find((b) => b.n === sheet.root.dataset.current) ?? this.list[0];
    form.addEventListener("change", () => this.draw());
    sheet.stage.addEventListener("click", (event) => {
      if (!this.used()) return;
      const at = this.point(event);
      const p = this.where(this.current);
      this.put(this.current, at.x - p.w / 2, at.y - p.h / 2);
    });
    this.which.addEventListener("change", () => {
      this.choose(this.list[this.which.selectedIndex]);
      this.sheet.turn(this.pageOf(this.current));
    });
    this.which.append(...this.list.map((b) => new Option(`${b.mark} ${b.label}`)));
    sheet.root.querySelector("[data-sheet-which]").hidden = this.list.length < 2;
  }

  // box makes that of a place.
  box(spot) {
    const { spot: n, mark, label, mode } = spot.dataset;
    const e = document.createElement("button");
    const b = { n, mark, label, mode, e };
    e.type = "button";
    e.className = "sheet-box";
    e.dataset.look = String(Number(mark) % 4);
    const head = document.createElement("b");
    head.textContent = mark;
    e.append(head, ` ${label}`);
    e.setAttribute("aria-describedby", "sheet-help");
    e.addEventListener("keydown", (event) => this.key(event, b));
    e.addEventListener("pointerdown", (event) => this.drag(event, b));
    e.addEventListener("click", (event) => event.stopPropagation());
    e.addEventListener("focus", () => this.choose(b));
    this.sheet.stage.append(e);
    return b;
  }

  field(b, name) {
    return this.form.elements.namedItem(`${name}.${b.n}`);
  }

  // set says a choice of a place and tells the form, which shows what belongs to it.
  set(name, value) {
    const radios = this.form.elements.namedItem(name);
    if (!radios || radios.value === value) return;
    radios.value = value;
    this.form.querySelector(`[name="${CSS.escape(name)}"]:checked`)?.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // used tells whether the boxes are for the document that is shown.
  used() {
    return this.list.length > 0 && !("fixed" in (this.sheet.file.selectedOptions?.[0]?.dataset ?? {}));
  }

  first() {
    return this.pageOf(this.current);
  }

  show(on) {
    this.tools.hidden = !on || !this.used();
  }

  choose(b) {
    this.current = b;
    this.which.selectedIndex = this.list.indexOf(b);
    for (const other of this.list) other.e.toggleAttribute("data-current", other === b && this.list.length > 1);
  }

  act(what) {
    const b = this.current;
    if (what === "smaller") this.resize(b, -5);
    if (what === "larger") this.resize(b, 5);
    if (what !== "here") return;
    const { x, y } = this.where(b);
    this.put(b, x, y);
    b.e.focus();
  }

  pageOf(b) {
    const value = this.field(b, "halaman")?.value;
    if (value === "awal") return 1;
    if (value === "akhir") return this.sheet.document.numPages;
    return Number(value) || 1;
  }

  // where is a place now, in millimetres, however the form says it.
  where(b) {
    const { width, height } = this.sheet;
    const w = number(this.field(b, "lebar"), 75);
    const h = number(this.field(b, "tinggi"), 32);
    if (this.field(b, "cara")?.value !== "posisi") return { x: number(this.field(b, "x"), 0), y: number(this.field(b, "y"), 0), w, h };
    const [side, level] = (this.field(b, "posisi")?.value ?? "kanan_bawah").split("_");
    const edge = 15;
    const x = side === "kanan" ? width - w - edge : side === "kiri" ? edge : (width - w) / 2;
    return { x, y: level === "atas" ? edge : height - h - edge, w, h };
  }

  // put moves a place to a point of the page that is shown.
  put(b, x, y) {
    const { width, height, page } = this.sheet;
    const { w, h } = this.where(b);
    this.field(b, "x").value = round(clamp(x, 0, width - w));
    this.field(b, "y").value = round(clamp(y, 0, height - h));
    this.set(`cara.${b.n}`, "koordinat");
    this.set(b.mode, "terlihat");
    if (this.pageOf(b) !== page) this.paged(b, page);
    this.choose(b);
    this.draw();
    const p = this.where(b);
    this.sheet.say(fill(this.sheet.root.dataset.moved, { label: b.label, x: round(p.x), y: round(p.y), w: round(p.w), h: round(p.h) }));
  }

  paged(b, page) {
    const select = this.field(b, "halaman");
    const value = page === this.sheet.document.numPages ? "akhir" : String(page);
    // The server does not know how many pages a locked file has.
    if (![...select.options].some((o) => o.value === value)) select.add(new Option(value, value));
    select.value = value;
  }

  // carry takes a place to another page, which is then shown.
  async carry(b, by) {
    const page = clamp(this.sheet.page + by, 1, this.sheet.document.numPages);
    if (page === this.sheet.page) return;
    const { x, y } = this.where(b);
    this.paged(b, page);
    await this.sheet.turn(page);
    this.put(b, x, y);
    b.e.focus();
  }

  sized(b, w, h) {
    const { x, y } = this.where(b);
    this.field(b, "lebar").value = round(clamp(w, least.w, this.sheet.width));
    this.field(b, "tinggi").value = round(clamp(h, least.h, this.sheet.height));
    this.put(b, x, y);
  }

  resize(b, by) {
    const { w, h } = this.where(b);
    this.sized(b, w + by, h + (by * h) / w);
  }

  key(event, b) {
    const step = event.shiftKey ? 10 : 1;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key in moves) {
      const { x, y } = this.where(b);
      this.put(b, x + moves[event.key][0], y + moves[event.key][1]);
    } else if (event.key === "+" || event.key === "=") this.resize(b, 5);
    else if (event.key === "-") this.resize(b, -5);
    else if (event.key === "PageDown") this.carry(b, 1);
    else if (event.key === "PageUp") this.carry(b, -1);
    else return;
    event.preventDefault();
  }

  // point is where on the page an event was, in millimetres.
  point(event) {
    const r = this.sheet.canvas.getBoundingClientRect();
    return { x: ((event.clientX - r.left) / r.width) * this.sheet.width, y: ((event.clientY - r.top) / r.height) * this.sheet.height };
  }

  // drag moves a box, or changes its size where it was taken at its corner.
  drag(event, b) {
    const start = this.point(event);
    const { x, y, w, h } = this.where(b);
    const r = b.e.getBoundingClientRect();
    const corner = Math.min(grip, r.width / 3, r.height / 3);
    const sizes = event.clientX > r.right - corner && event.clientY > r.bottom - corner;
    this.choose(b);
    b.e.setPointerCapture(event.pointerId);
    const move = (e) => {
      const at = this.point(e);
      const [dx, dy] = [at.x - start.x, at.y - start.y];
      if (sizes) this.sized(b, Math.min(w + dx, this.sheet.width - x), Math.min(h + dy, this.sheet.height - y));
      else if (dx || dy) this.put(b, x + dx, y + dy);
    };
    b.e.addEventListener("pointermove", move);
    const end = () => b.e.removeEventListener("pointermove", move);
    b.e.addEventListener("pointerup", end, { once: true });
    b.e.addEventListener("pointercancel", end, { once: true });
  }

  // draw shows the boxes of this page.
  draw() {
    const { width, height, page } = this.sheet;
    if (!width) return; // nothing is shown yet
    for (const b of this.list) {
      const shown = this.form.elements.namedItem(b.mode)?.value === "terlihat";
      b.e.hidden = !this.used() || !shown || this.pageOf(b) !== page || this.field(b, "cara")?.value === "jangkar";
      if (b.e.hidden) continue;
      const p = this.where(b);
      b.e.style.left = `${(p.x / width) * 100}%`;
      b.e.style.top = `${(p.y / height) * 100}%`;
      b.e.style.width = `${(p.w / width) * 100}%`;
      b.e.style.height = `${(p.h / height) * 100}%`;
    }
  }
}

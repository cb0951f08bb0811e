// Marks are the places that the sender of a document gave to its signers, on the
// page that is shown. They are looked at and not moved.
export class Marks {
  constructor(sheet) {
    this.sheet = sheet;
    this.list = [];
    this.drawn = [];
  }

  async load(file) {
    this.list = [];
    try {
      const answer = await fetch(file.replace(/\/unduh$/, "/tempat"), { headers: { Accept: "application/json" } });
      if (answer.ok) this.list = await answer.json();
    } catch {
      // The places are said in words as well.
    }
  }

  // first is the page on which the viewer signs first.
  first() {
    return (this.list.find((m) => m.mine) ?? this.list[0])?.page;
  }

  draw() {
    const { page, view, stage } = this.sheet;
    this.drawn.forEach((e) => e.remove());
    this.drawn = this.list
      .filter((m) => m.page === page)
      .map((m) => {
        const [x1, y1, x2, y2] = view.convertToViewportRectangle(m.rect);
        const mark = document.createElement("div");
        mark.className = m.mine ? "sheet-mark sheet-mark-mine" : "sheet-mark";
        mark.dataset.look = String(Number(m.mark) % 4);
        const number = document.createElement("b");
        number.textContent = m.mark;
        mark.append(number, ` ${m.label}`);
        mark.style.left = `${(Math.min(x1, x2) / view.width) * 100}%`;
        mark.style.top = `${(Math.min(y1, y2) / view.height) * 100}%`;
        mark.style.width = `${(Math.abs(x2 - x1) / view.width) * 100}%`;
        mark.style.height = `${(Math.abs(y2 - y1) / view.height) * 100}%`;
        stage.append(mark);
        return mark;
      });
  }
}

import { each, text } from "./dom.js";

// A crop is four insets in percent of the turned image: top, right, bottom, left.
const none = () => ({ top: 0, right: 0, bottom: 0, left: 0 });
const least = 10; // percent that stay visible

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export const cropper = (root) =>
  each(root, "[data-crop]", (box) => {
    const field = box.closest("[data-file]");
    const input = field.querySelector("input[type=file]");
    const canvas = box.querySelector("[data-crop-canvas]");
    const edges = [...box.querySelectorAll("[data-crop-edge]")];
    const out = Object.fromEntries([...field.querySelectorAll("[data-crop-out]")].map((e) => [e.dataset.cropOut, e]));
    let bitmap = null;
    let turn = 0;
    let crop = none();

    const turned = () => (turn % 180 === 0 ? [bitmap.width, bitmap.height] : [bitmap.height, bitmap.width]);

    const draw = () => {
      const [w, h] = turned();
      const scale = Math.min(1, 960 / Math.max(w, h));
      canvas.width = Math.round(w * scale);
      canvas.height = Math.round(h * scale);
      const c = canvas.getContext("2d");
      c.save();
      c.translate(canvas.width / 2, canvas.height / 2);
      c.rotate((turn * Math.PI) / 180);
      c.scale(scale, scale);
      c.drawImage(bitmap, -bitmap.width / 2, -bitmap.height / 2);
      c.restore();
      const x = (crop.left / 100) * canvas.width;
      const y = (crop.top / 100) * canvas.height;
      const cw = canvas.width - x - (crop.right / 100) * canvas.width;
      const ch = canvas.height - y - (crop.bottom / 100) * canvas.height;
      c.fillStyle = "rgb(10 16 24 / 62%)";
      c.beginPath();
      c.rect(0, 0, canvas.width, canvas.height);
      c.rect(x, y, cw, ch);
      c.fill("evenodd");
      c.lineWidth = Math.max(2, canvas.width / 240);
      c.strokeStyle = "#ffbf3f";
      c.strokeRect(x + 1, y + 1, cw - 2, ch - 2);
      const k = Math.max(8, canvas.width / 50);
      c.fillStyle = "#ffbf3f";
      for (const [px, py] of [[x, y], [x + cw - k, y], [x, y + ch - k], [x + cw - k, y + ch - k]]) c.fillRect(px, py, k, k);
    };

    const publish = () => {
      for (const edge of edges) edge.value = String(Math.round(crop[edge.dataset.cropEdge]));
      out.rotate.value = String(turn);
      out.x.value = (crop.left / 100).toFixed(4);
      out.y.value = (crop.top / 100).toFixed(4);
      out.w.value = ((100 - crop.left - crop.right) / 100).toFixed(4);
      out.h.value = ((100 - crop.top - crop.bottom) / 100).toFixed(4);
      if (bitmap) draw();
    };

    const set = (edge, value) => {
      const opposite = { top: "bottom", bottom: "top", left: "right", right: "left" }[edge];
      crop[edge] = clamp(value, 0, 100 - least - crop[opposite]);
    };

    input.addEventListener("change", async () => {
      const file = input.files[0];
      bitmap?.close();
      bitmap = null;
      turn = 0;
      crop = none();
      box.hidden = true;
      publish();
      if (!file || !file.type.startsWith("image/")) return;
      try {
        bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
      } catch {
        const state = field.querySelector("[data-file-state]");
        state.dataset.bad = "";
        state.textContent = text("unreadable");
        return;
      }
      box.hidden = false;
      publish();
    });

    for (const edge of edges)
      edge.addEventListener("input", () => {
        set(edge.dataset.cropEdge, Number(edge.value));
        publish();
      });

    box.addEventListener("click", (event) => {
      const what = event.target.closest("[data-crop-do]")?.dataset.cropDo;
      if (!what) return;
      const { top, right, bottom, left } = crop;
      if (what === "right") [turn, crop] = [(turn + 90) % 360, { top: left, right: top, bottom: right, left: bottom }];
      if (what === "left") [turn, crop] = [(turn + 270) % 360, { top: right, right: bottom, bottom: left, left: top }];
      if (what === "reset") [turn, crop] = [0, none()];
      publish();
    });

    let dragged = null;
    const at = (event) => {
      const r = canvas.getBoundingClientRect();
      return [((event.clientX - r.left) / r.width) * 100, ((event.clientY - r.top) / r.height) * 100];
    };
    canvas.addEventListener("pointerdown", (event) => {
      const [x, y] = at(event);
      // The nearer edge of each direction follows the pointer.
      dragged = [
        Math.abs(x - crop.left) < Math.abs(100 - crop.right - x) ? "left" : "right",
        Math.abs(y - crop.top) < Math.abs(100 - crop.bottom - y) ? "top" : "bottom",
      ];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!dragged) return;
      const [x, y] = at(event);
      set(dragged[0], dragged[0] === "left" ? x : 100 - x);
      set(dragged[1], dragged[1] === "top" ? y : 100 - y);
      publish();
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (dragged = null));
  });

import { each } from "./dom.js";

const steps = [1, 1.5, 2, 3, 4, 6];

export const viewer = (root) =>
  each(root, "[data-viewer]", (figure) => {
    const tools = figure.querySelector("[data-viewer-tools]");
    const stage = figure.querySelector("[data-viewer-stage]");
    const image = stage?.querySelector("img");
    if (!tools || !image) return;
    let step = 0;
    let turn = 0;
    let base = null; // the image's size when it fits the frame

    const apply = () => {
      figure.toggleAttribute("data-zoomed", step > 0 || turn % 180 !== 0);
      base ??= [image.clientWidth, image.clientHeight];
      const [w, h] = base;
      const scale = steps[step];
      if (step === 0 && turn === 0) {
        image.style.cssText = "";
        return;
      }
      // Turned on its side the image keeps its box, so margins make room for it.
      const side = turn % 180 !== 0 ? ((w - h) * scale) / 2 : 0;
      image.style.cssText = `width:${w * scale}px;height:${h * scale}px;transform:rotate(${turn}deg);margin:${side}px ${-side}px`;
    };
    const act = {
      in: () => (step = Math.min(step + 1, steps.length - 1)),
      out: () => (step = Math.max(step - 1, 0)),
      left: () => (turn = (turn + 270) % 360),
      right: () => (turn = (turn + 90) % 360),
      reset: () => ([step, turn] = [0, 0]),
    };
    tools.hidden = false;
    tools.addEventListener("click", (event) => {
      const what = event.target.closest("[data-viewer-do]")?.dataset.viewerDo;
      if (!what) return;
      act[what]();
      apply();
    });
    stage.tabIndex = 0;
    stage.setAttribute("role", "group");
    stage.setAttribute("aria-label", image.alt);
    stage.addEventListener("keydown", (event) => {
      const what = { "+": "in", "=": "in", "-": "out", r: "right", l: "left", 0: "reset" }[event.key];
      if (!what || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act[what]();
      apply();
    });
    // Dragging moves the enlarged image; the scroll bars and keys do the same.
    let from = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0 || !figure.hasAttribute("data-zoomed")) return;
      from = [event.clientX + stage.scrollLeft, event.clientY + stage.scrollTop];
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      if (from) stage.scrollTo(from[0] - event.clientX, from[1] - event.clientY);
    });
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => (from = null));
    const link = stage.querySelector("[data-viewer-link]");
    link.draggable = image.draggable = false;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in a new tab or window
      event.preventDefault();
      step = step === 0 ? 2 : 0;
      apply();
    });
  });

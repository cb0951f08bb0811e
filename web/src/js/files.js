import { each } from "./dom.js";
import { upload } from "./upload.js";

const size = (bytes) =>
  new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 }).format(
    bytes < 1e6 ? Math.max(1, Math.round(bytes / 1000)) : bytes / 1e6,
  ) + (bytes < 1e6 ? " KB" : " MB");

const field = (root) => {
  const input = root.querySelector("input[type=file]");
  const state = root.querySelector("[data-file-state]");
  const drop = root.querySelector("[data-file-drop]");
  input.addEventListener("change", () => {
    const list = [...input.files];
    state.textContent = "";
    delete state.dataset.bad;
    input.setCustomValidity("");
    if (list.length === 0) return;
    if (input.dataset.max && list.some((file) => file.size > Number(input.dataset.max))) {
      state.dataset.bad = "";
      state.textContent = input.dataset.toobig;
      input.setCustomValidity(input.dataset.toobig);
      return;
    }
    state.textContent = list.map((file) => `${file.name} · ${size(file.size)}`).join("; ");
  });
  const over = (on) => (event) => {
    event.preventDefault();
    drop.toggleAttribute("data-over", on);
  };
  drop.addEventListener("dragover", over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files.length < 1 || (event.dataTransfer.files.length > 1 && !input.multiple)) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
};

export const files = (root, enhance) => {
  each(root, "[data-file]", field);
  upload(root, enhance);
};

import { each, text, toast } from "./dom.js";
import { busy, idle } from "./forms.js";

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

// show puts the page that answered into this one. Where the answer was a
// redirect, the request has followed it already and taken the message that
// waited for the next page; loading that page again would lose it.
const show = (request, to, enhance) => {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const main = page.querySelector("main");
  if (!main) return location.assign(to.href);
  if (to.href !== location.href) {
    history.pushState(null, "", to.href);
    addEventListener("popstate", () => location.reload(), { once: true });
  }
  document.title = page.title;
  const here = document.querySelector("main");
  here.replaceChildren(...main.childNodes);
  enhance(here);
  scrollTo(0, 0);
  here.focus({ preventScroll: true });
};

const upload = (form, enhance) =>
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    const bad = [...form.querySelectorAll("input[type=file]")].find((i) => i.validationMessage && i.validity.customError);
    if (bad) {
      event.preventDefault();
      idle(form);
      bad.focus();
      return;
    }
    const hasFile = [...form.querySelectorAll("input[type=file]")].some((i) => i.files.length > 0);
    if (!hasFile) return;
    event.preventDefault();
    const button = event.submitter;
    const url = button?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href;
    const box = document.createElement("div");
    box.className = "upload";
    const label = document.createElement("span");
    label.setAttribute("role", "status");
    label.textContent = text("uploading");
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", text("uploading"));
    box.append(label, bar);
    form.append(box);
    busy(form, button);

    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.addEventListener("progress", (e) => {
      if (e.lengthComputable) bar.value = e.loaded / e.total;
    });
    request.addEventListener("load", () => {
      show(request, new URL(request.responseURL || url, location.href), enhance);
    });
    request.addEventListener("error", () => {
      box.remove();
      idle(form);
      toast(text("offline"));
    });
    request.send(new FormData(form, button));
  });

export const files = (root, enhance) => {
  each(root, "[data-file]", field);
  each(root, "form[data-upload]", (form) => upload(form, enhance));
};

import { each, text } from "./dom.js";

// busy marks the button that sent the form, so that a second click does nothing.
// The button stays enabled: a disabled one would take its name and value with it.
export const busy = (form, button) => {
  form.dataset.sent = "";
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  const label = button.querySelector("span:not(.vh)");
  if (label && text("sending")) {
    button.dataset.label = label.textContent;
    label.textContent = text("sending");
  }
};

export const idle = (form) => {
  delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy][data-label]")) {
    if (button.form !== form) continue;
    button.removeAttribute("aria-busy");
    button.querySelector("span:not(.vh)").textContent = button.dataset.label;
    delete button.dataset.label;
  }
};

const once = (form) =>
  form.addEventListener("submit", (event) => {
    if ("sent" in form.dataset) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    busy(form, event.submitter);
  });

// A page that comes back from the browser's cache can be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(idle);
});

const guard = (form) => {
  let dirty = false;
  form.addEventListener("input", () => (dirty = true));
  form.addEventListener("submit", () => (dirty = false));
  addEventListener("beforeunload", (event) => {
    if (dirty && form.isConnected) event.preventDefault();
  });
};

// A question that belongs to one answer shows only with that answer.
const reveals = (input) => {
  const body = document.getElementById(input.dataset.reveals);
  const show = () => (body.hidden = !input.checked);
  const group = input.type === "radio" ? `input[type=radio][name="${CSS.escape(input.name)}"]` : null;
  const watched = group ? (input.form ?? document).querySelectorAll(group) : [input];
  watched.forEach((each) => each.addEventListener("change", show));
  show();
};

const autosubmit = (input) => input.addEventListener("change", () => input.form.requestSubmit());

// data-scroll-end: the control waits until the element with that id was read to its end.
const scrollEnd = (control) => {
  const reader = document.getElementById(control.dataset.scrollEnd);
  if (!reader) return;
  const look = () => {
    if (reader.scrollTop + reader.clientHeight < reader.scrollHeight - 8) return;
    control.disabled = false;
    reader.removeEventListener("scroll", look);
  };
  control.disabled = true;
  reader.addEventListener("scroll", look, { passive: true });
  look();
};

export const forms = (root) => {
  each(root, "form[data-once]", once);
  each(root, "form[data-guard]", guard);
  each(root, "[data-reveals]", reveals);
  each(root, "[data-autosubmit]", autosubmit);
  each(root, "[data-scroll-end]", scrollEnd);
  // Searching with an empty field leaves it out of the address.
  each(root, "form[data-filter]", (form) =>
    form.addEventListener("formdata", (event) => {
      for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
    }),
  );
  // A status that is there when the page comes is not read out; what has the focus is.
  each(root, "[data-news]", (news) => {
    if (!location.hash && !document.querySelector("[autofocus]")) news.focus({ preventScroll: true });
  });
  each(root, "[data-errors]", (summary) => {
    summary.focus();
    summary.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      const field = link && document.getElementById(link.getAttribute("href").slice(1));
      if (!field) return;
      event.preventDefault();
      field.focus({ preventScroll: true });
      (field.closest(".field") ?? field).scrollIntoView({ block: "start" });
    });
  });
};

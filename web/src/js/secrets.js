import { each, text, useIcon } from "./dom.js";

export const secrets = (root) => {
  each(root, "[data-reveal]", (button) => {
    const input = document.getElementById(button.dataset.reveal);
    const show = (on) => {
      input.type = on ? "text" : "password";
      button.setAttribute("aria-pressed", String(on));
      button.setAttribute("aria-label", on ? text("hide") : text("show"));
      useIcon(button, on ? "eye-slash" : "eye");
    };
    button.hidden = false;
    button.addEventListener("click", () => show(input.type === "password"));
    // Browsers remember what was typed into fields of type text.
    input.form?.addEventListener("submit", () => show(false));
  });
  each(root, "p[data-capslock]", (hint) => {
    const input = document.getElementById(hint.dataset.capslock);
    const look = (event) => {
      const on = event.type !== "blur" && event.getModifierState?.("CapsLock");
      const say = on ? text("capslock") : "";
      if (hint.textContent !== say) hint.textContent = say;
    };
    for (const kind of ["keydown", "keyup", "blur"]) input.addEventListener(kind, look);
  });
};

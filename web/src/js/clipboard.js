import { each, text, toast } from "./dom.js";

export const clipboard = (root) =>
  each(root, "[data-copy]", (button) => {
    if (!navigator.clipboard) return; // not on plain http
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      toast(text("copied"));
    });
  });

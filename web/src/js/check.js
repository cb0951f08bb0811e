import { each } from "./dom.js";

// keys lets an officer judge with one key a field, and goes on to the next open
// one. They count while the focus is on a choice and nowhere else (WCAG 2.1.4).
const keys = (hint) => {
  const form = hint.closest("form");
  const [yes, no] = hint.dataset.keys.split(" ");
  const choice = "input[type=radio][value=accept]";
  const next = (after) => {
    const all = [...form.querySelectorAll(".compare")].filter((g) => g.querySelector(choice));
    const at = all.indexOf(after) + 1;
    const open = [...all.slice(at), ...all.slice(0, at)].find((g) => !g.querySelector("input[type=radio]:checked"));
    (open?.querySelector(choice) ?? form.querySelector(".buttons button"))?.focus();
  };
  form.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.altKey || event.metaKey || (key !== yes && key !== no)) return;
    const group = event.target.type === "radio" && event.target.closest(".compare");
    if (!group) return;
    event.preventDefault();
    group.querySelector(key === yes ? choice : "input[type=radio][value=reject]").click();
    if (key === yes) next(group);
    else group.querySelector("select")?.focus();
  });
  hint.hidden = false;
  // No element has this name: where one has, the browser takes the focus there once more.
  if (location.hash !== "#mulai") return;
  hint.scrollIntoView();
  next(null);
};

export const check = (root) => each(root, "[data-keys]", keys);

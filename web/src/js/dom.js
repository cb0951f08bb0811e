const prepared = new WeakMap();

// each calls prepare for every element below root that matches and was not
// prepared under this selector before.
export const each = (root, selector, prepare) => {
  const found = [...root.querySelectorAll(selector)];
  if (root instanceof Element && root.matches(selector)) found.unshift(root);
  for (const element of found) {
    const done = prepared.get(element) ?? new Set();
    if (done.has(selector)) continue;
    prepared.set(element, done.add(selector));
    prepare(element);
  }
};

export const text = (name) => document.getElementById("ui-texts")?.dataset[name] ?? "";

// toast says something that needs no answer, to eyes and to screen readers.
export const toast = (message) => {
  const list = document.querySelector("[data-toasts]");
  if (!list || message === "") return;
  const item = document.createElement("p");
  item.className = "toast";
  item.textContent = message;
  list.replaceChildren(item);
  setTimeout(() => item.remove(), 5000);
};

export const useIcon = (element, name) => {
  const use = element.querySelector("use");
  if (use) use.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#" + name));
};

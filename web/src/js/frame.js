const year = 60 * 60 * 24 * 400;

const theme = () => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-toggle]");
    if (!button) return;
    event.preventDefault();
    const now = root.dataset.theme === "auto" ? (dark.matches ? "dark" : "light") : root.dataset.theme;
    const next = now === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `absah_theme=${next}; path=/; max-age=${year}; samesite=lax${secure}`;
  });
};

// The menu on phones: the link to #menu opens it without this, too; here it also
// keeps the focus inside and closes with Escape.
const menu = () => {
  const side = document.getElementById("menu");
  const opener = document.querySelector("[data-menu-open]");
  if (!side || !opener) return;
  const here = side.querySelector("[aria-current]");
  // Whose list is longer than the window sees where he is.
  if (here && here.offsetTop + here.offsetHeight > side.clientHeight) side.scrollTop = here.offsetTop - side.clientHeight / 2;
  const small = matchMedia("(max-width: 63.99rem)");
  const rest = () => document.querySelectorAll(".top, .page, .skip");
  const isOpen = () => document.body.dataset.menu === "open";
  opener.setAttribute("role", "button");
  opener.setAttribute("aria-expanded", "false");

  const open = () => {
    document.body.dataset.menu = "open";
    opener.setAttribute("aria-expanded", "true");
    rest().forEach((e) => (e.inert = true));
    side.querySelector("[data-menu-close]").focus();
  };
  const close = () => {
    if (!isOpen()) return;
    delete document.body.dataset.menu;
    opener.setAttribute("aria-expanded", "false");
    rest().forEach((e) => (e.inert = false));
    opener.focus();
  };
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    open();
  });
  opener.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    open();
  });
  document.querySelectorAll("[data-menu-close]").forEach((link) =>
    link.addEventListener("click", (event) => {
      if (!isOpen()) return;
      event.preventDefault();
      close();
    }),
  );
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  small.addEventListener("change", () => !small.matches && close());
};

// Menus that open below their summary close again by Escape or a click elsewhere.
const popovers = () => {
  const opened = () => document.querySelectorAll("details[data-popover][open]");
  document.addEventListener("click", (event) => {
    for (const d of opened()) if (!d.contains(event.target)) d.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const d of opened()) {
      d.open = false;
      d.querySelector("summary").focus();
    }
  });
};

export const frame = () => {
  theme();
  menu();
  popovers();
};

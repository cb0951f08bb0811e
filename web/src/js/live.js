import { each, text, toast } from "./dom.js";

const pollEvery = 30_000;

// live keeps an element as the server has it. The stream only says that
// something changed; the page itself is asked what.
export const live = (root, enhance) =>
  each(root, "[data-live]", (element) => {
    const id = element.id;
    let poll = 0;
    let told = false;

    const put = (nodes) => {
      const here = document.getElementById(id);
      if (!here) return;
      const focused = here.contains(document.activeElement) ? document.activeElement.id : "";
      here.replaceChildren(...nodes);
      here.classList.remove("live-new");
      void here.offsetWidth; // starts the animation again
      here.classList.add("live-new");
      enhance(here);
      if (focused) document.getElementById(focused)?.focus();
      toast(here.querySelector("[data-announce]")?.dataset.announce ?? text("updated"));
    };

    const refresh = async () => {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
        // A redirect means that the session has ended or the thing has moved on.
        if (answer.redirected) return location.assign(answer.url);
        if (!answer.ok) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(id);
        const here = document.getElementById(id);
        if (fresh && here && fresh.textContent !== here.textContent) put(fresh.childNodes);
      } catch {
        // offline: the next event or poll tries again
      }
    };

    const open = () => {
      const stream = new EventSource(element.dataset.live);
      stream.addEventListener("refresh", refresh);
      stream.addEventListener("swap", (event) => {
        const page = new DOMParser().parseFromString(event.data, "text/html");
        put(page.body.childNodes);
      });
      stream.addEventListener("open", () => {
        clearInterval(poll);
        poll = 0;
        if (told) refresh(); // what was missed meanwhile
        told = false;
      });
      stream.addEventListener("error", () => {
        if (!told && document.visibilityState === "visible" && !navigator.onLine) toast(text("offline"));
        told = true;
        if (stream.readyState === EventSource.CLOSED && !poll) poll = setInterval(refresh, pollEvery);
      });
      return stream;
    };

    let stream = open();
    // A page in the background holds no connection; coming back it looks at once.
    addEventListener("pagehide", () => stream.close());
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      stream = open();
      refresh();
    });
  });

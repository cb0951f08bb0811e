// A form with files is sent with a bar that says how far it is. Where its field
// says so (data-each), every file goes by itself: what has arrived stays, and after
// a broken line the others go on from there.
import { each, text } from "./dom.js";
import { busy, idle } from "./forms.js";

const pauses = [1000, 4000, 10000]; // milliseconds before a file is tried again
const percent = (part) => new Intl.NumberFormat(document.documentElement.lang, { style: "percent" }).format(part);
const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

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

// panel says below the form how far the sending is.
const panel = (form) => {
  form.querySelector(".upload")?.remove();
  const box = document.createElement("div");
  box.className = "upload";
  const label = document.createElement("span");
  label.setAttribute("role", "status");
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", text("uploading"));
  const refused = document.createElement("ul"); // files that were not taken, and why
  box.append(label, bar, refused);
  form.append(box);
  return {
    say: (words) => (label.textContent = words),
    // part is what has been sent, of 1; the server reads the file after that.
    sent(part, what) {
      bar.hidden = false;
      if (part < 1) bar.value = part;
      else bar.removeAttribute("value");
      label.textContent = part < 1 ? `${what} · ${percent(part)}` : `${what} · ${text("reading")}`;
    },
    refuse(words) {
      const item = document.createElement("li");
      item.textContent = words;
      refused.append(item);
    },
    // stop ends with words and a button that goes on.
    stop(words, label_, go) {
      bar.hidden = true;
      label.textContent = words;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button button-secondary button-small";
      button.append(document.createElement("span"));
      button.firstChild.textContent = label_;
      button.addEventListener("click", () => {
        button.remove();
        go();
      });
      box.append(button);
      button.focus();
    },
  };
};

// post sends data and resolves with the request, also when the answer is a
// refusal; it rejects when there was no answer.
const post = (url, data, progress, headers = {}) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (e) => e.lengthComputable && progress(e.loaded / e.total));
    request.addEventListener("load", () => resolve(request));
    for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => reject(new Error(end)));
    request.send(data);
  });

// whole sends the form as one.
const whole = async (form, button, url, enhance) => {
  const says = panel(form);
  says.sent(0, text("uploading"));
  busy(form, button);
  try {
    const request = await post(url, new FormData(form, button), (part) => says.sent(part, text("uploading")));
    show(request, new URL(request.responseURL || url, location.href), enhance);
  } catch {
    idle(form);
    says.stop(text("broken"), text("again"), () => form.requestSubmit(button));
  }
};

// one sends a file, again where the line breaks. The server is told when it may
// have it already.
const one = async (form, input, file, url, done, progress) => {
  for (let tries = 0; ; tries++) {
    const data = new FormData(form);
    data.delete(input.name);
    data.set("sudah", String(done));
    if (tries > 0 || file.tried) data.set("lagi", "ya");
    data.append(input.name, file.file);
    file.tried = true;
    try {
      return await post(url, data, progress, { Accept: "application/json" });
    } catch (error) {
      if (tries === pauses.length) throw error;
      await new Promise((go) => setTimeout(go, pauses[tries]));
    }
  }
};

// single sends the files of a field one after the other.
const single = async (form, input, button, url) => {
  const waiting = [...input.files].map((file) => ({ file, tried: false }));
  const total = waiting.length;
  const says = panel(form);
  let done = 0;
  let refused = 0;
  let next = url;
  const asked = []; // what locked files ask for
  const run = async () => {
    busy(form, button);
    while (waiting.length > 0) {
      const { file } = waiting[0];
      const what = fill(text("each"), { n: total - waiting.length + 1, total, name: file.name });
      says.sent(0, what);
      let request;
      try {
        request = await one(form, input, waiting[0], url, done, (part) => says.sent(part, what));
      } catch {
        idle(form);
        says.stop(fill(text("kept"), { done, total }), text("goon"), run);
        return;
      }
      let answer;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        return location.assign(request.responseURL || url); // signed out meanwhile, for example
      }
      if (request.status === 429 || request.status === 503) {
        await new Promise((go) => setTimeout(go, 1000 * (Number(request.getResponseHeader("Retry-After")) || 5)));
        continue;
      }
      waiting.shift();
      if (answer.next) {
        done++;
        next = answer.next;
        if (next.includes("?")) asked.push(next);
      } else {
        refused++;
        says.refuse(answer.problem ?? `${file.name}: ${answer.title ?? request.status}`);
      }
    }
    if (asked.length > 0) next = asked[0].split("?")[0] + "?" + asked.map((a) => a.split("?")[1]).join("&");
    if (refused === 0) return location.assign(next);
    idle(form);
    says.stop(fill(text("some"), { done, refused }), text("seelist"), () => location.assign(asked.length > 0 ? next : url));
  };
  await run();
};

const sending = (form, enhance) =>
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    const inputs = [...form.querySelectorAll("input[type=file]")];
    const bad = inputs.find((i) => i.validationMessage && i.validity.customError);
    if (bad) {
      event.preventDefault();
      idle(form);
      bad.focus();
      return;
    }
    const full = inputs.filter((i) => i.files.length > 0);
    if (full.length === 0) return;
    event.preventDefault();
    const button = event.submitter;
    const url = button?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href;
    if (full.length === 1 && "each" in full[0].dataset) single(form, full[0], button, url);
    else whole(form, button, url, enhance);
  });

export const upload = (root, enhance) => each(root, "form[data-upload]", (form) => sending(form, enhance));

// Passkeys: every [data-passkey] box shows itself where the browser has them.
// Its button asks the server for a challenge (POST data-action + "/mulai"),
// lets the authenticator answer, sends the answer (POST data-action) and goes
// where the server says. Without JavaScript there are no passkeys, and the other
// ways stay.
//
// Approvals: a [data-approval] box in a form names the button that approves. It
// is sent only after the authenticator signed what the page asks for
// (data-options); the answer goes along in the box's hidden field.

const bytes = (text) => {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
};

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const withIDs = (list) => list?.map((c) => ({ ...c, id: bytes(c.id) }));

const creation = (o) => ({
  ...o,
  challenge: bytes(o.challenge),
  user: { ...o.user, id: bytes(o.user.id) },
  excludeCredentials: withIDs(o.excludeCredentials),
});

const request = (o) => ({ ...o, challenge: bytes(o.challenge), allowCredentials: withIDs(o.allowCredentials) });

const answerOf = (credential) => {
  const { response } = credential;
  const out = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    out.attestationObject = text(response.attestationObject);
    out.transports = response.getTransports?.() ?? [];
  } else {
    out.authenticatorData = text(response.authenticatorData);
    out.signature = text(response.signature);
    if (response.userHandle) out.userHandle = text(response.userHandle);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: out,
  });
};

class Refused extends Error {}

const post = async (path, fields) => {
  const answer = await fetch(path, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(fields),
  });
  if (answer.status === 401) location.assign("/masuk");
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) throw new Error(String(answer.status));
  const data = await answer.json();
  if (!answer.ok) throw new Refused(data.error);
  return data;
};

const run = async (box) => {
  const begun = await post(`${box.dataset.action}/mulai`, {});
  if (begun.next) return begun.next;
  const { publicKey } = begun.options;
  const credential =
    box.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: creation(publicKey) })
      : await navigator.credentials.get({ publicKey: request(publicKey) });
  const fields = { state: begun.state, answer: answerOf(credential), next: box.dataset.next };
  const name = box.querySelector("input[name=name]");
  if (name) fields.name = name.value;
  return (await post(box.dataset.action, fields)).next;
};

const why = (box, error) => {
  if (error instanceof Refused) return error.message;
  if (error.name === "NotAllowedError" || error.name === "AbortError") return box.dataset.cancelled;
  if (error.name === "InvalidStateError") return box.dataset.known;
  return box.dataset.failed;
};

const prepare = (box) => {
  box.hidden = false;
  const button = box.querySelector("button");
  const complaint = box.querySelector("[data-passkey-error]");
  button.addEventListener("click", async () => {
    if (button.hasAttribute("aria-busy")) return;
    button.setAttribute("aria-busy", "true");
    complaint.hidden = true;
    try {
      location.assign(await run(box));
    } catch (error) {
      complaint.textContent = why(box, error);
      complaint.hidden = false;
      button.removeAttribute("aria-busy");
    }
  });
};

const approvals = (box) => {
  const form = box.closest("form");
  const field = box.querySelector("input[type=hidden]");
  const complaint = box.querySelector("[data-passkey-error]");
  let asking = false;
  const ask = async (button) => {
    asking = true;
    complaint.hidden = true;
    try {
      const { publicKey } = JSON.parse(box.dataset.options);
      field.value = answerOf(await navigator.credentials.get({ publicKey: request(publicKey) }));
      form.requestSubmit(button);
    } catch (error) {
      complaint.textContent = why(box, error);
      complaint.hidden = false;
    } finally {
      asking = false;
    }
  };
  // Before everybody else who listens: the form is not being sent yet.
  window.addEventListener(
    "submit",
    (event) => {
      if (event.target !== form || event.submitter?.value !== box.dataset.approval || field.value) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!asking) ask(event.submitter);
    },
    { capture: true },
  );
};

if (window.PublicKeyCredential && navigator.credentials) {
  document.querySelectorAll("[data-passkey]").forEach(prepare);
  document.querySelectorAll("[data-approval]").forEach(approvals);
}

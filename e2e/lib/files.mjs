// Files as people choose them: pictures drawn in the page, with grain so that
// they are not blurred, and a letter as PDF.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "./server.mjs";

// picture draws a scan and returns its bytes.
export function picture(v, { width = 1200, height = 760, type = "image/png" } = {}) {
  return v.page.evaluate(
    async (w, h, t) => {
      const c = new OffscreenCanvas(w, h);
      const x = c.getContext("2d");
      x.fillStyle = "#dfe9f5";
      x.fillRect(0, 0, w, h);
      for (let i = 0; i < 6000; i++) {
        x.fillStyle = `hsl(${(i * 47) % 360} 50% ${30 + ((i * 13) % 50)}%)`;
        x.fillRect((i * 131) % w, (i * 71) % h, 6, 6);
      }
      x.fillStyle = "#000";
      x.font = "48px sans-serif";
      x.fillText("KARTU CONTOH - FIKTIF", 80, 120);
      return [...new Uint8Array(await (await c.convertToBlob({ type: t, quality: 0.9 })).arrayBuffer())];
    },
    width,
    height,
    type,
  );
}

// signature draws one on white paper and returns its bytes.
export function signature(v, { width = 900, height = 500, type = "image/png" } = {}) {
  return v.page.evaluate(
    async (w, h, t) => {
      const c = new OffscreenCanvas(w, h);
      const x = c.getContext("2d");
      x.fillStyle = "#fff";
      x.fillRect(0, 0, w, h);
      x.strokeStyle = "#16233f";
      x.lineWidth = 7;
      x.lineCap = "round";
      x.beginPath();
      for (let i = 0; i <= 400; i++) {
        const a = i / 18;
        x.lineTo(w * (0.12 + 0.0019 * i) - 46 * Math.sin(a), h * (0.55 - 0.0002 * i) - 95 * Math.cos(a * 1.4) * (1 - i / 520));
      }
      x.stroke();
      return [...new Uint8Array(await (await c.convertToBlob({ type: t, quality: 0.9 })).arrayBuffer())];
    },
    width,
    height,
    type,
  );
}

// letter is a PDF whose pages say text, or each its own of several.
export function letter(text, pages = 1) {
  const texts = Array.isArray(text) ? text : Array(pages).fill(text);
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${texts.map((_, n) => `${4 + 2 * n} 0 R`).join(" ")}] /Count ${texts.length} >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ...texts.flatMap((t, n) => {
      const content = `BT /F1 20 Tf 72 720 Td (${t}) Tj ET`;
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${5 + 2 * n} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
        `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
      ];
    }),
  ];
  let out = "%PDF-1.4\n";
  const at = objects.map((body, i) => {
    const start = out.length;
    out += `${i + 1} 0 obj\n${body}\nendobj\n`;
    return start;
  });
  const xref = out.length;
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${at.map((n) => `${String(n).padStart(10, "0")} 00000 n \n`).join("")}`;
  out += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`;
  return [...Buffer.from(out, "latin1")];
}

// choose puts a file into the page's file field (its first, unless said), as its
// dialog does.
export function choose(v, name, type, bytes, field = "input[type=file]") {
  return v.page.evaluate(
    (n, t, b, selector) => {
      const files = new DataTransfer();
      files.items.add(new File([new Uint8Array(b)], n, { type: t }));
      const field = document.querySelector(selector);
      field.files = files.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    },
    name,
    type,
    bytes,
    field,
  );
}

// drop lets files fall onto the page's file field, as a hand with a mouse does:
// { name, bytes } each.
export function drop(v, list) {
  return v.page.evaluate((all) => {
    const data = new DataTransfer();
    for (const f of all) data.items.add(new File([new Uint8Array(f.bytes)], f.name, { type: "application/pdf" }));
    const area = document.querySelector("[data-file-drop]");
    for (const type of ["dragover", "drop"]) {
      const event = new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true });
      area.dispatchEvent(event);
      if (!event.defaultPrevented) throw new Error(`${type} is left to the browser, which would open the file`);
    }
  }, list);
}

// fetched are the bytes behind an address, as the visitor gets them; null where it is refused.
export function fetched(v, href) {
  return v.page.evaluate(async (to) => {
    const answer = await fetch(to);
    return answer.ok ? [...new Uint8Array(await answer.arrayBuffer())] : null;
  }, href);
}

// send presses a button of a form with a file. The answer is put into the page
// by script where scripts run: the page says it has changed, it is not loaded.
export async function send(v, action, within) {
  await v.page.evaluate(() => (document.querySelector("main").firstElementChild.dataset.before = ""));
  await v.press(await v.find(`main form[action="${action}"] button:not([type=button])${within ?? ""}`));
  await v.until(`the answer of ${action}`, () => document.querySelector("main > *") !== null && !document.querySelector("main > [data-before]"));
}

// withFile runs act with the path of a file that has these bytes.
function withFile(bytes, act) {
  const dir = mkdtempSync(join(tmpdir(), "absah-pdf-"));
  try {
    const file = join(dir, "a.pdf");
    writeFileSync(file, Buffer.from(bytes));
    return act(file, dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

// signatures are the signature fields of a PDF, by pdfsig and qpdf: how many are
// valid, and the page and rectangle (left, bottom, right, top) of each.
export const signatures = (bytes) =>
  withFile(bytes, (file) => {
    const said = execFileSync("pdfsig", ["-nocert", file], { encoding: "utf8" });
    const { acroform, qpdf } = JSON.parse(execFileSync("qpdf", ["--json", "--json-key=acroform", "--json-key=qpdf", file], { encoding: "utf8", maxBuffer: 64 << 20 }));
    const fields = acroform.fields.map((f) => ({ page: f.pageposfrom1, rect: qpdf[1][`obj:${f.annotation.object}`].value["/Rect"] }));
    return { valid: said.split("Signature is Valid.").length - 1, fields };
  });

// printed is what a page shows on paper: its text, what its QR codes say, and how
// many pictures the file has.
export const printed = (bytes, page = 1) =>
  withFile(bytes, (file, dir) => {
    const one = ["-f", String(page), "-l", String(page)];
    const text = execFileSync("pdftotext", [...one, file, "-"], { encoding: "utf8" });
    execFileSync("pdftoppm", [...one, "-r", "150", "-png", "-singlefile", file, join(dir, "page")]);
    const codes = spawnSync("zbarimg", ["--raw", "-q", join(dir, "page.png")], { encoding: "utf8" });
    if (codes.error) throw codes.error;
    const { qpdf } = JSON.parse(execFileSync("qpdf", ["--json", "--json-key=qpdf", file], { encoding: "utf8", maxBuffer: 64 << 20 }));
    const pictures = Object.values(qpdf[1]).filter((o) => o.stream?.dict["/Subtype"] === "/Image").length;
    return { text: text.replace(/\s+/g, " "), codes: codes.stdout.split("\n").filter(Boolean), pictures };
  });

// locked is a letter that opens with a password only, made by qpdf.
export function locked(text, password) {
  const dir = mkdtempSync(join(tmpdir(), "absah-locked-"));
  try {
    writeFileSync(join(dir, "in.pdf"), Buffer.from(letter(text)));
    execFileSync("qpdf", ["--encrypt", password, password, "256", "--", join(dir, "in.pdf"), join(dir, "out.pdf")]);
    return [...readFileSync(join(dir, "out.pdf"))];
  } finally {
    rmSync(dir, { recursive: true });
  }
}

// stranger signs letters as somebody whom nobody here knows, with the program
// itself: sign(bytes, field, ...more options) gives the signed bytes.
export function stranger() {
  const dir = mkdtempSync(join(tmpdir(), "absah-stranger-"));
  const at = (name) => join(dir, name);
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Siti Contoh/O=Instansi Contoh"];
  execFileSync("openssl", [...request, "-keyout", at("key.pem"), "-out", at("cert.pem")], { stdio: "ignore" });
  return {
    certificate: [...readFileSync(at("cert.pem"))],
    sign(bytes, field, ...more) {
      writeFileSync(at("in.pdf"), Buffer.from(bytes));
      rmSync(at("out.pdf"), { force: true });
      execFileSync(program, ["sign", "--key", at("key.pem"), "--cert", at("cert.pem"), "--reason", "Setuju", "--field", field, ...more, at("in.pdf"), at("out.pdf")]);
      return [...readFileSync(at("out.pdf"))];
    },
  };
}

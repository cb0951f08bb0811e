// Anybody verifies a document, without signing in.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import { Visitor } from "../lib/visitor.mjs";

const program = process.env.ABSAH_BIN ?? join(dirname(fileURLToPath(import.meta.url)), "../../bin/absah");

// documents are a letter, the letter signed by a stranger twice, and that changed
// afterwards.
function documents() {
  const dir = mkdtempSync(join(tmpdir(), "absah-verify-"));
  const at = (name) => join(dir, name);
  const openssl = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Siti Contoh/O=Instansi Contoh"];
  execFileSync("openssl", [...openssl, "-keyout", at("key.pem"), "-out", at("cert.pem")], { stdio: "ignore" });
  writeFileSync(at("letter.pdf"), Buffer.from(files.letter("Surat Contoh")));
  const sign = (field, from, to, ...more) =>
    execFileSync(program, ["sign", "--key", at("key.pem"), "--cert", at("cert.pem"), "--reason", "Setuju", "--field", field, ...more, at(from), at(to)]);
  sign("pertama", "letter.pdf", "one.pdf");
  sign("kedua", "one.pdf", "two.pdf", "--visible", "1,300,100,200,60", "--text", "Ditandatangani Siti Contoh");
  const read = (name) => [...readFileSync(at(name))];
  const changed = Buffer.from(readFileSync(at("one.pdf")).toString("latin1").replace("Surat Contoh", "Surat Bohong"), "latin1");
  return { letter: read("letter.pdf"), twice: read("two.pdf"), changed: [...changed], certificate: read("cert.pem") };
}

journey("anybody verifies a document", {}, (at, step) => {
  let v, docs;
  const verify = async (name, bytes) => {
    await v.goto("/verifikasi");
    await files.choose(v, name, "application/pdf", bytes);
    await files.send(v, "/verifikasi");
    await v.seesPage();
  };

  step("the way there is on the page for signing in", async () => {
    docs = documents();
    v = await Visitor.at(at.browser, at.server);
    await v.goto("/masuk");
    await v.click("Verifikasi dokumen");
    assert.equal(v.path(), "/verifikasi");
    await v.seesPage();
  });

  step("a stranger's signatures are intact and not certified", async () => {
    await verify("surat.pdf", docs.twice);
    // What came later is listed by page; the pictures are drawn from the file at hand.
    await v.sees("Halaman 1");
    const asked = [];
    v.page.on("request", (r) => asked.push(new URL(r.url())));
    await v.page.click("details:has([data-rev]) > summary");
    await v.page.waitForSelector("[data-rev][data-ready='1']");
    assert.equal((await v.page.$$("[data-rev] canvas[role=img][aria-label]")).length, 2, "not two pictures side by side");
    await v.sees("tampak berbeda", "[data-rev]"); // the second signature shows
    assert.deepEqual(asked.filter((u) => !u.pathname.startsWith("/assets/")).map(String), [], "the file went over the network");
    await v.page.setViewport({ width: 360, height: 740 });
    await v.seesPage();
    await v.page.setViewport({ width: 1280, height: 900 });
    await v.sees("Tidak dapat dipastikan");
    await v.sees("tidak berinduk pada penerbit yang dipercaya");
    await v.sees("Tersertifikasi? Tidak terbukti");
    await v.sees("Siti Contoh");
    await v.sees("Tanda tangan ditambahkan");
    assert.equal((await v.page.$$("main details")).length >= 2, true, "no technical details");
  });

  step("an administrator says that the stranger is believed, and until when", async () => {
    const admin = await Visitor.at(at.browser, at.server);
    await admin.signIn(at.server.person("Administrator"));
    await admin.goto("/admin/kepercayaan");
    await files.choose(admin, "siti.pem", "application/x-pem-file", docs.certificate);
    await admin.put("note", "Instansi Contoh, untuk uji");
    await admin.check("certified", "ya");
    await admin.seesPage();
    await files.send(admin, "/admin/kepercayaan");
    await admin.sees("Siti Contoh");
    await verify("surat.pdf", docs.twice);
    await v.seesNot("Tidak dapat dipastikan");
    await v.seesNot("tidak berinduk pada penerbit yang dipercaya");
    await admin.close();
  });

  step("what was changed is called so", async () => {
    await verify("surat.pdf", docs.changed);
    await v.sees("Tidak sah");
    await v.sees("dokumen diubah setelahnya");
  });

  step("a letter without signature, on a phone, in English", async () => {
    await v.page.setViewport({ width: 360, height: 740 });
    await v.goto("/verifikasi");
    await v.language("en");
    await verify("letter.pdf", docs.letter);
    await v.sees("This document has no electronic signature");
  });

  step("no file is an error that says what to do", async () => {
    await v.goto("/verifikasi");
    await v.page.$eval("main form input[type=file]", (e) => e.removeAttribute("required"));
    await v.follow(async () => v.press(await v.find('main form[action="/verifikasi"] button:not([type=button])')));
    await v.sees("Choose the PDF document to check");
    await v.seesPage();
    await v.close();
  });
});

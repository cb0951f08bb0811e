// Anybody verifies a document, without signing in.
import assert from "node:assert/strict";
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import { Visitor } from "../lib/visitor.mjs";

// documents are a letter, the letter signed by a stranger twice, and that changed
// afterwards.
function documents() {
  const siti = files.stranger();
  const letter = files.letter("Surat Contoh");
  const one = siti.sign(letter, "pertama");
  const twice = siti.sign(one, "kedua", "--visible", "1,300,100,200,60", "--text", "Ditandatangani Siti Contoh");
  const changed = Buffer.from(Buffer.from(one).toString("latin1").replace("Surat Contoh", "Surat Bohong"), "latin1");
  return { letter, twice, changed: [...changed], certificate: siti.certificate };
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

  step("the answer is taken along as a sealed PDF and as JSON", async () => {
    const report = (kind) =>
      v.page.evaluate(async (k) => {
        const form = document.querySelector('main form[action="/verifikasi/laporan"]');
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form, form.querySelector(`button[value=${k}]`)) });
        return { type: answer.headers.get("content-type"), name: answer.headers.get("content-disposition"), bytes: [...new Uint8Array(await answer.arrayBuffer())] };
      }, kind);
    const json = await report("json");
    assert.match(json.type, /json/);
    const said = JSON.parse(Buffer.from(json.bytes).toString("utf8"));
    assert.equal(said.verdict, "invalid", JSON.stringify(said).slice(0, 400));
    const pdf = await report("pdf");
    assert.match(pdf.name, /attachment; filename="laporan-verifikasi-[0-9a-f]{12}[.]pdf"/);
    assert.match(files.printed(pdf.bytes).text, /Laporan verifikasi dokumen.*surat[.]pdf.*Tidak sah/);
    // Whoever gets the report can have it judged in turn: it is the institution's.
    await verify("laporan.pdf", pdf.bytes);
    await v.sees("Sah: semua tanda tangan berlaku");
    await v.sees("Ditandatangani oleh Instansi Contoh");
    await v.sees("Segel elektronik 1");
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

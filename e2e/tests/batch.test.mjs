// Many documents at once: dropped together onto the page, sent one by one under a
// bar; one of them that cannot be signed is told by itself, to try again signs
// nothing twice; and why a passphrase opens nothing is said exactly.
import assert from "node:assert/strict";
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import { demo, Visitor } from "../lib/visitor.mjs";

journey("many documents at once", {}, (at, step) => {
  let v;
  // confirm chooses documents of the list and goes on to the passphrase.
  const confirm = async (...names) => {
    await v.goto("/dokumen");
    for (const name of names) await v.press(await (await v.find("main tr", name)).$("input[type=checkbox][name=d]"));
    await v.click("Tanda tangani yang dipilih");
    await v.check("tampilan", "tak_terlihat");
    await v.click("Lanjut ke passphrase");
  };
  const file = async (name) => {
    await v.goto("/dokumen");
    return files.fetched(v, await (await v.find("main td a, main th a", name)).evaluate((a) => a.href + "/unduh"));
  };

  step("files that are dropped together are sent one by one, and the list says what was not taken", async () => {
    v = await Visitor.at(at.browser, at.server);
    await v.signIn(at.server.person("memiliki sertifikat"), { to: "/dokumen" });
    await v.sees("paling banyak");
    // What the bar said is kept, however short it stood there.
    await v.page.evaluate(() => {
      window.said = new Set();
      new MutationObserver(() => {
        const box = document.querySelector(".upload");
        if (box?.querySelector("progress:not([hidden])")) window.said.add(box.querySelector("[role=status]").textContent.replace(/ · .*/, ""));
      }).observe(document.querySelector("main"), { subtree: true, childList: true, characterData: true, attributes: true });
    });
    const letter = (name) => ({ name, bytes: files.letter(`Surat ${name}`) });
    const closed = { name: "tersertifikasi.pdf", bytes: files.stranger().sign(files.letter("Surat Tersertifikasi"), "pertama", "--certify", "1") };
    await files.drop(v, [letter("satu.pdf"), letter("dua.pdf"), { name: "bukan.pdf", bytes: [...Buffer.from("bukan PDF")] }, closed, letter("tiga.pdf"), letter("empat.pdf")]);
    await v.sees("satu.pdf", "[data-file-state]");
    await v.sees("empat.pdf", "[data-file-state]");
    await v.press(await v.find("main form[action='/dokumen'] button:not([type=button])"));
    await v.comes("5 berkas diunggah, 1 tidak diterima");
    await v.sees("bukan.pdf: bukan dokumen PDF");
    const names = ["satu", "dua", "bukan", "tersertifikasi", "tiga", "empat"];
    assert.deepEqual(await v.page.evaluate(() => [...window.said]), names.map((name, n) => `Mengunggah ${n + 1} dari 6: ${name}.pdf`));
    await v.seesPage();
    await v.click("Lihat dokumen", ".upload button");
    for (const name of names) await (name === "bukan" ? v.seesNot("bukan.pdf") : v.sees(`${name}.pdf`));
  });

  step("one that cannot be signed is told by itself, and the others are signed", async () => {
    await confirm("satu.pdf", "tersertifikasi.pdf", "dua.pdf");
    for (const name of ["satu.pdf", "tersertifikasi.pdf", "dua.pdf"]) await v.sees(name);
    await v.fill("passphrase", demo.passphrase);
    await v.click("Tanda tangani 3 dokumen");
    await v.comes("2 dokumen ditandatangani, 1 tidak");
    const rows = await v.page.$$eval("main tbody tr", (all) => all.map((r) => r.innerText.replace(/\s+/g, " ")));
    assert.match(rows.find((r) => r.includes("tersertifikasi.pdf")), /Tidak ditandatangani.*Sertifikasi dokumen ini tidak mengizinkan tanda tangan baru/);
    await v.seesPage();
    // Once more: of the one that failed alone.
    await v.click("Ulangi yang tidak ditandatangani");
    await v.sees("tersertifikasi.pdf");
    await v.seesNot("satu.pdf");
    for (const name of ["satu.pdf", "dua.pdf"]) assert.equal(files.signatures(await file(name)).valid, 1, name);
  });

  step("what is sent again because the answer was lost is found, not signed twice", async () => {
    await confirm("tiga.pdf", "empat.pdf");
    await v.fill("passphrase", demo.passphrase);
    const send = () =>
      v.page.evaluate(async () => {
        const form = document.querySelector("#tandatangani");
        return new URL((await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) })).url).pathname;
      });
    const answers = [await send(), await send()];
    assert.notEqual(answers[0], answers[1]);
    for (const path of answers) await v.comes("2 dokumen ditandatangani", { path });
    for (const name of ["tiga.pdf", "empat.pdf"]) assert.equal(files.signatures(await file(name)).valid, 1, `${name} is signed twice`);
  });

  step("wrong passphrases are counted down to the lock, and the right one is refused for that", async () => {
    await confirm("satu.pdf");
    for (const said of ["Sisa percobaan: 4", "Sisa percobaan: 3", "Sisa percobaan: 2", "Sisa percobaan: 1", "kunci sekarang terkunci"]) {
      await v.fill("passphrase", "bukan frasa sandinya 123");
      await v.follow(() => v.page.keyboard.press("Enter"));
      await v.sees(said);
    }
    await v.seesPage();
    await v.fill("passphrase", demo.passphrase);
    await v.follow(() => v.page.keyboard.press("Enter"));
    await v.sees("Kunci terkunci sampai");
    await v.goto("/dokumen");
    await v.sees("Kunci Anda terkunci sementara");
    assert.equal(files.signatures(await file("satu.pdf")).valid, 1);
    await v.close();
  });

  for (const [who, why] of [
    ["Sertifikat dicabut", "Sertifikat Anda sudah dicabut"],
    ["Sertifikat kedaluwarsa", "Masa berlaku sertifikat Anda sudah berakhir"],
  ]) {
    step(`the cause is said before and after the passphrase: ${who}`, async () => {
      v = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
      await v.signIn(at.server.person(who), { to: "/dokumen" });
      await v.sees("Anda belum dapat menandatangani");
      await files.choose(v, "sia-sia.pdf", "application/pdf", files.letter("Surat Contoh"));
      await files.send(v, "/dokumen");
      await confirm("sia-sia.pdf");
      await v.sees(why);
      await v.seesPage();
      await v.fill("passphrase", demo.passphrase);
      await v.follow(() => v.page.keyboard.press("Enter"));
      await v.sees(`Kesalahan: ${why}`);
      assert.ok(!Buffer.from(await file("sia-sia.pdf")).includes("/ByteRange"), "it is signed");
      await v.close();
    });
  }
});

// A time server that does not answer.
journey("nobody signs by a clock that nobody confirms", { env: { ABSAH_TSA_SERVERS: "127.0.0.1:9", ABSAH_TSA_QUORUM: "1" } }, (at, step) => {
  step("the cause is told, before the passphrase is asked for and after", async () => {
    const v = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await v.signIn(at.server.person("memiliki sertifikat"), { to: "/dokumen" });
    await files.choose(v, "surat.pdf", "application/pdf", files.letter("Surat Contoh"));
    await files.send(v, "/dokumen");
    await v.goto("/dokumen");
    await v.press(await v.page.$("input[type=checkbox][name=d]"));
    await v.click("Tanda tangani yang dipilih");
    await v.check("tampilan", "tak_terlihat");
    await v.click("Lanjut ke passphrase");
    await v.sees("Jam server tidak dapat dipercaya saat ini");
    await v.seesPage();
    await v.fill("passphrase", demo.passphrase);
    await v.follow(() => v.page.keyboard.press("Enter"));
    await v.sees("Kesalahan: Jam server tidak dapat dipercaya saat ini");
    await v.seesPage();
    await v.close();
  });
});

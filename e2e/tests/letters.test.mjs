// Letters as an office knows them: signed by whoever acts for another, by a template,
// sent back with a reason, kept for years, taken back while they are signed, sent to
// several at once with paraf, and looked up by the QR code, by a stranger and by whom
// the owner lets have the file.
import assert from "node:assert/strict";
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import { demo, Visitor } from "../lib/visitor.mjs";

journey("a letter is sent by a template and signed for another office", {}, (at, step) => {
  let boss, sender, template, letter;
  const person = (n) => at.server.person("memiliki sertifikat", n);

  // sent uploads a letter, sends it by the template and returns its page.
  const sent = async (name) => {
    await sender.goto("/dokumen");
    await files.choose(sender, name, "application/pdf", files.letter("Surat Tugas"));
    await files.send(sender, "/dokumen");
    await sender.click(name, "main td a, main th a");
    const path = sender.path();
    await sender.goto(`${path}/alur?templat=${template}`);
    await sender.click("Lanjut ke letak tanda tangan");
    await sender.page.waitForSelector("[data-sheet][data-ready]");
    await sender.seesPage();
    await sender.click("Kirim");
    await sender.sees("Surat tugas, versi 1");
    return path;
  };

  step("the HR unit enters who acts for another office", async () => {
    const hr = await Visitor.at(at.browser, at.server);
    await hr.signIn(at.server.person("UPK"));
    await hr.goto(`/hr/wewenang?nip=${person(0).nip}`);
    await hr.fill("bentuk", "plt");
    await hr.put("jabatan", "Kepala Biro Rekaan");
    await hr.put("sk", "SK-7/2026");
    const day = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
    await hr.put("tanggal_sk", day(-9));
    await hr.put("mulai", day(-8));
    await hr.put("sampai", day(30));
    await hr.click("Catat", "main form button");
    await hr.sees("Kepala Biro Rekaan");
    await hr.seesPage();
    await hr.close();
  });

  step("a template says who signs, where and for how long", async () => {
    sender = await Visitor.at(at.browser, at.server);
    await sender.signIn(person(1));
    await sender.goto("/dokumen/templat/baru");
    await sender.put("nama", "Surat tugas");
    await sender.check("siapa.1", "person");
    await sender.put("nip.1", person(0).nip);
    await sender.fill("tingkat.1", "B-LTA");
    await sender.check("cara.101", "koordinat");
    await sender.seesPage();
    await sender.click("Simpan templat");
    await sender.sees("Templat disimpan");
    template = sender.path().split("/").pop();
  });

  step("the signer sends a letter back, and its sender reads why", async () => {
    const path = await sent("keliru.pdf");
    boss = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await boss.signIn(person(0));
    await boss.goto(path);
    await boss.page.click("main details:has(textarea[name=alasan]) > summary");
    await boss.put("alasan", "Tanggal tugas belum disebut");
    await boss.seesPage();
    await boss.submit(path + "/tolak");
    await sender.goto(path);
    await sender.sees("Tanggal tugas belum disebut");
    await sender.goto("/dokumen");
    await sender.sees("Ditolak");
  });

  step("the next one is signed for the other office, to be kept", async () => {
    const path = await sent("tugas.pdf");
    letter = path.split("/").pop();
    await boss.goto(`/dokumen/tandatangan?d=${letter}`);
    await boss.page.waitForSelector("[data-sheet][data-ready]"); // until then the page grows
    const office = await boss.find("main label", "Plt. Kepala Biro Rekaan");
    await boss.press(office);
    await boss.seesPage();
    await boss.click("Lanjut ke passphrase");
    await boss.fill("passphrase", demo.passphrase);
    await boss.follow(() => boss.page.keyboard.press("Enter"));
    await boss.comes("1 dokumen ditandatangani");
    await sender.goto(path);
    await sender.sees("Ditandatangani");
    const signed = await sender.page.evaluate(async (href) => [...new Uint8Array(await (await fetch(href)).arrayBuffer())], `${path}/unduh`);
    const text = Buffer.from(signed).toString("latin1");
    assert.ok(text.includes("/DSS") && text.includes("/DocTimeStamp"), "the letter is not of the level B-LTA");
    await sender.goto("/verifikasi");
    await files.choose(sender, "tugas.pdf", "application/pdf", signed);
    await files.send(sender, "/verifikasi");
    await sender.sees("Sah");
    await sender.sees("Plt. Kepala Biro Rekaan");
    await sender.sees("SK-7/2026");
    await sender.seesPage();
  });

  step("a letter that is taken back meanwhile is told by itself, the signer's other one is signed", async () => {
    const path = await sent("ditarik.pdf");
    await boss.goto("/dokumen");
    await files.choose(boss, "sendiri.pdf", "application/pdf", files.letter("Surat Sendiri"));
    await files.send(boss, "/dokumen");
    await boss.goto("/dokumen");
    const own = await (await boss.find("main tr", "sendiri.pdf")).$eval("input[name=d]", (e) => e.value);
    await boss.goto(`/dokumen/tandatangan?d=${path.split("/").pop()}&d=${own}`);
    await boss.click("Lanjut ke passphrase");
    await sender.goto(path);
    await sender.click("Tarik kembali");
    await sender.sees("Dokumen ditarik kembali", "body");
    await boss.fill("passphrase", demo.passphrase);
    await boss.follow(() => boss.page.keyboard.press("Enter"));
    await boss.comes("1 dokumen ditandatangani, 1 tidak");
    await boss.sees("Bukan giliran Anda menandatangani dokumen ini, atau perjalanannya sudah berakhir");
    await boss.seesPage();
  });

  step("one signs and another one gives the paraf, in any order, and everybody sees how far it is", async () => {
    await sender.goto("/dokumen");
    await files.choose(sender, "bersama.pdf", "application/pdf", files.letter("Surat Bersama"));
    await files.send(sender, "/dokumen");
    await sender.click("bersama.pdf", "main td a, main th a");
    const path = sender.path();
    await sender.goto(`${path}/alur`);
    await sender.fill("nip.1", person(0).nip);
    await sender.fill("nip.2", person(2).nip);
    await sender.fill("peran.2", "paraf");
    await sender.check("urutan", "bersamaan");
    await sender.put("catatan", "Mohon sebelum Jumat");
    await sender.click("Lanjut ke letak tanda tangan");
    await sender.page.waitForSelector("[data-sheet][data-ready]");
    await sender.click("Kirim");
    await sender.sees("Sedang dalam perjalanan");
    // Who prepares does not sign.
    assert.equal(await sender.page.$('main a[href^="/dokumen/tandatangan"]'), null, "the preparer may sign");
    const other = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await other.signIn(person(2));
    // The second one begins.
    for (const [who, name] of [[other, person(2).name], [boss, person(0).name]]) {
      await who.goto(path);
      await who.sees("Mohon sebelum Jumat");
      await who.seesPage();
      await who.goto(`/dokumen/tandatangan?d=${path.split("/").pop()}`);
      await who.click("Lanjut ke passphrase");
      await who.fill("passphrase", demo.passphrase);
      await who.follow(() => who.page.keyboard.press("Enter"));
      await who.comes("1 dokumen ditandatangani");
      for (const reader of [sender, boss, other]) {
        await reader.goto(path);
        await reader.sees(name, ".steps");
        await reader.sees(name === person(0).name ? "Selesai: semua sudah menandatangani" : "Sedang dalam perjalanan");
      }
    }
    const { valid, fields } = files.signatures(await files.fetched(sender, `${path}/unduh`));
    const seen = fields.filter((f) => (f.rect[2] - f.rect[0]) * (f.rect[3] - f.rect[1]) > 0);
    assert.deepEqual([valid, fields.length, seen.length], [2, 2, 1], "signatures, fields, and those that are seen");
    await other.close();
  });

  step("whoever scans the code sees whose letter it is, and the file only when its owner allows", async () => {
    const v = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    const code = `/verifikasi/d/${letter}`;
    await v.goto(code);
    await v.sees("Plt. Kepala Biro Rekaan");
    await v.sees("Kode QR dapat disalin");
    await v.sees("Pemilik dokumen tidak membagikan berkasnya kepada umum");
    await v.seesPage();
    assert.equal(await files.fetched(v, `${code}/berkas`), null, "a stranger gets the file");
    await sender.goto(`/dokumen/berkas/${letter}`);
    await sender.page.waitForSelector("[data-sheet][data-ready]"); // until then the page grows
    await sender.check("bagikan", "ya");
    await sender.submit(`/dokumen/berkas/${letter}/bagikan`);
    await sender.sees("Pengaturan halaman verifikasi disimpan", "body");
    // Now the printed copy is held against the pages of the file.
    await v.goto(code);
    await v.page.waitForSelector("[data-sheet][data-ready='1'] canvas");
    await v.sees("Bandingkan dengan surat cetak");
    assert.match(await v.page.$eval("[data-sheet-text]", (e) => e.textContent), /Surat Tugas/);
    await v.seesPage();
    const paper = files.printed(await files.fetched(v, `${code}/berkas`));
    assert.deepEqual(paper.codes.map((c) => new URL(c).pathname), [code]);
    for (const x of [v, boss, sender]) await x.close();
  });
});

// Letters as an office knows them: signed by whoever acts for another, by a template,
// sent back with a reason, kept for years, and looked up by the QR code.
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

  step("whoever scans the code sees whose letter it is", async () => {
    const v = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await v.goto(`/verifikasi/d/${letter}`);
    await v.sees("Plt. Kepala Biro Rekaan");
    await v.sees("Kode QR dapat disalin");
    await v.seesPage();
    for (const x of [v, boss, sender]) await x.close();
  });
});

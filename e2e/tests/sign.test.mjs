// A subscriber signs documents: with the keyboard alone on a phone, and several
// at once with the passphrase typed once.
import assert from "node:assert/strict";
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import { demo, Visitor } from "../lib/visitor.mjs";

journey("a subscriber signs documents", {}, (at, step) => {
  let v;
  const key = (name) => v.page.keyboard.press(name);
  // reach goes on by Tab until the focus is on an element.
  const reach = async (selector) => {
    await v.front();
    for (let i = 0; i < 200; i++) {
      if (await v.page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
      await key("Tab");
    }
    assert.fail(`the keyboard does not reach ${selector}`);
  };
  const upload = async (name) => {
    await v.goto("/dokumen");
    await files.choose(v, name, "application/pdf", files.letter("Surat Contoh"));
    await files.send(v, "/dokumen");
    await v.sees(name);
  };

  step("a letter is uploaded on a phone", async () => {
    v = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await v.signIn(at.server.person("memiliki sertifikat"));
    await v.goto("/dokumen");
    await v.sees("paling besar");
    await v.seesPage();
    await upload("surat.pdf");
    await v.seesPage();
    await v.click("surat.pdf", "main td a, main th a");
    await v.page.waitForSelector("[data-sheet][data-ready]");
    await v.seesPage();
  });

  step("the signature is put on the page with the keyboard alone", async () => {
    await v.goto("/dokumen");
    await reach("input[type=checkbox][name=d]");
    await key(" ");
    await reach("form[action='/dokumen/tandatangan'] button:not([type=button])");
    await v.follow(() => key("Enter"));
    await v.page.waitForSelector("[data-sheet][data-ready]");
    await v.seesPage();
    await reach(".sheet-box");
    for (const k of ["ArrowUp", "ArrowLeft", "ArrowLeft", "+"]) await key(k);
    const place = await v.page.evaluate(() => {
      const f = document.querySelector("#siapkan").elements;
      return [f["cara.1"].value, f["x.1"].value, f["y.1"].value, f["lebar.1"].value];
    });
    assert.deepEqual(place, ["koordinat", "117.9", "249", "80"]);
    await reach("button[name=aksi][value=lanjut]");
    await v.follow(() => key("Enter"));
    await v.sees("Sisa percobaan passphrase: 5");
    await v.seesPage();
  });

  step("a wrong passphrase says what is left, the right one signs", async () => {
    for (const [secret, then] of [["bukan frasa sandinya 123", "Sisa percobaan: 4"], [demo.passphrase, "1 dokumen ditandatangani"]]) {
      await reach("input[name=passphrase]");
      await v.page.keyboard.type(secret);
      await v.follow(() => key("Enter"));
      await v.comes(then);
      await v.seesPage();
    }
    const text = await v.page.evaluate(async () => {
      const href = document.querySelector("main a[download]").href;
      return new TextDecoder("latin1").decode(await (await fetch(href)).arrayBuffer());
    });
    assert.match(text, /ETSI\.CAdES\.detached/);
  });

  step("two more are signed at once, placed by the mouse, in English", async () => {
    await v.page.setViewport({ width: 1280, height: 900 });
    await upload("dua.pdf");
    await upload("tiga.pdf");
    await v.language("en");
    for (const e of (await v.page.$$("input[type=checkbox][name=d]")).slice(0, 2)) await v.press(e);
    await v.click("Sign the chosen ones");
    await v.page.waitForSelector("[data-sheet][data-ready]");
    const stage = await v.page.$("[data-sheet-stage]");
    await stage.evaluate((e) => e.scrollIntoView({ block: "start" }));
    const box = await stage.boundingBox();
    await v.page.mouse.click(box.x + box.width / 2, box.y + 300);
    await v.page.waitForFunction(() => document.querySelector("#siapkan").elements["cara.1"].value === "koordinat");
    await v.seesPage();
    await v.click("Go on to the passphrase");
    await v.fill("passphrase", demo.passphrase);
    await v.click("Sign 2 documents");
    await v.comes("2 documents signed");
    await v.seesPage();
    await v.goto("/dokumen/riwayat");
    await v.sees("2 documents signed");
    await v.seesPage();
  });

  step("a locked letter is shown to whoever has its password, and signed", async () => {
    const word = "kunci berkas 7";
    await v.language("id");
    await v.page.setViewport({ width: 360, height: 740 });
    await v.goto("/dokumen");
    await files.choose(v, "terkunci.pdf", "application/pdf", files.locked("Surat Terkunci", word));
    await files.send(v, "/dokumen");
    await v.comes("Dokumen dikunci dengan kata sandi");
    await v.seesPage();
    await (await v.page.waitForSelector("main input[type=password][name]")).type(word);
    await v.follow(() => key("Enter"));
    await v.sees("terkunci.pdf");
    await v.goto("/dokumen");
    await v.press(await v.page.$("input[type=checkbox][name=d]")); // the newest one
    await v.click("Tanda tangani yang dipilih");
    const shown = await v.page.waitForSelector("#sheet-password", { visible: true });
    await v.seesPage();
    await shown.type("bukan ini");
    await key("Enter");
    await v.page.waitForSelector("#sheet-password-error", { visible: true });
    await v.seesPage();
    await shown.type(word);
    await key("Enter");
    await v.page.waitForSelector("[data-sheet][data-ready]");
    await v.seesPage();
    await reach("button[name=aksi][value=lanjut]");
    await v.follow(() => key("Enter"));
    await v.fill("passphrase", demo.passphrase);
    await v.follow(() => key("Enter"));
    await v.comes("1 dokumen ditandatangani");
  });

  step("a letter goes to two signers, and each signs where its sender put him", async () => {
    const [first, second] = [0, 1].map((n) => at.server.person("memiliki sertifikat", n));
    await v.goto("/dokumen");
    await files.choose(v, "berdua.pdf", "application/pdf", files.letter("Surat Berdua", 2));
    await files.send(v, "/dokumen");
    await v.click("berdua.pdf", "main td a, main th a");
    const letter = v.path();
    await v.goto(`${letter}/alur`);
    await v.seesPage();
    await v.fill("nip.1", first.nip);
    await v.fill("nip.2", second.nip);
    await v.click("Lanjut ke letak tanda tangan");
    const ready = (page) => v.page.waitForSelector(`[data-sheet][data-ready="${page}"]`);
    await ready(2);
    await v.seesPage();
    // By the keyboard, to the first page; then the other box by the mouse, by its middle and by its corner.
    await reach('.sheet-box[data-look="1"]');
    for (const k of ["ArrowUp", "ArrowLeft", "PageUp"]) await key(k);
    await ready(1);
    await v.page.waitForFunction(() => document.querySelector("#letak").elements["halaman.101"].value === "1");
    await key("-");
    await v.press(await v.find("[data-sheet-do=next]"));
    await ready(2);
    const other = await v.find('.sheet-box[data-look="2"]');
    await other.evaluate((e) => e.scrollIntoView({ block: "center" }));
    const drag = async (from, by) => {
      await v.page.mouse.move(...from);
      await v.page.mouse.down();
      await v.page.mouse.move(from[0] + by[0], from[1] + by[1], { steps: 4 });
      await v.page.mouse.up();
    };
    let box = await other.boundingBox();
    await drag([box.x + 30, box.y + 20], [20, -40]);
    box = await other.boundingBox();
    await drag([box.x + box.width - 4, box.y + box.height - 4], [25, 20]);
    const places = await v.page.evaluate(() => {
      const f = document.querySelector("#letak").elements;
      return ["101", "201"].map((n) => ["halaman", "x", "y", "lebar", "tinggi"].map((name) => f[`${name}.${n}`].value));
    });
    assert.deepEqual([places[0][0], places[1][0]], ["1", "akhir"]);
    assert.ok(Number(places[0][3]) < 75 && Number(places[1][3]) > 75 && Number(places[1][1]) > 15, `places ${places}`);
    await v.click("Kirim");
    await v.sees("Sedang dalam perjalanan");
    const w = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await w.signIn(second);
    for (const [who, page] of [[v, "1"], [w, "2"]]) {
      await who.goto(`/dokumen/tandatangan?d=${letter.split("/").pop()}`);
      await who.sees("Letak tanda tangan Anda");
      await who.page.waitForSelector(`[data-sheet][data-ready="${page}"] .sheet-mark-mine`);
      await who.seesPage();
      await who.click("Lanjut ke passphrase");
      await who.fill("passphrase", demo.passphrase);
      await who.follow(() => who.page.keyboard.press("Enter"));
      await who.comes("1 dokumen ditandatangani");
    }
    await w.close();
    const signed = await v.page.evaluate(async (href) => [...new Uint8Array(await (await fetch(href)).arrayBuffer())], `${letter}/unduh`);
    const found = files.signatures(signed);
    assert.equal(found.valid, 2);
    assert.deepEqual(found.fields.map((f) => f.page), [1, 2]);
    const pt = (n) => (Number(n) * 72) / 25.4;
    places.forEach(([, x, y, wide, high], i) => {
      const want = [pt(x), 842 - pt(y) - pt(high), pt(x) + pt(wide), 842 - pt(y)];
      want.forEach((n, k) => assert.ok(Math.abs(n - found.fields[i].rect[k]) < 0.5, `field ${i} is at ${found.fields[i].rect}, not ${want}`));
    });
    await v.close();
  });
});

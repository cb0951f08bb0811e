// A subscriber signs documents: with the keyboard alone on a phone, by the mouse, by
// the finger, at marked words, at several places, unseen; several at once with the
// passphrase typed once; a locked one; one for two signers where its sender says.
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

  // prepare uploads a document, chooses it in the list and opens the form; it gives its id.
  const prepare = async (name, bytes) => {
    await v.goto("/dokumen");
    await files.choose(v, name, "application/pdf", bytes);
    await files.send(v, "/dokumen");
    await v.goto("/dokumen");
    const row = await v.find("main tr", name);
    await v.press(await row.$("input[type=checkbox][name=d]"));
    await v.click("Tanda tangani yang dipilih");
    await v.page.waitForSelector("[data-sheet][data-ready]");
    return v.page.$eval("#siapkan input[name=d]", (e) => e.value);
  };
  const sign = async () => {
    await v.fill("passphrase", demo.passphrase);
    await v.follow(() => key("Enter"));
    await v.comes("1 dokumen ditandatangani");
  };
  const onPaper = (places) => v.page.evaluate((names) => names.map((n) => Number(document.querySelector("#siapkan").elements[n].value)), places.map((n) => `${n}.1`));

  step("on a phone the finger puts, moves and enlarges the signature", async () => {
    await v.language("id");
    await v.page.setViewport({ width: 360, height: 740, hasTouch: true });
    const id = await prepare("jari.pdf", files.letter("Surat Jari"));
    const at = async (selector, x, y) => {
      const e = await v.find(selector);
      await e.evaluate((x) => x.scrollIntoView({ block: "center", behavior: "instant" }));
      const box = await e.boundingBox();
      return [box.x + box.width * x, box.y + box.height * y];
    };
    const drag = async (from, [dx, dy]) => {
      const finger = await v.page.touchscreen.touchStart(...from);
      await finger.move(from[0] + dx / 2, from[1] + dy / 2);
      await finger.move(from[0] + dx, from[1] + dy);
      await finger.end();
    };
    await v.page.touchscreen.tap(...(await at("[data-sheet-stage]", 0.4, 0.5)));
    await v.page.waitForFunction(() => document.querySelector("#siapkan").elements["cara.1"].value === "koordinat");
    const [x, y, w, h] = await onPaper(["x", "y", "lebar", "tinggi"]);
    assert.ok(Math.abs(x + w / 2 - 84) < 2 && Math.abs(y + h / 2 - 148.5) < 2, `the tap put the box at ${x}, ${y}`);
    await drag(await at(".sheet-box", 0.3, 0.3), [30, -60]);
    const [x2, y2] = await onPaper(["x", "y"]);
    assert.ok(x2 > x + 10 && y2 < y - 25, `the finger moved the box from ${x}, ${y} to ${x2}, ${y2}`);
    await drag(await at(".sheet-box", 0.97, 0.97), [25, 15]);
    const [x3, y3, w3, h3] = await onPaper(["x", "y", "lebar", "tinggi"]);
    assert.ok(x3 === x2 && y3 === y2 && w3 > w + 5 && h3 > h + 3, `the finger made the box ${w3} by ${h3}, at ${x3}, ${y3}`);
    await v.seesPage();
    await v.click("Lanjut ke passphrase");
    await sign();
    const pt = (n) => (n * 72) / 25.4;
    const [field] = files.signatures(await files.fetched(v, `/dokumen/berkas/${id}/unduh`)).fields;
    [pt(x3), 842 - pt(y3) - pt(h3), pt(x3) + pt(w3), 842 - pt(y3)].forEach((n, i) => assert.ok(Math.abs(n - field.rect[i]) < 0.5, `the field is at ${field.rect}`));
    await v.page.setViewport({ width: 360, height: 740 });
  });

  step("one signs at marked words on several pages, and at a corner", async () => {
    const id = await prepare("penanda.pdf", files.letter(["#", "${ttd}", "$"]));
    for (const [n, mark] of [[1, "#"], [2, "${ttd}"], [3, "$"]]) {
      if (n > 1) await v.click("Tambah tempat");
      await v.check(`cara.${n}`, "jangkar");
      await v.put(`jangkar.${n}`, mark);
    }
    await v.click("Tambah tempat");
    await v.fill("halaman.4", "awal");
    await v.fill("posisi.4", "kiri_bawah");
    await v.page.waitForSelector("[data-sheet][data-ready]");
    await v.seesPage();
    await v.click("Lanjut ke passphrase");
    await sign();
    const signed = await files.fetched(v, `/dokumen/berkas/${id}/unduh`);
    const { valid, fields } = files.signatures(signed);
    assert.ok(valid >= 1, "no valid signature");
    assert.deepEqual(fields.map((f) => f.page).sort(), [1, 1, 2, 3]);
    for (const page of [2, 3]) {
      const [left, bottom, right, top] = fields.find((f) => f.page === page).rect;
      // The words begin at 72, 720 and are 20 points high.
      assert.ok(left < 80 && right > 80 && bottom < 727 && top > 727, `on page ${page} the box is at ${[left, bottom, right, top]}`);
    }
    assert.ok(fields.some((f) => f.page === 1 && f.rect[0] < 60 && f.rect[1] < 60), "no box at the lower left corner");
    assert.match(files.printed(signed, 2).text, /Ditandatangani secara elektronik oleh/);
  });

  step("a mark that is not there, and a box over words, are told before the passphrase", async () => {
    await prepare("tutup.pdf", files.letter("Kalimat penting"));
    await v.check("cara.1", "jangkar");
    await v.put("jangkar.1", "tidak ada di sini");
    await v.click("Lanjut ke passphrase");
    await v.sees("teks penanda tidak ditemukan");
    await v.seesPage();
    await v.check("cara.1", "koordinat");
    await v.put("x.1", "24");
    await v.put("y.1", "30");
    await v.click("Lanjut ke passphrase");
    await v.sees("halaman 1: menutupi teks “Kalimat penting”");
    await v.seesPage();
    await v.fill("passphrase", demo.passphrase);
    await v.page.$eval("[name=menutupi]", (e) => (e.required = false));
    await v.follow(() => key("Enter"));
    await v.sees("Setujui bahwa tanda tangan menutupi isi halaman");
    await v.check("menutupi");
    await sign();
  });

  step("a signature shows the specimen, the code, both, or nothing", async () => {
    const cases = [
      { name: "spesimen.pdf", choose: ["spesimen"], pictures: true, code: false },
      { name: "kode.pdf", choose: ["qr"], pictures: false, code: true },
      { name: "keduanya.pdf", choose: ["qr", "spesimen", "surat"], pictures: true, code: true, letter: true },
      { name: "tanpa.pdf", unseen: true },
    ];
    for (const c of cases) {
      const id = await prepare(c.name, files.letter("Surat Contoh"));
      if (c.unseen) await v.check("tampilan", "tak_terlihat");
      else for (const box of await v.page.$$("input[name=isi]")) if ((await box.evaluate((e) => e.checked)) !== c.choose.includes(await box.evaluate((e) => e.value))) await v.press(box);
      await v.click("Lanjut ke passphrase");
      await sign();
      const signed = await files.fetched(v, `/dokumen/berkas/${id}/unduh`);
      const { valid, fields } = files.signatures(signed);
      assert.equal(valid, 1, c.name);
      const [left, bottom, right, top] = fields[0].rect;
      assert.equal((right - left) * (top - bottom) > 0, !c.unseen, `${c.name}: the box is ${fields[0].rect}`);
      const paper = files.printed(signed);
      assert.equal(paper.pictures > 0, c.pictures ?? false, `${c.name} has ${paper.pictures} pictures`);
      assert.deepEqual(paper.codes.map((t) => new URL(t).pathname), c.code ? [`/verifikasi/d/${id}`] : [], c.name);
      assert.equal(/Ditandatangani secara elektronik oleh/.test(paper.text), c.letter ?? false, `${c.name} says: ${paper.text}`);
    }
  });

  step("a locked letter is shown to whoever has its password, and signed", async () => {
    const word = "kunci berkas 7";
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

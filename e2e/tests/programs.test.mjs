// Programs sign and verify: an administrator lets one in for trials, it does what
// the reference shows, command by command, what it signs says SPECIMEN; its
// webhook is tried, and the administrator sees each delivery and repeats one.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import { Visitor } from "../lib/visitor.mjs";

const env = { ABSAH_WEBHOOKS_NETWORKS: "127.0.0.1/32", ABSAH_WEBHOOKS_PLAIN_HTTP: "true" };

journey("programs sign and verify", { env }, (at, step) => {
  let admin, v, secret, key, webhook, signed;
  const heard = []; // deliveries: headers and body
  let ill = true; // whoever listens is, at first
  const receiver = createServer(async (request, answer) => {
    let body = "";
    for await (const part of request) body += part;
    if (ill) {
      ill = false;
      answer.writeHead(503).end("sebentar");
      return;
    }
    heard.push({ headers: request.headers, body, about: JSON.parse(body) });
    answer.end("diterima");
  });
  const hears = async (type, n = 1) => {
    const of = () => heard.filter((h) => h.about.type === type);
    for (let i = 0; i < 1200 && of().length < n; i++) await new Promise((r) => setTimeout(r, 100));
    assert.equal(of().length, n, `heard ${heard.map((h) => h.body).join("\n")}`);
    return of()[n - 1];
  };

  step("an administrator lets an application in for trials, and says where it listens", async () => {
    await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    receiver.unref();
    admin = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await admin.signIn(at.server.person("Administrator"), { to: "/admin/aplikasi" });
    await admin.fill("name", "persuratan-uji");
    for (const scope of ["sign", "verify", "status"]) await admin.check("scope", scope);
    await admin.check("sandbox");
    await admin.submit("/admin/aplikasi");
    await admin.sees("bertuliskan SPECIMEN dan tidak berlaku");
    await admin.seesPage();
    secret = await admin.text(".secret .code");
    await admin.click("Buka webhook");
    await admin.put("url", `http://127.0.0.1:${receiver.address().port}/absah`);
    await admin.check("type", "document.signed");
    await admin.click("Tambah alamat", "main form button");
    key = await admin.text(".secret .code");
    await admin.seesPage();
    await admin.goto(admin.path());
    await admin.seesNot(key);
    await admin.click(`127.0.0.1:${receiver.address().port}`, "main td a, main th a");
    await admin.seesNot(key);
    await admin.click("Coba kirim");
    webhook = admin.path();
    await admin.comes("HTTP 503", { path: webhook });
    await admin.seesPage();
    await hears("ping"); // by itself, after ten seconds
    await admin.comes("Diterima", { path: webhook });
    await admin.seesPage();
  });

  step("the reference shows commands, and they do what it says", async () => {
    v = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await v.goto("/pengembang");
    await v.sees("bertuliskan SPECIMEN");
    await v.seesPage();
    const shown = (id) => v.page.$eval(`#${id} pre code`, (e) => e.textContent);
    const start = await v.page.$eval(".api pre code", (e) => e.textContent);
    const dir = mkdtempSync(join(tmpdir(), "absah-programs-"));
    try {
      writeFileSync(join(dir, "surat.pdf"), Buffer.from(files.letter("Surat Program")));
      const known = { CLIENT: "persuratan-uji", SECRET: secret, NIP: "199001012015011001", PASSPHRASE: "frasa apa saja 12" };
      assert.match(start, /^ABSAH=http:\/\/\S+\/api\/v1$/m);
      known.ABSAH = start.match(/^ABSAH=(\S+)$/m)[1];
      const run = async (id) => (await promisify(execFile)("bash", ["-euc", await shown(id)], { cwd: dir, env: { PATH: process.env.PATH, ...known } })).stdout;
      const uploaded = JSON.parse(await run("uploadDocument"));
      assert.ok(uploaded.id, JSON.stringify(uploaded));
      known.DOCUMENT = uploaded.id;
      const signing = JSON.parse(await run("sign"));
      assert.ok(signing.id, JSON.stringify(signing));
      known.SIGNING = signing.id;
      for (let i = 0; i < 600; i++) {
        signed = JSON.parse(await run("getSigning"));
        if (signed.state !== "running") break;
        await new Promise((r) => setTimeout(r, 200));
      }
      await run("downloadDocument");
      const bytes = [...readFileSync(join(dir, "unduhan.pdf"))];
      assert.equal(files.signatures(bytes).valid, 1, JSON.stringify(signed));
      assert.match(files.printed(bytes).text, /SPECIMEN/);
      // Program and page judge it alike.
      const judged = JSON.parse(await run("verify"));
      assert.notEqual(judged.verdict, "valid", JSON.stringify(judged).slice(0, 300));
      await v.goto("/verifikasi");
      await files.choose(v, "unduhan.pdf", "application/pdf", bytes);
      await files.send(v, "/verifikasi");
      await v.sees("SPECIMEN");
      await v.seesNot("Sah: semua tanda tangan berlaku");
      await v.seesPage();
    } finally {
      rmSync(dir, { recursive: true });
    }
    await v.close();
  });

  step("the administrator sees what was delivered, and repeats it", async () => {
    const one = await hears("document.signed");
    await admin.goto(webhook.replace(/\/kiriman\/.*/, ""));
    await admin.click("", 'main tbody a[href*="/kiriman/"]');
    await admin.sees("document.signed");
    await admin.sees("Diterima");
    await admin.sees("diterima", ".dossier-reply");
    await admin.seesPage();
    await admin.click("Kirim ulang");
    await admin.sees("dengan nomor yang sama", "body");
    const two = await hears("document.signed", 2);
    assert.equal(two.headers["webhook-id"], one.headers["webhook-id"]);
    assert.equal(two.body, one.body);
    // Both are signed, as Standard Webhooks says.
    for (const h of [one, two]) {
      const mac = createHmac("sha256", Buffer.from(key.replace("whsec_", ""), "base64")).update(`${h.headers["webhook-id"]}.${h.headers["webhook-timestamp"]}.${h.body}`).digest("base64");
      assert.ok(h.headers["webhook-signature"].split(" ").includes(`v1,${mac}`), `the signature is ${h.headers["webhook-signature"]}`);
    }
    const path = admin.path();
    for (let i = 0; i < 200; i++) {
      await admin.goto(path);
      if ((await admin.page.$$(".dossier-mails > li")).length === 2) break;
      await new Promise((r) => setTimeout(r, 200));
    }
    assert.equal((await admin.page.$$(".dossier-mails > li")).length, 2, "the page does not show both attempts");
    await admin.close();
    receiver.close();
  });
});

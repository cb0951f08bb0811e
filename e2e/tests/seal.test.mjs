// An institution's seal: one keeper asks, another one releases, and everybody
// sees whose seal it is.
import assert from "node:assert/strict";
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import { Visitor } from "../lib/visitor.mjs";

journey("two keepers seal a document", {}, (at, step) => {
  let asker, releaser, path, sealed;

  step("one keeper asks", async () => {
    asker = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await asker.signIn(at.server.person("memiliki sertifikat"));
    await asker.goto("/dokumen");
    await files.choose(asker, "edaran.pdf", "application/pdf", files.letter("Surat Edaran Contoh"));
    await files.send(asker, "/dokumen");
    await asker.goto("/segel");
    await asker.page.evaluate(() => document.querySelector("main input[name=d]").click());
    await asker.submit("/segel/siapkan");
    await asker.page.waitForSelector("[data-sheet][data-ready]");
    await asker.seesPage();
    await asker.submit("/segel/siapkan");
    await asker.sees("hanya dapat dirilis penjaga lain");
    await asker.seesPage();
    path = new URL(asker.page.url()).pathname;
    assert.match(path, /^\/segel\/permintaan\//);
  });

  step("another keeper releases", async () => {
    releaser = await Visitor.at(at.browser, at.server);
    await releaser.signIn(at.server.person("memiliki sertifikat", 1));
    await releaser.goto(path);
    await releaser.sees("edaran.pdf");
    await releaser.seesPage();
    await releaser.submit(path + "/rilis");
    // The page speaks of sealing before it is done; what is sealed can be had then.
    for (const end = Date.now() + 120_000; !(await releaser.has("main a[download]")); await releaser.goto(path)) {
      assert.ok(Date.now() < end, `nothing was sealed: ${await releaser.text()}`);
    }
    sealed = await releaser.page.evaluate(async () => {
      const href = document.querySelector("main a[download]").href;
      return [...new Uint8Array(await (await fetch(href)).arrayBuffer())];
    });
  });

  step("the page of verification names the institution", async () => {
    await releaser.goto("/verifikasi");
    await files.choose(releaser, "edaran.pdf", "application/pdf", sealed);
    await files.send(releaser, "/verifikasi");
    await releaser.sees("Direktorat Jenderal Rekaan");
    await releaser.sees("Segel elektronik");
  });
});

// An application asks in the browser: its user agrees, types the passphrase on our
// page, and the application signs what was agreed to and nothing else.
import assert from "node:assert/strict";
import { createHash, randomBytes, X509Certificate, verify } from "node:crypto";
import { createServer } from "node:http";
import { journey } from "../lib/journey.mjs";
import { demo, Visitor } from "../lib/visitor.mjs";

journey("an application signs with consent", {}, (at, step) => {
  let v, callback, secret, token, credential, certificate;
  const back = createServer((request, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end("<!doctype html><html lang=id><title>Klien</title><main>Kembali di aplikasi</main>");
  });
  const verifier = randomBytes(32).toString("base64url");
  const request = (params) =>
    "/csc/v2/oauth2/authorize?" +
    new URLSearchParams({
      response_type: "code", client_id: "naskah", redirect_uri: callback, state: "s1", code_challenge_method: "S256",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"), ...params,
    });
  const post = async (path, body, bearer) => {
    const form = body instanceof URLSearchParams;
    const headers = bearer ? { Authorization: `Bearer ${bearer}` } : { Authorization: "Basic " + Buffer.from(`naskah:${secret}`).toString("base64") };
    const answer = await fetch(at.server.base + path, { method: "POST", body: form ? body : JSON.stringify(body), headers });
    return { status: answer.status, ...(await answer.json()) };
  };
  // exchange takes the code out of the address that the browser was sent to.
  const exchange = async () => {
    const q = new URL(v.page.url()).searchParams;
    assert.ok(v.page.url().startsWith(callback) && q.get("state") === "s1", v.page.url());
    return post("/oauth2/token", new URLSearchParams({ grant_type: "authorization_code", code: q.get("code"), redirect_uri: callback, code_verifier: verifier }));
  };

  step("an administrator lets the application in", async () => {
    await new Promise((resolve) => back.listen(0, "127.0.0.1", resolve));
    back.unref();
    callback = `http://127.0.0.1:${back.address().port}/kembali`;
    const admin = await Visitor.at(at.browser, at.server);
    await admin.signIn(at.server.person("Administrator"), { to: "/admin/aplikasi" });
    await admin.fill("name", "naskah");
    await admin.submit("/admin/aplikasi");
    secret = await admin.text(".secret .code");
    await admin.goto("/admin/aplikasi");
    await admin.click("naskah", "main td a, main th a");
    await admin.fill("redirects", callback);
    await admin.fill("window", "15");
    await admin.submit(admin.path() + "/oauth");
    await admin.sees("Perubahan disimpan", "body");
    await admin.seesPage();
    await admin.close();
  });

  step("its user lets it see the certificate", async () => {
    v = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await v.signIn(at.server.person("memiliki sertifikat"));
    await v.goto(request({ scope: "service" }));
    await v.sees("tidak dapat menandatangani");
    await v.seesPage();
    await v.click("Izinkan");
    const tokens = await exchange();
    assert.equal(tokens.scope, "service", JSON.stringify(tokens));
    token = tokens.access_token;
    [credential] = (await post("/csc/v2/credentials/list", {}, token)).credentialIDs;
    const info = await post("/csc/v2/credentials/info", { credentialID: credential }, token);
    certificate = new X509Certificate(Buffer.from(info.cert.certificates[0], "base64"));
  });

  step("types the passphrase on our page, and the application signs these hashes only", async () => {
    const hashes = ["satu", "dua"].map((t) => createHash("sha256").update(t).digest());
    await v.goto(request({ scope: "credential", credentialID: credential, numSignatures: "2", hashes: hashes.map((h) => h.toString("base64url")).join(","), description: "Dua surat tugas" }));
    await v.sees("Dua surat tugas");
    await v.sees(hashes[1].toString("hex"));
    await v.sees("Sisa percobaan");
    await v.seesPage();
    await v.fill("passphrase", demo.passphrase);
    await v.click("Setujui 2 tanda tangan");
    const tokens = await exchange();
    const sign = (h) => post("/csc/v2/signatures/signHash", { credentialID: credential, hashes: [h.toString("base64")], signAlgo: "1.2.840.10045.4.3.2" }, tokens.access_token);
    for (const text of ["satu", "dua"]) {
      const out = await sign(createHash("sha256").update(text).digest());
      assert.ok(out.signatures, JSON.stringify(out));
      assert.ok(verify("sha256", Buffer.from(text), certificate.publicKey, Buffer.from(out.signatures[0], "base64")), "the signature does not verify");
    }
    const other = await sign(createHash("sha256").update("tiga").digest());
    assert.equal(other.error_description, "Hash is not authorized by the SAD");
  });

  step("a window is opened, seen and ended", async () => {
    await v.goto("/dokumen/aplikasi/buka");
    await v.seesPage();
    await v.check("aplikasi", await v.page.$$eval("label", (all) => document.getElementById(all.find((l) => l.innerText.trim() === "naskah").htmlFor).value));
    await v.fill("passphrase", demo.passphrase);
    await v.submit("/dokumen/aplikasi/buka");
    await v.sees("0 dari 100 tanda tangan");
    await v.seesPage();
    await v.click("Akhiri sekarang");
    await v.sees("Tidak ada jendela yang terbuka");
    await v.close();
    back.close();
  });
});

// An officer signs what he approves with a passkey that the ca role knows.
// Chromium alone has authenticators that a test can make.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { journey } from "../lib/journey.mjs";
import { environment, program } from "../lib/server.mjs";
import { check, openCase } from "../lib/steps.mjs";
import { Visitor } from "../lib/visitor.mjs";

// Passkeys belong to a name, not to an address.
const env = { ABSAH_BASE_URL: "http://localhost:{port}", ABSAH_POLICY_APPROVAL: "passkey" };

journey("approval by passkey", { env, only: ["chromium"] }, (at, step) => {
  step("the officer's passkey signs the first check", async () => {
    const v = await Visitor.at(at.browser, at.server);
    const cdp = await v.page.createCDPSession();
    await cdp.send("WebAuthn.enable");
    await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    });
    await v.signIn(at.server.person("Petugas DS"), { to: "/petugas" });
    const person = at.server.person("menunggu pemeriksaan pertama");
    await openCase(v, person);
    await v.sees("Belum ada passkey Anda yang disahkan");
    assert.equal(await v.page.$('form:is([action$="/periksa"], [action*="/periksa?"]) button[value=terima]'), null, "an officer who cannot sign may approve");

    await v.goto("/akun");
    await v.fill("name", "Kunci uji");
    await Promise.all([v.page.waitForNavigation(), v.page.click("[data-passkey=create] button")]);
    await v.goto("/akun");
    const mark = (await v.text()).match(/[0-9a-f]{4}(-[0-9a-f]{4}){4}/)[0];
    const said = execFileSync(program, ["ca", "passkey", "pin", mark, "--data", at.server.data], { encoding: "utf8", env: environment({}) });
    assert.match(said, new RegExp(mark));

    await openCase(v, person);
    await v.sees("passkey Anda menandatangani");
    await check(v);
    await v.sees("Tautan berlaku sampai");
    await v.close();
  });
});

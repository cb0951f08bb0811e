// Lets @signpdf do what command ours does: sign KEY CERT CHAIN IN N [OUT]. It has no
// signatures by elliptic curves, and does not verify.
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { plainAddPlaceholder } from "@signpdf/placeholder-plain";
import { P12Signer } from "@signpdf/signer-p12";
import signing from "@signpdf/signpdf";
import { SUBFILTER_ETSI_CADES_DETACHED } from "@signpdf/utils";

const signpdf = signing.default; // of a CommonJS module
const [mode, keyFile, , , input, times, output] = process.argv.slice(2);
if (mode !== "sign") {
  throw new Error("@signpdf does not verify");
}
// It takes its key as PKCS #12 only, which its parser knows in the old encryption, and
// fails on certificates that an authority with an elliptic curve issued, as ours are
// here: it gets one that is signed by its own key.
const cert = execFileSync("openssl", ["req", "-x509", "-key", keyFile, "-subj", "/CN=Siti Contoh", "-days", "20"]);
const p12 = execFileSync("openssl", ["pkcs12", "-export", "-legacy", "-inkey", keyFile, "-passout", "pass:peer"], { input: cert });
const data = await readFile(input);
const sign = () =>
  signpdf.sign(
    plainAddPlaceholder({
      pdfBuffer: Buffer.from(data), reason: "", contactInfo: "", name: "", location: "",
      signatureLength: 8192, subFilter: SUBFILTER_ETSI_CADES_DETACHED,
    }),
    new P12Signer(p12, { passphrase: "peer" }), // good for one signature
  );
if (output) {
  await writeFile(output, await sign());
} else {
  const n = Number(times);
  for (let i = 0; i < n; i++) await sign(); // warm
  const start = performance.now();
  for (let i = 0; i < n; i++) await sign();
  console.log((n / ((performance.now() - start) / 1000)).toFixed(0));
}

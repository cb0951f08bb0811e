// Drives Debian's Chromium and Firefox ESR with the same commands.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const programs = {
  chromium: process.env.ABSAH_CHROMIUM ?? "/usr/bin/chromium",
  firefox: process.env.ABSAH_FIREFOX ?? "/usr/bin/firefox-esr",
};

// The same Chromium without a browser's frame around its pages. Each page costs half as much,
// so that what looks at many pages takes it where it is installed.
const frameless = "/usr/bin/chromium-headless-shell";

// browsers are those that the tests run in: both, or the one that ABSAH_BROWSER names.
export const browsers = process.env.ABSAH_BROWSER ? [process.env.ABSAH_BROWSER] : ["chromium", "firefox"];

// open starts one, of Chromium the one without a frame when that is enough; engine is its name.
export async function open(name, frame = true) {
  const profile = mkdtempSync(join(tmpdir(), `absah-${name}-`));
  const browser = await puppeteer.launch(
    name === "chromium"
      ? {
          browser: "chrome",
          executablePath: !frame && !process.env.ABSAH_CHROMIUM && existsSync(frameless) ? frameless : programs.chromium,
          headless: true,
          userDataDir: profile,
          protocolTimeout: 120_000,
          args: [
            "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=id",
          ],
        }
      : {
          browser: "firefox",
          executablePath: programs.firefox,
          headless: true,
          userDataDir: profile,
          protocolTimeout: 120_000,
          extraPrefsFirefox: {
            "intl.accept_languages": "id",
            "app.update.enabled": false,
            "datareporting.policy.dataSubmissionEnabled": false,
            "network.captive-portal-service.enabled": false,
            "network.connectivity-service.enabled": false,
            // One process for all pages, and none made beforehand: they are of one server.
            "dom.ipc.processPrelaunch.enabled": false,
            "dom.ipc.processCount": 1,
            "fission.autostart": false,
          },
        },
  );
  browser.engine = name;
  const close = browser.close.bind(browser);
  browser.close = async () => {
    await close();
    rmSync(profile, { recursive: true, force: true });
  };
  return browser;
}

// One browser serves all journeys of a run: to start Firefox takes as much time as
// thirty pages. A journey's windows are its own, and end with it.
const running = new Map();

export async function borrow(name, frame = true) {
  const key = frame || name !== "chromium" ? name : "frameless";
  if (!running.get(key)?.connected) running.set(key, await open(name, frame));
  return running.get(key);
}

export async function giveBack(browser) {
  if (!browser?.connected) return;
  for (const context of browser.browserContexts()) if (context !== browser.defaultBrowserContext()) await context.close();
}

export async function closeAll() {
  for (const browser of running.values()) await browser.close();
}

// The browser, and pages that write down every complaint.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { LONG_MS } from "./wait.mjs";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export async function openBrowser(executablePath, base) {
  const home = await mkdtemp(join(tmpdir(), "tradewind-chromium-"));
  const browser = await chromium.launch({ executablePath, args: FLAGS, timeout: LONG_MS, env: { ...process.env, HOME: home } });
  const complaints = [];
  const origin = new URL(base).origin;

  /**
   * A page of its own at a view. `expect` lists texts of complaints that the check provokes. With
   * `clock` its timers can be moved on by `page.clock`, so that no check waits for their time.
   */
  async function open(view, { width = 1280, height = 800, scheme = "dark", expect = [], clock = false, ...more } = {}) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: "en-GB", ...more });
    const page = await context.newPage();
    page.setDefaultTimeout(LONG_MS);
    const complain = (text) => {
      if (!expect.some((part) => text.includes(part))) complaints.push(`${view}: ${text}`);
    };
    page.on("console", (m) => { if (["error", "warning"].includes(m.type())) complain(m.text()); });
    page.on("pageerror", (error) => complain(String(error.stack ?? error)));
    page.on("dialog", async (dialog) => {
      complain(`a dialog opened: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !url.startsWith("data:")) complain(`asked another host: ${url}`);
    });
    await page.exposeFunction("reportViolation", (text) => complain(`policy: ${text}`));
    await page.addInitScript(() => addEventListener("securitypolicyviolation", (e) =>
      window.reportViolation(`${e.violatedDirective} ${e.blockedURI}`)));
    if (clock) await page.clock.install();
    await page.goto(base + view);
    return page;
  }

  const close = async () => {
    await browser.close();
    await rm(home, { recursive: true, force: true });
  };
  return { open, close, complaints };
}

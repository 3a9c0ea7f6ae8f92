// Clicks through the console of a running system, in a real browser.
//
//   node run.mjs --bin PATH     starts PATH (or $TRADEWIND_BIN) on a free port with a fresh data directory
//   node run.mjs --url URL      uses what runs at URL (the gateway's address)
//   node run.mjs --only PARTS   runs these parts of the checks: --only overview,links
//   node run.mjs -- FLAGS       gives `tradewind up` these flags: -- --apart --replicas links=3
//
// Prints one line for each check and "N passed, N failed" at the end. Without a browser it says what
// it skipped, and fails where CI=true.

import { existsSync } from "node:fs";
import { parseArgs } from "node:util";

import { axis, design, traces } from "./checks/design.mjs";
import { failures } from "./checks/failures.mjs";
import { faults } from "./checks/faults.mjs";
import { keyboard } from "./checks/keyboard.mjs";
import { lab } from "./checks/lab.mjs";
import { links } from "./checks/links.mjs";
import { overview } from "./checks/overview.mjs";
import { readable } from "./checks/readable.mjs";
import { openBrowser } from "./browser.mjs";
import { startSystem } from "./system.mjs";

const PARTS = { overview, links, design, axis, traces, faults, lab, keyboard, readable, failures };
const text = { type: "string" };
const { values, positionals: flags } = parseArgs({
  options: { bin: text, url: text, only: text }, allowPositionals: true,
});
const wanted = values.only?.split(",") ?? Object.keys(PARTS);
const bin = values.bin ?? process.env.TRADEWIND_BIN;
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

if (!chromium) {
  console.log("skipped: no browser at /usr/bin/chromium; install the package chromium");
  process.exit(process.env.CI === "true" ? 1 : 0);
}
if (!bin && !values.url) {
  console.error("name the program with --bin target/debug/tradewind, or a running system with --url");
  process.exit(2);
}

const unknown = wanted.filter((part) => !PARTS[part]);
if (unknown.length) {
  console.error(`no part ${unknown}; there are: ${Object.keys(PARTS)}`);
  process.exit(2);
}

const system = values.url ? { gateway: values.url.replace(/\/$/, ""), stop: async () => {} } : await startSystem(bin, flags);
const browser = await openBrowser(chromium, `${system.gateway}/console`);
let passed = 0;
let failed = 0;

/** One check: a sentence, and what must not throw. */
async function check(sentence, act) {
  try {
    await act();
    passed += 1;
    console.log(`ok    ${sentence}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${sentence}\n      ${String(error.stack ?? error).split("\n").slice(0, 6).join("\n      ")}`);
  }
}

try {
  const world = { system, browser, check, gateway: system.gateway, started: !values.url };
  for (const part of wanted) await PARTS[part](world);
  await check("no view logged an error, broke the policy or asked another host", async () => {
    if (browser.complaints.length) throw new Error(browser.complaints.join("\n"));
  });
} finally {
  await browser.close();
  await system.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

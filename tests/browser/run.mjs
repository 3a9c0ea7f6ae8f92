// Clicks through the console of a running system, in a real browser.
//
//   node run.mjs --bin PATH     starts PATH (or $TRADEWIND_BIN) on a free port with a fresh data directory
//   node run.mjs --url URL      uses what runs at URL (the gateway's address)
//   node run.mjs --list         prints the parts with the services that each is about, as JSON
//   node run.mjs --only WHAT    runs these parts: --only overview,links; or one check by some of its words
//   node run.mjs -- FLAGS       gives `tradewind up` these flags: -- --apart --replicas links=3
//
// A part is a file in checks/: its default export runs it, `services` names the services that it is
// about besides the console, and `order` its place in a run, 50 unless it says so. Parts need nothing
// of each other. Checks of a part build on those before, so what stands before the one that is asked
// for is run as well.
//
// Prints one line for each check and "N passed, N failed" at the end. Without a browser it says what
// it skipped, and fails where CI=true.

import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { openBrowser } from "./browser.mjs";
import { startSystem } from "./system.mjs";

const CHECKS = new URL("checks/", import.meta.url);

/** Every part, in the order of a run. */
async function allParts() {
  const files = (await readdir(CHECKS)).filter((file) => file.endsWith(".mjs")).sort();
  const parts = await Promise.all(files.map(async (file) => {
    const { default: run, services, order = 50 } = await import(new URL(file, CHECKS));
    if (!run || !services) throw new Error(`checks/${file} exports no default function or no services`);
    return { name: file.replace(/\.mjs$/, ""), services, order, run, text: await readFile(new URL(file, CHECKS), "utf8") };
  }));
  return parts.sort((a, b) => a.order - b.order);
}

function refuse(text) {
  console.error(text);
  process.exit(2);
}

const text = { type: "string" };
const { values, positionals: flags } = parseArgs({
  options: { bin: text, url: text, only: text, list: { type: "boolean" } }, allowPositionals: true,
});
const parts = await allParts();
if (values.list) {
  console.log(JSON.stringify({ parts: parts.map(({ name, services }) => ({ name, services })) }));
  process.exit(0);
}

/** The parts that are wanted, and the words of a check if one is. */
function choose(only) {
  if (!only) return { wanted: parts };
  const names = only.split(",");
  const wanted = parts.filter((part) => names.includes(part.name));
  if (wanted.length === names.length) return { wanted };
  const holding = parts.filter((part) => part.text.includes(only));
  if (!holding.length) refuse(`no part and no check is called '${only}'; there are: ${parts.map((part) => part.name)}`);
  return { wanted: holding, words: only };
}

const { wanted, words } = choose(values.only);
const bin = values.bin ?? process.env.TRADEWIND_BIN;
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

if (!chromium) {
  console.log("skipped: no browser at /usr/bin/chromium; install the package chromium");
  process.exit(process.env.CI === "true" ? 1 : 0);
}
if (!bin && !values.url) refuse("name the program with --bin target/debug/tradewind, or a running system with --url");

const system = values.url ? { gateway: values.url.replace(/\/$/, ""), stop: async () => {} } : await startSystem(bin, flags);
const browser = await openBrowser(chromium, `${system.gateway}/console`);
let passed = 0;
let failed = 0;
let met = false;

function fails(what, error) {
  failed += 1;
  console.log(`FAIL  ${what}\n      ${String(error.stack ?? error).split("\n").slice(0, 6).join("\n      ")}`);
}

/** One check: a sentence, and what must not throw. What comes after the one that is asked for is left out. */
async function check(sentence, act) {
  const meant = !words || sentence.includes(words);
  if (met && !meant) return;
  const begun = performance.now();
  try {
    await act();
    if (meant) passed += 1;
    console.log(`${meant ? "ok   " : "(ok) "} ${sentence} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    fails(sentence, error);
  }
  met ||= Boolean(words) && meant;
}

try {
  const world = { system, browser, check, gateway: system.gateway, started: !values.url };
  for (const part of wanted) {
    met = false;
    // What a part prepares for its checks may fail as well.
    await part.run(world).catch((error) => fails(`the part ${part.name}`, error));
  }
  met = false;
  await check("no view logged an error, broke the policy or asked another host", async () => {
    if (browser.complaints.length) throw new Error(browser.complaints.join("\n"));
  });
} finally {
  await browser.close();
  await system.stop();
}
if (words && !passed && !failed) refuse(`no check has the words '${words}'`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

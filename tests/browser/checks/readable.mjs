// Readable by everybody: names for all controls, contrast, narrow windows, no needless motion.

import { rm } from "node:fs/promises";
import { join } from "node:path";

import { contrastFaults, nameFaults } from "../in-page.mjs";
import { plant, recorded } from "../planted.mjs";
import { same, truth, until } from "../wait.mjs";

export const services = ["links"];

const RUN = "20270101-000000-planted";
const VIEWS = [
  "/", "/services/links", "/links", "/links/new", "/design", "/faults", "/traces", "/lab", `/lab?runs=${RUN}`,
];
/** How many views are read at once. */
const AT_ONCE = 3;

/** What is wrong in a view, in both schemes and in a narrow window: each page is loaded once. */
async function read(browser, view, found) {
  // Colours that are on their way to others have no contrast of their own.
  const page = await browser.open(view, { reducedMotion: "reduce" });
  await page.locator("h1").first().waitFor({ state: "attached" });
  await page.waitForFunction(() => !document.querySelector("#main").innerText.includes("Reading …")
    && !document.body.innerText.includes("Measuring …"));
  const note = (list, faults) => list.push(...faults.map((fault) => `${view}: ${fault}`));
  note(found.nameless, await page.evaluate(nameFaults));
  for (const scheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme: scheme });
    note(found[scheme], await page.evaluate(contrastFaults));
  }
  await page.setViewportSize({ width: 380, height: 800 });
  if (view === "/") {
    await until("the map is a list", async () => (await page.locator(".plan").count()) === 0
      && (await page.locator(".overview .list .card").count()) >= 2);
  }
  // A chart follows its window a moment later.
  const over = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await until("it fits", async () => (await over()) <= 0).catch(async () => note(found.wide, [`${await over()} px too wide`]));
  found.views += 1;
  await page.context().close();
}

export default async function readable({ browser, check, gateway, system }) {
  const made = await fetch(`${gateway}/api/links`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ url: "https://example.com/readable" }),
  });
  const views = [...VIEWS, `/links/${(await made.json()).id}`];
  const found = { views: 0, nameless: [], dark: [], light: [], wide: [] };
  if (system.lab) await plant(system.lab, RUN, JSON.stringify(recorded(RUN, 1)));

  const none = (list) => {
    same(list.join("\n"), "", "faults");
    same(found.views, views.length, "views that were read to their end");
  };

  await check("every control, picture and page has a name", async () => {
    const left = [...views];
    const reader = async () => {
      for (let view = left.shift(); view; view = left.shift()) await read(browser, view, found);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, reader));
    none(found.nameless);
  });

  for (const scheme of ["dark", "light"]) {
    await check(`text has a contrast of 4.5 to 1 (${scheme})`, async () => none(found[scheme]));
  }

  await check("380 px are enough, and the map is a list there", async () => none(found.wide));

  await check("what reads names, contrast and width finds planted faults", async () => {
    const page = await browser.open("/links/new", { width: 380 });
    await page.locator("h1").waitFor();
    await page.evaluate(() => {
      const bad = document.createElement("p");
      bad.textContent = "too pale";
      bad.style.color = "#333a42";
      bad.style.width = "500px";
      bad.dataset.planted = "";
      document.querySelector(".page").append(bad, document.createElement("button"), document.createElement("input"));
    });
    truth((await page.evaluate(contrastFaults)).some((f) => f.includes("too pale")), "pale text was not found");
    same((await page.evaluate(nameFaults)).length, 2, "controls without a name");
    truth(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), "a wide page was not found");
    await page.emulateMedia({ colorScheme: "light" });
    await page.evaluate(() => { document.querySelector("[data-planted]").style.color = "#e8e8e8"; });
    truth((await page.evaluate(contrastFaults)).some((f) => f.includes("too pale")), "pale text was not found in light");
    await page.context().close();
  });

  await check("whoever wants no motion gets none", async () => {
    const page = await browser.open("/", { reducedMotion: "reduce" });
    await page.locator(".plan a.card").first().waitFor();
    const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((e) => {
      const style = getComputedStyle(e);
      return style.animationName !== "none" || style.transitionDuration.split(",").some((d) => parseFloat(d) > 0 && style.transitionProperty !== "none");
    }).length);
    same(moving, 0, "things that move");
    await page.context().close();
  });
  if (system.lab) await rm(join(system.lab, RUN), { recursive: true });
}

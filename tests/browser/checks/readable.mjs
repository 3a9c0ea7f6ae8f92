// Readable by everybody: names for all controls, contrast, narrow windows, no needless motion.

import { same, truth } from "../wait.mjs";
import { contrastFaults, nameFaults } from "./in-page.mjs";

const VIEWS = [
  "/", "/services/links", "/links", "/links/new", "/design", "/faults", "/traces", "/lab", "/lab?runs=20270101-000000-planted",
];

async function views(browser, gateway, options, look) {
  const { items } = await (await fetch(`${gateway}/api/links?limit=1`)).json();
  for (const view of [...VIEWS, ...items.map((link) => `/links/${link.id}`)]) {
    const page = await browser.open(view, options);
    await page.locator("h1").first().waitFor({ state: "attached" });
    await page.waitForFunction(() => !document.querySelector("#main").innerText.includes("Reading …")
      && !document.body.innerText.includes("Measuring …"));
    await look(page, view);
    await page.context().close();
  }
}

export async function readable({ browser, check, gateway }) {
  await check("every control, picture and page has a name", () => views(browser, gateway, {}, async (page, view) => {
    const faults = await page.evaluate(nameFaults);
    same(faults.join("\n"), "", view);
  }));

  for (const scheme of ["dark", "light"]) {
    await check(`text has a contrast of 4.5 to 1 (${scheme})`, () => views(browser, gateway, { scheme }, async (page, view) => {
      const faults = await page.evaluate(contrastFaults);
      same(faults.join("\n"), "", view);
    }));
  }

  await check("the two checks above find planted faults", async () => {
    const page = await browser.open("/links/new");
    await page.locator("h1").waitFor();
    await page.evaluate(() => {
      const bad = document.createElement("p");
      bad.textContent = "too pale";
      bad.style.color = "#333a42";
      document.querySelector(".page").append(bad, document.createElement("button"), document.createElement("input"));
    });
    truth((await page.evaluate(contrastFaults)).some((f) => f.includes("too pale")), "pale text was not found");
    same((await page.evaluate(nameFaults)).length, 2, "controls without a name");
    await page.context().close();
  });

  await check("380 px are enough, and the map is a list there", async () => {
    await views(browser, gateway, { width: 380, height: 800 }, async (page, view) => {
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      truth(over <= 0, `${view} is ${over} px too wide`);
      if (view === "/") {
        same(await page.locator(".plan").count(), 0, "maps");
        truth(await page.locator(".overview .list .card").count() >= 2, "the list is short");
      }
    });
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
}

// The map: every service with its health in words, live.

import { same, truth, until } from "../wait.mjs";

/** First: it needs a moment without traffic. */
export const order = 0;
export const services = ["gateway", "links"];

export default async function overview({ browser, check, gateway, system }) {
  const page = await browser.open("/");

  const figures = (name) => page.locator(".plan a.card", { hasText: name }).locator(".figures").innerText();
  const ask = (times) => Promise.all(Array.from({ length: times }, () => fetch(`${gateway}/api/links?limit=1`)));

  await check("the map shows every service with figures", async () => {
    for (const name of ["gateway", "links"]) {
      await page.locator(".plan a.card", { hasText: name }).waitFor();
      await until(`the card of ${name} has figures`, async () => /no traffic|\/s · /.test(await figures(name)));
    }
  });

  await check("the head line says what the system stands on", async () => {
    const stands = await page.locator(".stands").innerText();
    for (const word of ["topology", "store", "cache", "events"]) truth(stands.includes(word), `${word} is missing: ${stands}`);
  });

  await check("traffic is seen within seconds, without a reload, and so is its end", async () => {
    await page.evaluate(() => { window.stays = true; });
    await until("nobody asks links", async () => (await figures("links")) === "no traffic");
    await until("both show a rate and how slow they are", async () => {
      await ask(2);
      const shown = await Promise.all(["gateway", "links"].map(figures));
      return shown.every((text) => /^[\d.,]+\/s · p99 [\d.,]+ (µs|ms|s)$/.test(text));
    });
    await until("the way between them shows a rate, too", async () => {
      await ask(1);
      return (await page.locator(".plan a.edge", { hasText: "/s" }).count()) > 0;
    });
    await until("links is quiet again", async () => (await figures("links")) === "no traffic");
    truth(await page.evaluate(() => window.stays), "the page was loaded anew");
  });

  await check("a service opens a panel with its figures, at an address of its own", async () => {
    await page.locator(".plan a.card", { hasText: "links" }).click();
    await page.locator("aside.panel h2", { hasText: "links" }).waitFor();
    const panel = await page.locator("aside.panel").innerText();
    for (const word of ["rate", "errors", "p50 · p99", "Replicas"]) truth(panel.includes(word), `${word} is missing`);
    const rows = page.locator("aside.panel h3", { hasText: "Replicas" }).locator("+ ul > li");
    const shown = async () => (await rows.allInnerTexts()).map((row) => row.trim().split(/\s+/).slice(0, 2).join(" ")).sort().join();
    truth((await shown()).length > 0, "no replica is listed");
    if (system.status) {
      await until("the replicas are those that run", async () => {
        const { replicas } = await system.status();
        const run = replicas.filter((r) => r.services.includes("links")).map((r) => `${r.id} ${r.state}`);
        return (await shown()) === run.sort().join();
      });
    }
    same(new URL(page.url()).pathname, "/console/services/links");
    await page.reload();
    await page.locator("aside.panel h2", { hasText: "links" }).waitFor();
    await page.getByRole("link", { name: "Close the panel" }).click();
    await until("it is closed", async () => (await page.locator("aside.panel").count()) === 0);
  });

  await check("an unknown address says so and leads back", async () => {
    const lost = await browser.open("/nowhere");
    await lost.getByRole("heading", { name: "There is no such page" }).waitFor();
    await lost.getByRole("link", { name: "Go to the map" }).click();
    await lost.locator(".plan a.card").first().waitFor();
    await lost.context().close();
  });
  await page.context().close();
}

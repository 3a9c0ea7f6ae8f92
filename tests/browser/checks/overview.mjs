// The map: every service with its health in words, live.

import { same, truth, until } from "../wait.mjs";

export async function overview({ browser, check, gateway }) {
  const page = await browser.open("/");

  await check("the map shows every service with figures", async () => {
    for (const name of ["gateway", "links"]) {
      const card = page.locator(".plan a.card", { hasText: name });
      await card.waitFor();
      truth(/traffic|\/s/.test(await card.innerText()), `the card of ${name} has no figures`);
    }
  });

  await check("the head line says what the system stands on", async () => {
    const stands = await page.locator(".stands").innerText();
    for (const word of ["topology", "store", "cache", "events"]) truth(stands.includes(word), `${word} is missing: ${stands}`);
  });

  await check("traffic is seen within seconds, without a reload", async () => {
    await page.evaluate(() => { window.stays = true; });
    const card = page.locator(".plan a.card", { hasText: "gateway" });
    await until("the gateway's card shows a rate", async () => {
      await Promise.all(Array.from({ length: 5 }, () => fetch(`${gateway}/api/links?limit=1`)));
      return /\d\/s/.test(await card.innerText());
    });
    await page.locator(".plan a.edge", { hasText: "/s" }).first().waitFor();
    truth(await page.evaluate(() => window.stays), "the page was loaded anew");
  });

  await check("a service opens a panel with its figures, at an address of its own", async () => {
    await page.locator(".plan a.card", { hasText: "links" }).click();
    await page.locator("aside.panel h2", { hasText: "links" }).waitFor();
    const panel = await page.locator("aside.panel").innerText();
    for (const word of ["rate", "errors", "p50 · p99", "Replicas"]) truth(panel.includes(word), `${word} is missing`);
    same(new URL(page.url()).pathname, "/console/services/links");
    await page.reload();
    await page.locator("aside.panel h2", { hasText: "links" }).waitFor();
    await page.getByRole("link", { name: "Close the panel" }).click();
    same(await page.locator("aside.panel").count(), 0, "panels");
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

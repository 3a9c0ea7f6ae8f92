// The map: every service with its health in words, live.

import { same, truth, until } from "../wait.mjs";

export async function overview({ browser, check, gateway, system }) {
  const page = await browser.open("/");

  const figures = (name) => page.locator(".plan a.card", { hasText: name }).locator(".figures").innerText();
  const ask = (times) => Promise.all(Array.from({ length: times }, () => fetch(`${gateway}/api/links?limit=1`)));

  await check("the map shows every service with figures", async () => {
    for (const name of ["gateway", "links"]) {
      await page.locator(".plan a.card", { hasText: name }).waitFor();
      await until(`the card of ${name} shows a rate and how slow it is`, async () => {
        await ask(2);
        return /^[\d.,]+\/s · p99 [\d.,]+ (µs|ms|s)$/.test(await figures(name));
      });
    }
  });

  await check("the head line says what the system stands on", async () => {
    const stands = await page.locator(".stands").innerText();
    for (const word of ["topology", "store", "cache", "events"]) truth(stands.includes(word), `${word} is missing: ${stands}`);
  });

  await check("traffic is seen within seconds, without a reload", async () => {
    await page.evaluate(() => { window.stays = true; });
    const rate = async () => parseFloat((await figures("gateway")).replaceAll(",", "")) || 0;
    const before = await rate();
    await until("the rate of the gateway rises", async () => {
      await ask(20);
      return (await rate()) > before;
    });
    await page.locator(".plan a.edge", { hasText: "/s" }).first().waitFor();
    await until("and falls when it is quiet", async () => (await figures("links")) === "no traffic");
    truth(await page.evaluate(() => window.stays), "the page was loaded anew");
  });

  await check("a service opens a panel with its figures, at an address of its own", async () => {
    await page.locator(".plan a.card", { hasText: "links" }).click();
    await page.locator("aside.panel h2", { hasText: "links" }).waitFor();
    const panel = await page.locator("aside.panel").innerText();
    for (const word of ["rate", "errors", "p50 · p99", "Replicas"]) truth(panel.includes(word), `${word} is missing`);
    const shown = await page.locator("aside.panel h3", { hasText: "Replicas" }).locator("+ ul > li").allInnerTexts();
    truth(shown.length > 0, "no replica is listed");
    if (system.status) {
      const { replicas } = await system.status();
      const run = replicas.filter((r) => r.services.includes("links")).map((r) => `${r.id} ${r.state}`);
      same(shown.map((row) => row.trim().split(/\s+/).slice(0, 2).join(" ")).sort().join(), run.sort().join(), "replicas");
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

// Traces: a request is found, and read step by step.

import { until } from "../wait.mjs";

export const services = ["gateway", "links"];

export default async function traces({ browser, check, gateway }) {
  const page = await browser.open("/traces");
  await check("a request is found as a trace, step by step", async () => {
    const rows = page.locator("table.list tbody tr");
    await until("a trace is kept", async () => {
      await fetch(`${gateway}/api/links?limit=1`);
      await page.getByRole("button", { name: "Read again" }).click();
      return (await rows.count()) > 0;
    });
    await rows.first().getByRole("link").click();
    await page.getByRole("heading", { name: "Trace" }).waitFor();
    await page.locator(".spans li").first().waitFor();
    await page.locator(".spans summary").first().click();
    await page.locator(".spans .facts").first().waitFor();
  });
  await page.context().close();
}

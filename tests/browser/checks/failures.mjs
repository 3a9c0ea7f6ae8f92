// When the server goes away, the page says so and what to do. Last, because it stops the system.

import { truth } from "../wait.mjs";

const NOISE = ["Failed to load resource", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED", "net::ERR"];

/** Last: it stops the system. */
export const order = 100;
export const services = [];

export default async function failures({ browser, check, system, gateway, started }) {
  if (!started) {
    console.log("skipped: the system was not started here, so it is not stopped here");
    return;
  }
  await fetch(`${gateway}/api/links`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ url: "https://example.com/kept" }),
  });
  const page = await browser.open("/links", { expect: NOISE });
  await page.getByLabel("Order").waitFor();
  await check("a server that went away is told in words, with what to do", async () => {
    await system.stop();
    await page.getByText("The server does not answer. Trying again").waitFor();
    await page.getByLabel("Order").selectOption({ index: 1 });
    const trouble = page.getByRole("alert");
    await trouble.waitFor();
    truth((await trouble.innerText()).includes("see whether tradewind still runs"), await trouble.innerText());
  });
  await page.context().close();
}

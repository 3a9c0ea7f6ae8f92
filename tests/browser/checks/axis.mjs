// The time axis: a moment of the past, and back to now.

import { until } from "../wait.mjs";

export const services = [];

export default async function axis({ browser, check }) {
  const page = await browser.open("/");
  await check("a moment on the axis moves the page there, and back", async () => {
    await page.locator(".plan a.card").first().waitFor();
    const track = page.getByRole("slider");
    await until("there is a moment to go to", async () => {
      await track.focus();
      await page.keyboard.press("ArrowLeft");
      return (await page.getByText(/^Showing \d\d:\d\d:\d\d/).count()) > 0;
    });
    await page.getByRole("button", { name: "Back to now" }).click();
    await until("it is back at now", async () => (await page.locator(".past").count()) === 0);
    const box = await track.boundingBox();
    await page.mouse.click(box.x + box.width * 0.99, box.y + box.height / 2);
    await page.getByText(/^Showing/).waitFor();
    await track.focus();
    await page.keyboard.press("Escape");
    await until("it shows now", async () => (await page.locator(".past").count()) === 0);
  });
  await page.context().close();
}

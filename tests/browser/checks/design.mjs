// Knobs: switched here and elsewhere, with what each trades.

import { same, truth, until } from "../wait.mjs";

const setting = (knob) => knob.locator("label.on").innerText();

export const services = ["gateway", "links"];

export default async function design({ browser, check }) {
  const page = await browser.open("/design");

  await check("a design choice is switched and kept", async () => {
    const knob = page.locator(".knob").first();
    await knob.waitFor();
    const before = await setting(knob);
    const other = knob.locator("label:not(.on)").first();
    const wanted = await other.innerText();
    await other.click();
    await until("the page shows it", async () => (await setting(knob)) === wanted
      && (await knob.locator(".choice").getAttribute("aria-busy")) === "false");
    await page.reload();
    await knob.waitFor();
    same(await setting(knob), wanted, "the setting after a reload");
    await knob.locator("label", { hasText: before }).first().click();
    await until("it is back", async () => (await setting(knob)) === before
      && (await knob.locator(".choice").getAttribute("aria-busy")) === "false");
  });

  await check("a change made elsewhere is seen", async () => {
    const other = await browser.open("/design");
    const [here, there] = [page, other].map((p) => p.locator(".knob").first());
    await there.waitFor();
    const before = await setting(here);
    await there.locator("label:not(.on)").first().click();
    await until("this page shows it too", async () => (await setting(here)) !== before);
    await there.locator("label", { hasText: before }).first().click();
    await until("and the way back", async () => (await setting(here)) === before);
    await other.context().close();
  });

  await check("each choice says what it trades", async () => {
    const texts = await page.locator(".knob > p").allInnerTexts();
    truth(texts.length > 0, "there is no choice");
    same(texts.length, await page.locator(".knob-head").count(), "texts of choices");
    for (const text of texts) truth(text.length > 15, `too short: ${text}`);
  });

  await check("the change stands on the time axis", async () => {
    await page.locator(".axis .mark.knob").first().waitFor({ state: "attached" });
  });
  await page.context().close();
}

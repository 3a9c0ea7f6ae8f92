// Faults: injected where they are to strike, listed with what is left of them, ended.

import { same, truth, until } from "../wait.mjs";

const fails = async (gateway) => (await fetch(`${gateway}/api/links?limit=1`)).status;

export const services = ["links"];

export default async function faults({ browser, check, gateway }) {
  const page = await browser.open("/services/links");
  const form = page.getByRole("form", { name: "Inject a fault here" });
  const running = page.locator("li.fault");

  await check("a fault is injected on the panel of a service, by keyboard alone", async () => {
    const summary = page.locator(".inject summary");
    await summary.waitFor();
    await summary.focus();
    await page.keyboard.press("Enter");
    await form.waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    same(await form.locator("select[name=kind]").inputValue(), "fail", "what breaks");
    await form.locator("input[name=seconds]").focus();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("600");
    await page.keyboard.press("Enter");
    await running.first().waitFor();
    await until("requests fail", async () => (await fails(gateway)) === 503);
    const text = await running.first().innerText();
    truth(/links: requests fail \(unavailable\)/.test(text) && /\d+ s left/.test(text), text);
  });

  await check("the time that is left runs down, and the map and the list show the fault, too", async () => {
    const left = async () => Number(/(\d+) s left/.exec(await running.first().innerText())[1]);
    const before = await left();
    await until("a second is gone", async () => (await left()) < before);
    for (const path of ["/", "/faults"]) {
      const other = await browser.open(path);
      await other.locator("li.fault").first().waitFor();
      await other.context().close();
    }
    await page.locator(".axis .mark.fault").first().waitFor({ state: "attached" });
  });

  await check("a fault is ended by its button", async () => {
    await running.first().getByRole("button", { name: /^End: links/ }).click();
    await until("it is gone", async () => (await running.count()) === 0);
    await until("requests are answered", async () => (await fails(gateway)) === 200);
  });

  await check("a fault that ends by itself leaves the page", async () => {
    // On a busy machine a short one may be over before the page has shown it: then a longer one is tried.
    for (let seconds = 2, seen = false; !seen; seconds *= 2) {
      truth(seconds < 100, "the page never showed it");
      await form.locator("input[name=seconds]").fill(String(seconds));
      await form.getByRole("button", { name: "Inject this fault" }).click();
      const over = Date.now() + seconds * 1000;
      await until("it is shown, or over", async () => {
        seen = (await running.count()) > 0;
        return seen || Date.now() > over;
      });
    }
    await until("its time is over", async () => (await running.count()) === 0);
    await until("requests are answered", async () => (await fails(gateway)) === 200);
  });

  await check("without a fault the page says how to make one", async () => {
    await page.goto(`${new URL(page.url()).origin}/console/faults`);
    await page.getByRole("heading", { name: "Nothing is broken" }).waitFor();
  });
  await page.context().close();
}

// Everything by keyboard alone.

import { randomBytes } from "node:crypto";

import { same, truth, until } from "../wait.mjs";

const focused = (page) => page.evaluate(() => {
  const at = document.activeElement;
  const outlined = (e) => {
    const style = e && getComputedStyle(e);
    return Boolean(style) && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 && style.opacity !== "0";
  };
  return {
    text: (at.innerText || at.getAttribute("aria-label") || at.name || "").trim(), tag: at.tagName,
    // A choice hides its inputs and shows the focus on what is around them.
    ring: outlined(at) || (at.tagName === "INPUT" && outlined(at.closest("label"))),
  };
});

/** Tabs until `wanted` has the focus; everything on the way must show that it has it. */
async function tabTo(page, wanted, most = 60) {
  for (let n = 0; n < most; n += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    truth(at.ring || at.tag === "BODY", `${at.tag} "${at.text}" does not show the focus`);
    if (wanted(at)) return at;
  }
  throw new Error(`${most} tabs did not lead there`);
}

export const services = ["links"];

export default async function keyboard({ browser, check, gateway }) {
  const page = await browser.open("/");
  await page.locator(".plan a.card").first().waitFor();

  await check("the first tab offers a way past the navigation", async () => {
    await page.keyboard.press("Tab");
    same((await focused(page)).text, "Skip to the content");
    await page.keyboard.press("Enter");
    await until("the content has the focus", async () => (await page.evaluate(() => document.activeElement.id)) === "main");
  });

  await check("a link is made by keyboard alone", async () => {
    await page.goto(`${new URL(page.url()).origin}/console/links`);
    await page.getByRole("heading", { name: "Links", exact: true }).waitFor();
    await tabTo(page, (at) => at.text === "New link");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "New link" }).waitFor();
    await tabTo(page, (at) => at.text === "url");
    const code = `k${randomBytes(4).toString("hex")}`;
    await page.keyboard.type(`https://example.com/${code}`);
    await page.keyboard.press("Tab");
    await page.keyboard.type(code);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: code }).waitFor();
    const answer = await fetch(`${gateway}/${code}`, { redirect: "manual" });
    same(answer.headers.get("location"), `https://example.com/${code}`, "location");
  });

  await check("Ctrl K finds a link by its target and goes there", async () => {
    await page.goto(`${new URL(page.url()).origin}/console/`);
    await page.locator(".plan a.card").first().waitFor();
    const links = await (await fetch(`${gateway}/api/links?limit=1`)).json();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find anything" }).waitFor();
    await page.keyboard.type(links.items[0].code);
    await page.getByRole("option", { name: links.items[0].code }).first().waitFor();
    await until("the link is chosen", async () => {
      const chosen = await page.locator("[aria-selected=true]").innerText();
      if (chosen.includes(links.items[0].code)) return true;
      await page.keyboard.press("ArrowDown");
      return false;
    });
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: links.items[0].code }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find anything" }).waitFor();
    await page.keyboard.press("Escape");
    await until("it is closed", async () => (await page.locator("dialog.palette").count()) === 0);
  });

  await check("a design choice is switched by arrow keys", async () => {
    await page.goto(`${new URL(page.url()).origin}/console/design`);
    const knob = page.locator(".knob").first();
    await knob.waitFor();
    const before = await knob.locator("label.on").innerText();
    await knob.locator("input:checked").focus();
    await page.keyboard.press("ArrowRight");
    const settled = async () => (await knob.locator(".choice").getAttribute("aria-busy")) === "false";
    await until("another is on", async () => (await knob.locator("label.on").innerText()) !== before && settled());
    await knob.locator("input:checked").focus();
    await page.keyboard.press("ArrowLeft");
    await until("the first is on", async () => (await knob.locator("label.on").innerText()) === before && settled());
  });

  await check("a planted control that does not show the focus is found", async () => {
    for (const [style, tag] of [["a { outline: none !important }", "A "], ["input, label { outline: none !important }", "INPUT"]]) {
      await page.reload();
      await page.locator(".knob").first().waitFor();
      await page.evaluate((text) => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(text);
        document.adoptedStyleSheets.push(sheet);
      }, style);
      const trouble = await tabTo(page, () => false).catch((error) => error.message);
      truth(trouble.startsWith(tag) && trouble.includes("does not show the focus"), trouble);
    }
  });
  await page.context().close();
}

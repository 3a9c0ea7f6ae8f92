// Links from the cradle to the grave: make, find, follow, read, change, go back, delete.

import { randomBytes } from "node:crypto";

import { same, truth, until } from "../wait.mjs";

const HOSTILE = `<img src=x onerror="document.title='owned'">`;
const BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36";

export const services = ["links"];

export default async function links({ browser, check, gateway }) {
  const code = `t${randomBytes(4).toString("hex")}`;
  const page = await browser.open("/links", { clock: true, expect: ["status of 422", "status of 409", "status of 400"] });
  const short = `${gateway}/${code}`;
  const visit = () => fetch(short, {
    redirect: "manual",
    headers: { "user-agent": BROWSER, referer: "https://news.example/%3Cscript%3E", "accept-language": "de-AT,de;q=0.9" },
  });
  const clicks = () => page.locator(".figs div", { hasText: "in all" }).locator("dd").innerText().then(Number);

  await check("a wrong target is named where it stands", async () => {
    await page.getByRole("link", { name: "New link" }).click();
    await page.getByLabel("Where it leads").fill("javascript:alert(1)");
    await page.getByRole("button", { name: "Make the link" }).click();
    await page.locator(".field.wrong small").first().waitFor();
    await until("it has the focus", async () => (await page.evaluate(() => document.activeElement.name)) === "url");
  });

  await check("a link is made, with text that would be markup elsewhere", async () => {
    await page.getByLabel("Where it leads").fill(`https://example.com/${code}?from=test`);
    await page.getByLabel("Code").fill(code);
    await page.getByLabel("Title").fill(HOSTILE);
    await page.getByLabel("Tags").fill("browser-test, spring");
    await page.getByRole("button", { name: "Make the link" }).click();
    await page.getByRole("heading", { level: 1, name: code }).waitFor();
    truth((await page.locator(".leads").innerText()).includes(HOSTILE), "the title is not shown as text");
    truth(!(await page.title()).includes("owned"), "the title ran as a script");
  });

  await check("the QR code is drawn", async () => {
    const drawn = await until("it has a size", () => page.locator(".qr img").evaluate((img) => img.complete && img.naturalWidth));
    truth(drawn > 0, "it is empty");
  });

  await check("following it redirects, and the clicks rise in the page", async () => {
    same(await clicks(), 0, "clicks before");
    for (let n = 0; n < 7; n += 1) {
      const answer = await visit();
      truth([301, 302, 303, 307, 308].includes(answer.status), `it answered ${answer.status}`);
      same(answer.headers.get("location"), `https://example.com/${code}?from=test`, "location");
    }
    // The page reads them every few seconds by its own clock.
    await until("seven clicks are shown", async () => {
      await page.clock.fastForward(5000);
      return (await clicks()) === 7;
    });
    await page.locator(".shares", { hasText: "news.example" }).waitFor();
  });

  await check("the chart is drawn", async () => {
    await until("its bars have colour", () => page.locator(".chart canvas").evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Set();
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 30) colours.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
      return colours.size > 2;
    }));
    // An hour may have ended between two clicks.
    const hours = await page.locator(".chart figcaption li").allInnerTexts();
    same(hours.reduce((all, hour) => all + Number(/: (\d+)$/.exec(hour)?.[1] ?? 0), 0), 7, "clicks in the table behind it");
    await page.locator(".stats .choice label", { hasText: "30 days" }).click();
    await until("days are shown", async () => (await page.locator(".chart figcaption").textContent()).includes("per day"));
  });

  await check("a change makes a version, and the way back makes another", async () => {
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Title").fill("Renamed");
    await page.getByRole("button", { name: "Save the changes" }).click();
    await page.locator(".leads", { hasText: "Renamed" }).waitFor();
    await page.getByRole("button", { name: "Go back to version 1" }).click();
    await page.locator(".leads", { hasText: HOSTILE }).waitFor();
    await until("there are three versions", async () => (await page.locator(".versions li").count()) === 3);
  });

  await check("switched off it is not found, switched on it works again", async () => {
    await page.getByRole("button", { name: "Switch it off" }).click();
    await page.locator(".leads", { hasText: "switched off" }).waitFor();
    await until("visitors find nothing", async () => (await visit()).status === 404);
    await page.getByRole("button", { name: "Switch it on" }).click();
    await until("visitors are led on", async () => (await visit()).status < 400);
  });

  await check("it explains where a visitor would go", async () => {
    await page.getByLabel("With which device").selectOption({ label: "iPhone" });
    await page.getByLabel("speaking").fill("de");
    await page.getByRole("button", { name: "Explain" }).click();
    const said = page.locator(".explained");
    await said.waitFor();
    truth((await said.innerText()).includes(`https://example.com/${code}?from=test`), await said.innerText());
  });

  await check("the list finds it, by an address that can be shared", async () => {
    await page.getByRole("link", { name: "Links", exact: true }).first().click();
    await page.getByLabel("Search links").fill(code);
    await until("one row is left", async () => (await page.locator("table.links tbody tr").count()) === 1);
    await until("the address has it", () => new URL(page.url()).searchParams.get("search") === code);
    await page.reload();
    await until("one row is left", async () => (await page.locator("table.links tbody tr").count()) === 1);
    await page.getByLabel("Search links").fill(`${code}-nothing`);
    await page.getByText("No link matches").waitFor();
  });

  await check("the list goes page by page", async () => {
    const made = await Promise.all(Array.from({ length: 55 }, (_, n) => fetch(`${gateway}/api/links`, {
      method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ url: `https://example.com/${code}/${n}`, tags: [code] }),
    })));
    truth(made.every((answer) => answer.ok), `making links answered ${made.map((a) => a.status)}`);
    await page.getByLabel("Search links").fill(`example.com/${code}/`);
    await until("a page is full", async () => (await page.locator("table.links tbody tr").count()) === 50);
    await page.getByRole("button", { name: "Next page" }).click();
    await until("the rest is shown", async () => (await page.locator("table.links tbody tr").count()) === 5);
    await page.goBack();
    await until("the first page is back", async () => (await page.locator("table.links tbody tr").count()) === 50);
  });

  await check("it is deleted after a question, and then gone", async () => {
    await page.getByLabel("Search links").fill(`${code}?from`);
    await page.locator("table.links a.code", { hasText: code }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete the link" }).click();
    await page.getByRole("heading", { name: "Links", exact: true }).waitFor();
    await until("visitors find nothing", async () => (await visit()).status === 404);
  });
  await page.context().close();
}

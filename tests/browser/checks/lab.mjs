// Runs of experiments: none, then some that are planted as files; chosen, compared, read.

import { HOSTILE, plant, recorded } from "../planted.mjs";
import { same, truth, until } from "../wait.mjs";

const IDS = ["20270101-000000-planted", "20270102-000000-planted"];

export const services = [];

export default async function lab({ browser, check, system, gateway, started }) {
  if (!started) {
    console.log("skipped: runs are planted only in a system that was started here");
    return;
  }
  const page = await browser.open("/");

  await check("a lab without runs says which command makes one", async () => {
    await page.getByRole("link", { name: "Lab", exact: true }).click();
    await page.getByText("No experiment has been run yet").waitFor();
    truth((await page.locator(".command code").innerText()) === "tradewind lab run cache-policies", "no command");
  });

  await check("runs that are kept are listed, newest first, and a damaged one says so", async () => {
    await plant(system.lab, IDS[0], JSON.stringify(recorded(IDS[0], 1)));
    await plant(system.lab, IDS[1], JSON.stringify(recorded(IDS[1], 2)));
    await plant(system.lab, "20270103-000000-damaged", "{");
    await page.getByRole("button", { name: "Read again" }).click();
    await until("three are listed", async () => (await page.locator("table.runs tbody tr").count()) === 3);
    const rows = await page.locator("table.runs tbody tr").allInnerTexts();
    truth(rows[0].includes("damaged") && rows[0].includes("cannot") || rows[0].includes("is damaged"), rows[0]);
    truth(rows[1].includes(HOSTILE) && rows[1].includes("passed, 1 check"), rows[1]);
    truth(!(await page.title()).includes("owned"), "a title ran as a script");
  });

  await check("two runs are chosen with the keyboard and stand side by side, at an address of their own", async () => {
    for (const id of IDS) {
      await page.getByLabel(`Choose ${id}`, { exact: true }).focus();
      await page.keyboard.press("Space");
    }
    await page.getByRole("heading", { name: "Side by side" }).waitFor();
    await page.locator("table.compared").waitFor();
    same(new URL(page.url()).searchParams.get("runs"), IDS.join(","), "the choice in the address");
    await page.reload();
    const row = page.locator("table.compared tbody").first().locator("tr", { hasText: "aside" });
    await row.waitFor();
    const cells = await row.locator("td").allInnerTexts();
    same(cells.length, 3, "two runs and how they differ");
    truth(cells[2].includes("×2.00") && cells[2].includes("worse"), cells[2]);
    const other = await page.locator("table.compared tbody").first().locator("tr", { hasText: "none" }).locator("td").first().innerText();
    truth(/×2\.\d\d worse/.test(other), other);
  });

  await check("a report opens, with its charts, and nothing in it runs", async () => {
    const link = page.getByRole("link", { name: `Report of ${IDS[0]}`, exact: true }).first();
    const report = await browser.open(`/api/runs/${IDS[0]}/report`, {});
    same(await link.getAttribute("href"), new URL(report.url()).pathname, "the link");
    same(await report.locator("figure svg").count() >= 4, true, "charts");
    truth((await report.locator("h1").innerText()).includes(HOSTILE), "the title is not shown as text");
    same(await report.locator("script, img, link").count(), 0, "things that load or run");
    const policy = (await fetch(report.url())).headers.get("content-security-policy");
    truth(policy.includes("sandbox") && policy.includes("default-src 'none'"), policy);
    for (const width of [380, 1280]) {
      await report.setViewportSize({ width, height: 800 });
      const over = await report.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      truth(over <= 0, `the report is ${over} px too wide at ${width}`);
    }
    await report.context().close();
  });

  await check("no name of a run leads to another file", async () => {
    for (const name of ["..%2F..%2Fkeys", "%2e%2e", "lock"]) {
      const answer = await fetch(`${gateway}/console/api/runs/${name}/report`);
      truth([404, 422].includes(answer.status), `${name}: ${answer.status}`);
    }
  });
  await page.context().close();
}

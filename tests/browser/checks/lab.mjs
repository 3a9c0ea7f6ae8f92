// Runs of experiments: none, then some that are planted as files; chosen, compared, read.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { same, truth, until } from "../wait.mjs";

const HOSTILE = `<img src=x onerror="document.title='owned'">`;
const IDS = ["20270101-000000-planted", "20270102-000000-planted"];

/** A run as the program keeps it: two variants, four blocks, `p99` times `by`. */
function recorded(id, by) {
  const trials = [];
  for (let block = 0; block < 4; block += 1) {
    for (const variant of block % 2 ? [1, 0] : [0, 1]) {
      const p99 = (variant ? 21 : 10) * by * (1 + 0.01 * ((block * 7 + variant * 3) % 5));
      trials.push({ variant, block, started_at: 1798761600000000, elapsed_s: 2, values: { p99_ms: p99, lost: 0 },
        latency: [[0.5, 2], [0.9, 5], [0.99, p99]], limited: null,
        seconds: [0, 1].map((second) => ({ second, due: 100, good: 90, bad: 10, p50_ms: 2, p99_ms: p99, max_ms: 2 * p99 })),
        marks: [{ at_s: 0.5, until_s: 1, kind: "fault", text: `slow ${HOSTILE}` }] });
    }
  }
  const metric = (name, label, unit, compared) => ({ name, label, unit, better: "lower", compared });
  const variant = (name) => ({ name, label: "", settings: { "links.cache_policy": name }, system: 0 });
  return { format: 1, id, started_at: 1798761600000000, elapsed_s: 16, quick: true, seed: 7, version: "0.1.0", ended_early: false,
    experiment: { id: "planted", title: `Planted ${HOSTILE}`, question: "Is it seen?", phase: 2, why: "", lesson: "", look: [],
      prediction: null, text: "id = \"planted\"" },
    machine: { cores: 2, cpu: "any", os: "Linux", memory_mib: 1000 },
    systems: [{ name: "s", topology: "together", store: "SQLite", cache: "memory", bus: "in process",
      replicas: { gateway: 1, links: 1 }, edges: [["gateway", "links"]] }],
    metrics: [metric("p99_ms", "p99", "ms", "ratio"), metric("lost", "clicks lost", "", "difference")],
    variants: [variant("aside"), variant("none")], trials,
    checks: [{ variant: 0, claim: "no click is lost", expected: "holds", seen: "holds", detail: "" }], guess: null, notes: [] };
}

async function plant(folder, id, text) {
  await mkdir(join(folder, id), { recursive: true });
  await writeFile(join(folder, id, "run.json"), text);
}

export async function lab({ browser, check, system, gateway, started }) {
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

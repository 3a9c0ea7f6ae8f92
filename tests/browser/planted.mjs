// Runs of experiments as the program keeps them, planted as files.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Text that would be markup elsewhere. */
export const HOSTILE = `<img src=x onerror="document.title='owned'">`;

/** A run as the program keeps it: two variants, four blocks, `p99` times `by`. */
export function recorded(id, by) {
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

/** Puts a run on the shelf. */
export async function plant(folder, id, text) {
  await mkdir(join(folder, id), { recursive: true });
  await writeFile(join(folder, id, "run.json"), text);
}

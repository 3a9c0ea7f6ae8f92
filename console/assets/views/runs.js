// Chosen runs side by side: a group for each metric, a row for each variant, a column for each run.

import { html, useLoad, useState } from "../lib/dom.js";
import { get, hasKey, save } from "../lib/api.js";
import { date } from "../lib/format.js";
import { Trouble } from "../lib/parts.js";

const WORDS = {
  first: "", better: "better", worse: "worse", differs: "differs", no_difference_seen: "no difference seen",
  too_noisy: "too noisy to tell", too_few: "too few trials", not_measured: "not measured",
};
const TONES = { better: "well", worse: "failing", too_noisy: "strained", too_few: "strained", not_measured: "strained" };

/** Three significant digits: 0.0123, 4.57, 20,300. */
function figure(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1000) return String(value);
  return new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }).format(value);
}

const span = (part) => part.low === null || part.high === null ? "" : `${figure(part.low)} to ${figure(part.high)}`;
const factor = (d) => d.as_ratio ? `×${figure(d.value)}` : `${d.value > 0 ? "+" : ""}${figure(d.value)}`;

async function read(ids, signal) {
  const runs = await Promise.all(ids.map((id) => get(`/console/api/runs/${id}`, signal)));
  const change = ids.length === 2
    ? await get(`/console/api/runs/${ids[0]}/against/${ids[1]}`, signal) : null;
  return { runs, change };
}

export function SideBySide({ ids, clear }) {
  const { data, error, reload } = useLoad((signal) => read(ids, signal), [ids.join(",")]);
  return html`<section class="beside" aria-label="Chosen runs"><div class="bar title">
      <h2>${ids.length === 1 ? "What the run found" : "Side by side"}</h2>
      <button type="button" class="small" onClick=${clear}>Choose none</button></div>
    <${Trouble} error=${error} retry=${reload} />
    ${!data && !error && html`<p class="quiet">Reading …</p>`}
    ${data && html`<${Table} runs=${data.runs} change=${data.change} />`}</section>`;
}

/** A link to the report; where a key is needed, which no link can carry, a button that saves it. */
export function Report({ id }) {
  const [error, setError] = useState(null);
  const path = `/console/api/runs/${id}/report`;
  if (!hasKey()) return html`<a href=${path} target="_blank" rel="noopener" aria-label=${`Report of ${id}`}>Open the report</a>`;
  return html`<button type="button" class="small" aria-label=${`Save the report of ${id}`}
    onClick=${() => save(path, `${id}.html`).then(() => setError(null), setError)}>Save the report</button>
    <${Trouble} error=${error} />`;
}

/** What several runs have, each name once, in the order in which they are met. */
function united(lists, key) {
  const all = new Map();
  for (const item of lists.flat()) if (!all.has(item[key])) all.set(item[key], item);
  return [...all.values()];
}

function Table({ runs, change }) {
  const metrics = united(runs.map((run) => run.metrics), "name");
  const variants = united(runs.map((run) => run.variants), "name");
  const width = 1 + runs.length + (change ? 1 : 0);
  return html`${change?.warnings.map((text) => html`<p class="strained" key=${text}>Careful: ${text}</p>`)}
    <div class="sideways" tabindex="0" role="region" aria-label="Figures of the chosen runs">
    <table class="list compared"><thead><tr><th>Variant</th>
      ${runs.map((run) => html`<th key=${run.id} scope="col"><b>${run.title}</b><span>${date(run.started_at / 1000)}</span>
        <span class=${run.passed ? "well" : "failing"}>${run.passed ? "passed" : "not passed"}</span><${Report} id=${run.id} /></th>`)}
      ${change && html`<th scope="col"><b>Second against first</b><span>unpaired</span></th>`}</tr></thead>
    ${metrics.map((metric) => html`<tbody key=${metric.name}>
      <tr class="metric"><th scope="rowgroup" colspan=${width}>${metric.label}${metric.unit && `, ${metric.unit}`}</th></tr>
      ${variants.map((variant) => html`<tr key=${variant.name}><th scope="row">${variant.name}</th>
        ${runs.map((run) => html`<${Cell} key=${run.id} estimate=${estimate(run, variant.name, metric.name)} />`)}
        ${change && html`<${Change} estimate=${changed(change, variant.name, metric.name)} />`}</tr>`)}</tbody>`)}</table></div>
    ${runs.map((run) => html`<p class="quiet" key=${run.id}>${runs.length > 1 && `${run.id}: `}${run.noise.text}</p>`)}
    <p class="quiet">Values with 95 % intervals. Below them is the difference to the run's first variant, claimed after Holm's correction.</p>`;
}

const estimate = (run, variant, metric) =>
  run.variants.find((v) => v.name === variant)?.estimates.find((e) => e.metric === metric);

const changed = (change, variant, metric) => {
  const at = change.metrics.findIndex((m) => m.name === metric);
  return change.variants.find((v) => v.name === variant)?.metrics[at]?.[1];
};

function Cell({ estimate: known }) {
  if (!known) return html`<td class="quiet">–</td>`;
  const { difference, verdict } = known;
  return html`<td><b>${figure(known.value)}</b> <span class="quiet">${span(known)}</span>
    ${verdict !== "first" && html`<div class=${TONES[verdict] ?? "quiet"}>${difference ? `${factor(difference)} ` : ""}${WORDS[verdict]}</div>`}</td>`;
}

function Change({ estimate: known }) {
  if (!known) return html`<td class="quiet">not in both</td>`;
  const { difference, verdict } = known;
  return html`<td>${difference && html`<b>${factor(difference)}</b> <span class="quiet">${span(difference)}</span>`}
    <div class=${TONES[verdict] ?? "quiet"}>${WORDS[verdict]}</div></td>`;
}

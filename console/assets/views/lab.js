// Runs of experiments: the list, and those that are chosen side by side. The choice stands in the URL.

import { html, useLoad, useStore } from "../lib/dom.js";
import { get, query } from "../lib/api.js";
import { A, go, route } from "../lib/route.js";
import { date } from "../lib/format.js";
import { Empty, Trouble } from "../lib/parts.js";
import { Report, SideBySide } from "./runs.js";

const PAGE = 20;
const CHOSEN_MAX = 4;
const RUN = "tradewind lab run cache-policies";

export function Lab() {
  const { search } = useStore(route);
  const chosen = (search.runs ?? "").split(",").filter(Boolean).slice(0, CHOSEN_MAX);
  const { data, error, loading, reload } = useLoad(
    (signal) => get(`/console/api/runs${query({ limit: PAGE, cursor: search.cursor })}`, signal), [search.cursor]);
  const choose = (runs) => go(`/lab${query({ runs: runs.join(","), cursor: search.cursor })}`, { replace: true });
  const toggle = (id) => choose(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  const runs = data?.items ?? [];
  return html`<div class="page wide"><div class="bar title"><h1>Lab</h1>
      <button type="button" onClick=${reload} disabled=${loading}>Read again</button></div>
    <${Trouble} error=${error} retry=${reload} />
    ${!data && !error && html`<p class="quiet">Reading …</p>`}
    ${data && runs.length === 0 && !search.cursor && html`<${Empty} title="No experiment has been run yet" command=${RUN}>
      A run turns a design choice into a number with an interval. It starts a system of its own. Make the first one with:<//>`}
    ${runs.length > 0 && html`<p class="quiet">Choose one run to read its figures, or up to ${CHOSEN_MAX} to see them side by side.</p>
      <${List} runs=${runs} chosen=${chosen} toggle=${toggle} />`}
    <div class="bar pages">
      ${search.cursor && html`<button type="button" onClick=${() => go(`/lab${query({ runs: search.runs })}`)}>Newest runs</button>`}
      ${data?.next_cursor && html`<button type="button"
        onClick=${() => go(`/lab${query({ runs: search.runs, cursor: data.next_cursor })}`)}>Older runs</button>`}</div>
    ${chosen.length > 0 && html`<${SideBySide} ids=${chosen} key=${chosen.join(",")} clear=${() => choose([])} />`}</div>`;
}

const List = ({ runs, chosen, toggle }) => html`<table class="list runs">
  <thead><tr><th><span class="sr">Chosen</span></th><th>Experiment</th><th>Outcome</th><th>When</th><th>Report</th></tr></thead>
  <tbody>${runs.map((run) => html`<tr key=${run.id}>
    <td><input type="checkbox" aria-label=${`Choose ${run.id}`} checked=${chosen.includes(run.id)}
      disabled=${run.passed === null || (!chosen.includes(run.id) && chosen.length >= CHOSEN_MAX)}
      onChange=${() => toggle(run.id)} /></td>
    <td>${run.passed === null ? run.title : html`<${A} to=${`/lab${query({ runs: run.id })}`}>${run.title}<//>`}
      <div class="quiet">${run.experiment}${run.quick ? " · quick form" : ""}</div></td>
    <td class=${run.passed ? "well" : "failing"}>${run.outcome}</td>
    <td class="quiet">${run.started_at > 0 ? date(run.started_at / 1000) : "–"}</td>
    <td>${run.passed !== null && html`<${Report} id=${run.id} />`}</td></tr>`)}</tbody></table>`;

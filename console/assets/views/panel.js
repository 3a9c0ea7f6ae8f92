// The panel on the right: why, in one sentence; then figures, design, traces.

import { html, useLoad, useState } from "../lib/dom.js";
import { get, query } from "../lib/api.js";
import { A } from "../lib/route.js";
import { ago, bytes, clock, micros, millis, percent, plural, rate } from "../lib/format.js";
import { Facts, Health, healthWord, Trouble } from "../lib/parts.js";
import { Inject, RunningFaults } from "./faults.js";
import { KnobRow, useKnobs } from "./knobs.js";

/** One sentence in plain words: since when, what began just before, how much. */
function Why({ of }) {
  if (!of.why) return null;
  const since = Math.floor(of.since / 1000);
  const { before } = of;
  const word = healthWord(of.health);
  return html`<p class=${`why ${of.health}`}>
    <b>${word.charAt(0).toUpperCase() + word.slice(1)} since ${clock(since)}.</b> ${of.why}
    ${before && html` ${cause(since - Math.floor(before.at / 1000))} <b>${before.text}</b>.`}</p>`;
}

function cause(ms) {
  const s = Math.max(0, ms) / 1000;
  return s < 0.5 ? "Just before:" : `${s < 10 ? s.toFixed(1) : Math.round(s)} s before:`;
}

const Close = () => html`<${A} to="/" class="close" aria-label="Close the panel">Close<//>`;

export function ServicePanel({ name, now }) {
  const service = now.services.find((s) => s.name === name);
  if (!service) {
    return html`<aside class="panel"><${Close} /><h2>${name}</h2>
      <p>No service of this name runs. Choose one on the map, or press Ctrl K.</p></aside>`;
  }
  const callers = [...new Set(now.edges.filter((e) => e.to === name && e.kind === "call").map((e) => e.from))];
  const replicas = now.replicas.filter((r) => r.services.includes(name));
  return html`<aside class="panel" aria-label=${name}>
    <${Close} /><h2>${name} <${Health} health=${service.health} /></h2>
    <p class="quiet">${plural(service.replicas, "replica")}${callers.length ? ` · called by ${callers.join(", ")}` : ""}</p>
    <${Why} of=${service} />
    <${RunningFaults} meant=${(f) => f.service === name || replicas.some((r) => r.id === f.replica)} />
    <${Facts} rows=${[
      ["rate", rate(service.rate)],
      ["errors", percent(service.errors), service.errors >= 0.005 ? "failing" : ""],
      ["p50 · p99", `${millis(service.p50_ms)} · ${millis(service.p99_ms)}`],
    ]} />
    <${Design} service=${name} />
    <h3>Replicas</h3>
    <ul class="rows">${replicas.map((r) => html`<li key=${r.id}>
      <span><b>${r.id}</b> <span class=${r.state === "up" ? "quiet" : "failing"}>${r.state}</span></span>
      <span class="quiet">${bytes(r.memory_bytes)}${r.cpu === null ? "" : ` · ${percent(r.cpu)} CPU`}${
        r.restarts ? ` · ${plural(r.restarts, "restart")}` : ""}</span></li>`)}</ul>
    ${service.routes.length > 0 && html`<h3>Routes</h3>
      <ul class="rows">${service.routes.map((r) => html`<li key=${r.route}>
        <code>${r.route}</code><span>${rate(r.rate)} · ${millis(r.p99_ms)}</span></li>`)}</ul>`}
    <${RecentTraces} service=${name} />
    <${Inject} kind="service" selector=${{ service: name }} replicas=${replicas.map((r) => r.id)} /></aside>`;
}

function Design({ service }) {
  const { knobs, error, set, reload } = useKnobs();
  const mine = knobs?.filter((k) => k.service === service) ?? [];
  if (error) return html`<${Trouble} error=${error} retry=${reload} />`;
  if (mine.length === 0) return null;
  return html`<h3>Design</h3>${mine.map((k) => html`<${KnobRow} key=${k.name} knob=${k} set=${set} brief />`)}`;
}

function RecentTraces({ service }) {
  const [which, choose] = useState("slowest");
  const asked = { service, limit: 6, slowest: which === "slowest", failed: which === "failed" };
  const { data, error } = useLoad((signal) => get(`/console/api/traces${query(asked)}`, signal), [service, which]);
  return html`<h3>Traces <span class="tabs">${["slowest", "newest", "failed"].map((w) => html`
      <button type="button" key=${w} class="link" aria-pressed=${w === which} onClick=${() => choose(w)}>${w}</button>`)}</span></h3>
    <${Trouble} error=${error} />
    ${data && (data.items.length === 0
      ? html`<p class="quiet">None is kept. Only a share of requests is traced.</p>`
      : html`<ul class="rows">${data.items.map((t) => html`<li key=${t.trace_id}>
          <${A} to=${`/traces/${t.trace_id}`}>${t.name}<//>
          <span class=${t.error ? "failing" : ""}>${t.error ? "failed · " : ""}${micros(t.duration_us)}</span></li>`)}</ul>`)}`;
}

/** The gateway hands requests on; services call each other. */
const callOf = (from, to) => (from === "gateway"
  ? { seam: "request", service: to } : { seam: "call", caller: from, service: to });

export function CallPanel({ from, to, now }) {
  const edges = now.edges.filter((e) => e.from === from && e.to === to);
  return html`<aside class="panel" aria-label=${`${from} to ${to}`}><${Close} />
    <h2>${from} → ${to}</h2>
    ${edges.length === 0 && html`<p>Nothing has gone this way in the last seconds.
      A line appears with the first call.</p>`}
    ${edges.map((edge) => html`<div key=${edge.kind}>
      <p class="quiet"><${Health} health=${edge.health} /> · ${edge.kind === "event" ? "events" : "calls"} · since ${
        ago(Math.floor(edge.since / 1000))}</p>
      <${Why} of=${edge} />
      <${Facts} rows=${[
        ["rate", rate(edge.rate)],
        ["errors", percent(edge.errors), edge.errors >= 0.005 ? "failing" : ""],
        edge.kind === "call" && ["p50 · p99", `${millis(edge.p50_ms)} · ${millis(edge.p99_ms)}`],
        edge.breaker && ["breaker", edge.breaker, edge.breaker === "open" ? "failing" : ""],
        edge.waiting !== null && ["events that wait", String(edge.waiting)],
      ]} /></div>`)}
    <${RunningFaults} meant=${(f) => f.service === to && (!f.caller || f.caller === from)} />
    ${edges.some((e) => e.kind === "call") && html`<${Inject} kind="call" selector=${callOf(from, to)} />`}
    <p><${A} to=${`/services/${to}`}>Look at ${to}<//></p></aside>`;
}

// Traces: one line each, and the steps of one as bars on a common time.

import { html, useLoad, useStore } from "../lib/dom.js";
import { get, query } from "../lib/api.js";
import { A, go, route } from "../lib/route.js";
import { clock, micros, plural } from "../lib/format.js";
import { Choice, Empty, Facts, Trouble } from "../lib/parts.js";

export function Traces() {
  const { search } = useStore(route);
  const which = search.failed === "true" ? "failed" : search.slowest === "true" ? "slowest" : "newest";
  const asked = { failed: which === "failed", slowest: which === "slowest", service: search.service, limit: 100 };
  const { data, error, reload, loading } = useLoad(
    (signal) => get(`/console/api/traces${query(asked)}`, signal), [which, search.service]);
  const choose = (w) => go(`/traces${query({ service: search.service, [w]: w === "newest" ? "" : "true" })}`, { replace: true });
  return html`<div class="page"><h1>Traces</h1>
    <div class="bar"><${Choice} name="Which traces" value=${which} onChange=${choose}
        options=${[["newest", "newest"], ["slowest", "slowest"], ["failed", "failed"]]} />
      ${search.service && html`<span>with a step in ${search.service} <${A} to="/traces">show all<//></span>`}
      <button type="button" onClick=${reload} disabled=${loading}>Read again</button></div>
    <${Trouble} error=${error} retry=${reload} />
    ${data?.items.length === 0 && html`<${Empty} title="No trace is kept"
      command=${`curl -H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' ${location.origin}/api/links`}>
      Only a share of requests is traced. Send one that asks for it:<//>`}
    ${data?.items.length > 0 && html`<table class="list">
      <thead><tr><th>Request</th><th>Began</th><th class="num">Took</th><th class="num">Steps</th></tr></thead>
      <tbody>${data.items.map((t) => html`<tr key=${t.trace_id}>
        <td><${A} to=${`/traces/${t.trace_id}`}>${t.name}<//> <span class="quiet">${t.service}</span>
          ${t.error && html`<div class="failing">${t.error}</div>`}</td>
        <td>${clock(t.start / 1000)}</td><td class="num">${micros(t.duration_us)}</td>
        <td class="num">${t.spans}</td></tr>`)}</tbody></table>`}</div>`;
}

export function Trace({ id }) {
  const { data, error, reload } = useLoad((signal) => get(`/console/api/traces/${id}`, signal), [id]);
  const spans = data?.spans ?? [];
  const start = Math.min(...spans.map((s) => s.start));
  const end = Math.max(...spans.map((s) => s.start + s.duration_us));
  const long = Math.max(1, end - start);
  return html`<div class="page"><h1>Trace</h1>
    <p class="quiet"><code>${id}</code> · <${A} to="/traces">all traces<//></p>
    <${Trouble} error=${error} retry=${reload} />
    ${!data && !error && html`<p class="quiet">Reading …</p>`}
    ${data && html`<p>${clock(start / 1000)} · ${micros(long)} · ${plural(spans.length, "step")}</p>
    <ol class="spans">${ordered(spans).map(({ span, depth }) => html`
      <li key=${span.span_id}><details>
        <summary><span class="what" style=${{ paddingLeft: `${Math.min(depth, 8) * 12}px` }}>
            <span>${span.name}</span> <span class="quiet">${span.service}</span></span>
          <span class="time"><i class=${span.error ? "failing" : "well"} aria-hidden="true"
            style=${{ left: `${((span.start - start) / long) * 100}%`, width: `${Math.max(0.4, (span.duration_us / long) * 100)}%` }}></i></span>
          <span class=${span.error ? "num failing" : "num"}>${micros(span.duration_us)}</span></summary>
        <${Facts} rows=${[["step", span.span_id], ["kind", span.kind], span.error && ["error", span.error, "failing"],
          ...span.attributes]} /></details></li>`)}</ol>`}</div>`;
}

/** Each step below the one that caused it. Steps whose cause is not kept stand at the top. */
function ordered(spans) {
  const known = new Set(spans.map((s) => s.span_id));
  const below = new Map();
  for (const span of spans) {
    const parent = known.has(span.parent) && span.parent !== span.span_id ? span.parent : null;
    if (!below.has(parent)) below.set(parent, []);
    below.get(parent).push(span);
  }
  const out = [];
  const seen = new Set();
  const walk = (parent, depth) => {
    for (const span of below.get(parent) ?? []) {
      if (seen.has(span.span_id)) continue;
      seen.add(span.span_id);
      out.push({ span, depth });
      walk(span.span_id, depth + 1);
    }
  };
  walk(null, 0);
  return out;
}

// The map: services as cards, calls as lines whose width is their rate. A list where it is narrow.

import { html, useEffect, useMemo, useRef, useState, useStore } from "../lib/dom.js";
import { live, scene } from "../lib/live.js";
import { A } from "../lib/route.js";
import { millis, percent, plural, rate } from "../lib/format.js";
import { Empty, Health, healthWord, Sparkline } from "../lib/parts.js";
import { RunningFaults } from "./faults.js";
import { layout, line, place } from "./layout.js";
import { CallPanel, ServicePanel } from "./panel.js";

const NARROW = 700;

export function Overview({ service, from, to }) {
  const state = useStore(live);
  const now = scene(state);
  const [box, size] = useSize();
  const chosen = Boolean(service || from);
  let drawing;
  if (!now) {
    drawing = html`<p class="quiet pad">Measuring …</p>`;
  } else if (now.services.length === 0) {
    drawing = html`<${Empty} title="Nothing runs yet" command="tradewind up --demo">
      Start the system with example data and gentle traffic:<//>`;
  } else if (size.width > 0 && size.width < NARROW) {
    drawing = html`<${List} now=${now} state=${state} chosen=${service} />`;
  } else {
    drawing = html`<${Drawing} now=${now} state=${state} size=${size} chosen=${{ service, from, to }} />`;
  }
  return html`<div class=${chosen ? "overview chosen" : "overview"}>
    <section class="map" ref=${box} aria-label="Services and calls">
      <h1 class="sr">Map of the running system</h1>
      ${!chosen && html`<${RunningFaults} />`}${drawing}</section>
    ${now && service && html`<${ServicePanel} name=${service} now=${now} key=${service} />`}
    ${now && from && html`<${CallPanel} from=${from} to=${to} now=${now} key=${`${from}>${to}`} />`}
  </div>`;
}

function useSize() {
  const box = useRef(null);
  const [size, set] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      set((s) => (s.width === width && s.height === height ? s : { width, height }));
    });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return [box, size];
}

function Drawing({ now, state, size, chosen }) {
  const shape = JSON.stringify([
    now.services.map((s) => s.name), now.edges.map((e) => [e.from, e.to, e.kind]),
  ]);
  const columns = useMemo(() => layout(now.services, now.edges), [shape]);
  const plan = useMemo(() => place(columns, size.width, size.height - 28), [columns, size]);
  const edges = now.edges.filter((e) => e.from !== e.to && plan.at.has(e.from) && plan.at.has(e.to));
  const lines = edges.map((edge) => ({
    edge, ...line(plan.at.get(edge.from), plan.at.get(edge.to), plan.card, edge.kind),
  }));
  const style = { height: `${plan.height}px` };
  return html`<div class="plan" style=${style}>
    <svg width=${plan.width} height=${plan.height} aria-hidden="true">
      ${lines.map(({ edge, path }) => html`<${Line} key=${`${edge.kind}${edge.from}>${edge.to}`}
        edge=${edge} path=${path} chosen=${chosen.from === edge.from && chosen.to === edge.to} />`)}</svg>
    ${lines.map(({ edge, x, y }) => html`<${A} key=${`${edge.kind}${edge.from}>${edge.to}`}
      to=${`/calls/${edge.from}/${edge.to}`} class=${`edge ${edge.health}`}
      style=${{ left: `${x}px`, top: `${y}px` }}
      aria-label=${`${edge.from} to ${edge.to}: ${edgeText(edge)}, ${healthWord(edge.health)}`}>
      ${edgeText(edge)}<//>`)}
    ${now.services.map((s) => html`<${Card} key=${s.name} service=${s} at=${plan.at.get(s.name)}
      card=${plan.card} history=${state.series[`service:${s.name}`]} chosen=${chosen.service === s.name} />`)}
    </div>
    <p class="legend">line width is rate · colour is health · dotted lines are events</p>`;
}

function edgeText(edge) {
  if (edge.breaker === "open") return "breaker open";
  if (edge.kind === "event") {
    return edge.waiting ? `${rate(edge.rate)} · ${plural(edge.waiting, "event")} waiting` : `${rate(edge.rate)} events`;
  }
  if (edge.rate === 0) return "no calls";
  if (edge.errors >= 0.005) return `${rate(edge.rate)} · ${percent(edge.errors)} errors`;
  return `${rate(edge.rate)} · ${millis(edge.p99_ms)}`;
}

function Line({ edge, path, chosen }) {
  const width = edge.rate > 0 ? Math.min(6, 1 + Math.log10(1 + edge.rate) ** 1.5 * 0.7) : 1;
  const kind = edge.kind === "event" ? "event" : "call";
  return html`<path class=${`line ${kind} ${edge.health} ${chosen ? "chosen" : ""}`} d=${path}
    style=${{ strokeWidth: `${width.toFixed(2)}px` }} />`;
}

function figures(s) {
  if (s.health === "down") return "no replica answers";
  if (s.rate === 0) return "no traffic";
  const worst = s.errors >= 0.005 ? `${percent(s.errors)} errors` : `p99 ${millis(s.p99_ms)}`;
  return `${rate(s.rate)} · ${worst}`;
}

function Card({ service: s, at, card, history, chosen }) {
  if (!at) return null;
  const style = { left: `${at.x}px`, top: `${at.y}px`, width: `${card.width}px`, height: `${card.height}px` };
  return html`<${A} to=${chosen ? "/" : `/services/${s.name}`} style=${style}
    class=${`card ${s.health} ${chosen ? "chosen" : ""}`} aria-current=${chosen ? "true" : undefined}>
    <span class="row"><b>${s.name}</b><span class="quiet">${s.replicas > 1 ? `${s.up} up` : ""}</span>
      <${Health} health=${s.health} quiet=${s.health === "well" || s.health === "idle"} /></span>
    <span class="figures">${figures(s)}</span>
    <${Sparkline} values=${history?.rate} health=${s.health} /><//>`;
}

function List({ now, state, chosen }) {
  const order = layout(now.services, now.edges).flat();
  const services = order.map((name) => now.services.find((s) => s.name === name));
  return html`<ul class="list">${services.map((s) => html`<li key=${s.name}>
    <${A} to=${chosen === s.name ? "/" : `/services/${s.name}`} class=${`card ${s.health}`}>
      <span class="row"><b>${s.name}</b><${Health} health=${s.health} /></span>
      <span class="figures">${figures(s)} · ${plural(s.replicas, "replica")}</span>
      <${Sparkline} values=${state.series[`service:${s.name}`]?.rate} health=${s.health} width=${320} /><//>
    ${now.edges.filter((e) => e.from === s.name && e.to !== s.name).map((e) => html`
      <${A} key=${`${e.kind}${e.to}`} to=${`/calls/${e.from}/${e.to}`} class=${`call ${e.health}`}>
        ${e.kind === "event" ? "events to" : "calls"} ${e.to}<span>${edgeText(e)}</span><//>`)}</li>`)}</ul>`;
}

// One axis for time, at the bottom of every page: the load, and what happened. Dragging it moves
// the whole page to that moment.

import { html, useEffect, useRef, useState, useStore } from "../lib/dom.js";
import { live, lookAt } from "../lib/live.js";
import { clock, minutes, rate } from "../lib/format.js";

const SPAN_MS = 10 * 60 * 1000;
const HEIGHT = 64;
const LABEL_ROWS = 2;
const LABEL_LETTER_PX = 6.2;

const TONES = {
  knob: "knob", policy: "knob", fault: "fault", breaker: "fault", rotation: "strained",
  restart: "strained", start: "start", stop: "start", load: "start", note: "start",
};

export function Axis() {
  const state = useStore(live);
  const box = useRef(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const end = state.now ? Math.floor(state.now.at / 1000) : Date.now();
  const start = end - SPAN_MS;
  const x = (ms) => ((ms - start) / SPAN_MS) * width;
  const move = (ms) => lookAt(ms >= end - 1000 ? null : Math.max(start, Math.round(ms)));
  const drag = (event) => {
    if (event.type === "pointermove" && !(event.buttons & 1)) return;
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    const left = box.current.getBoundingClientRect().left;
    move(start + ((event.clientX - left) / width) * SPAN_MS);
  };
  const keys = (event) => {
    const step = event.shiftKey ? 30000 : 5000;
    const at = state.at ?? end;
    const to = { ArrowLeft: at - step, ArrowRight: at + step, Home: start, End: end, Escape: end }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
  const marks = placed(state.marks.filter((m) => m.at / 1000 >= start), x, width);
  const said = state.at === null ? "now" : clock(state.at);
  return html`<footer class="axis" aria-label="Time">
    <div class="track" ref=${box} role="slider" tabindex="0" aria-label="Moment that the page shows"
      aria-valuemin="0" aria-valuemax=${SPAN_MS / 1000} aria-valuetext=${said}
      aria-valuenow=${Math.round(((state.at ?? end) - start) / 1000)}
      onPointerDown=${drag} onPointerMove=${drag} onKeyDown=${keys}>
      <svg width=${width} height=${HEIGHT} aria-hidden="true">
        <${Load} state=${state} x=${x} />
        ${marks.map(({ mark, line, tone, until }) => html`<g key=${mark.id} class=${`mark ${tone}`}>
          ${until && html`<rect x=${line} y="14" width=${Math.max(1, x(Math.min(until, end)) - line)} height=${HEIGHT - 15} />`}
          <line x1=${line} x2=${line} y1="6" y2=${HEIGHT} /></g>`)}
        ${state.at !== null && html`<line class="looked" x1=${x(state.at)} x2=${x(state.at)} y1="0" y2=${HEIGHT} />`}
      </svg>
      ${marks.filter((m) => m.row !== null).map(({ mark, left, tone, row }) => html`
        <span key=${mark.id} class=${`label ${tone}`} style=${{ left: `${left + 4}px`, top: `${row * 15}px` }}>${mark.text}</span>`)}
    </div>
    <div class="ticks" aria-hidden="true">${[0, 0.25, 0.5, 0.75].map((f) => html`
      <span key=${f}>${minutes(start + f * SPAN_MS)}</span>`)}<span>now</span></div>
    <ol class="sr" aria-label="What happened">${state.marks.slice(-20).map((m) => html`
      <li key=${m.id}>${clock(m.at / 1000)} ${m.text}</li>`)}</ol></footer>`;
}

/** Until when what a mark says holds: a fault may end before its time. */
function lasts({ attributes: { fault, change, until } }, marks) {
  if (!until || (change && change !== "begun")) return null;
  const end = fault && marks.find((m) => m.attributes.fault === fault && m.attributes.change !== "begun");
  return Math.min(Number(until), end ? end.at : Infinity) / 1000;
}

/** Marks with a place for their label; a mark whose label has none keeps its line. */
function placed(marks, x, width) {
  const free = new Array(LABEL_ROWS).fill(Infinity);
  return marks.toReversed().map((mark) => {
    const line = x(mark.at / 1000);
    const long = mark.text.length * LABEL_LETTER_PX + 12;
    // Right of its line; left of it where the axis ends.
    const left = line + long <= width ? line : line - long;
    let row = free.findIndex((limit) => left + long <= limit);
    if (row < 0) row = null;
    else free[row] = Math.min(left, line);
    const until = lasts(mark, marks);
    return { mark, line, left, row, until, tone: TONES[mark.kind] ?? "start" };
  });
}

function Load({ state, x }) {
  const values = state.series.total?.rate ?? [];
  const top = Math.max(1e-9, ...values.map((v) => v ?? 0));
  const lines = [];
  let line = [];
  let last = 0;
  values.forEach((v, i) => {
    const ms = state.times[i];
    const gap = v === null || ms - last > 5000;
    if (gap && line.length) lines.push(line.splice(0));
    if (v !== null) line.push(`${x(ms).toFixed(1)},${(HEIGHT - 2 - (v / top) * (HEIGHT - 34)).toFixed(1)}`);
    last = ms;
  });
  if (line.length) lines.push(line);
  return html`<g class="load">${lines.map((l) => html`<polyline points=${l.join(" ")} />`)}
    ${top > 0.01 && html`<title>${`up to ${rate(top)}`}</title>`}</g>`;
}

// What is broken on purpose: a form to break something, and what runs, with the time that is left.

import { html, store, useEffect, useState, useStore } from "../lib/dom.js";
import { get, send } from "../lib/api.js";
import { live } from "../lib/live.js";
import { plural } from "../lib/format.js";
import { Empty, Trouble } from "../lib/parts.js";

const shared = store({ faults: null, error: null, read: 0 });

async function load() {
  try {
    const { items } = await get("/console/api/faults");
    shared.set({ faults: items, error: null, read: performance.now() });
  } catch (error) {
    shared.set((s) => ({ ...s, error }));
  }
}

const changes = () => live.get().marks.findLast((m) => m.kind === "fault")?.id;

/** Every fault; read anew when a view opens, and when one begins or ends, here or elsewhere. */
export function useFaults() {
  const state = useStore(shared);
  useEffect(() => {
    let seen = changes();
    load();
    // Hits are no events.
    const timer = setInterval(() => shared.get().faults?.length && load(), 2000);
    const leave = live.watch(() => {
      if (changes() === seen) return;
      seen = changes();
      load();
    });
    return () => {
      clearInterval(timer);
      leave();
    };
  }, []);
  return state;
}

/** What can be done to a service, and what to a call: its words, and what it is to the API. */
const KINDS = {
  service: [
    ["late", "Requests are late", { seam: "request", effect: "latency" }, "ms"],
    ["fail", "Requests fail", { seam: "request", effect: "error" }],
    ["lost", "Requests are lost", { seam: "request", effect: "drop" }],
    ["slow-disk", "Commits are slow", { seam: "storage", effect: "slow_commit" }, "ms"],
    ["io-error", "Commits fail", { seam: "storage", effect: "io_error" }],
    ["disk-full", "The disk is full", { seam: "storage", effect: "disk_full" }],
    ["stop", "The process stands still", { seam: "process", effect: "stop" }, "whole"],
    ["kill", "The process is killed", { seam: "process", effect: "kill" }, "whole"],
  ],
  call: [
    ["late", "Calls are late", { effect: "latency" }, "ms"],
    ["fail", "Calls fail", { effect: "error" }],
    ["lost", "Calls are lost", { effect: "drop" }],
  ],
};

/** What the form says, as the API wants it. */
function specOf(form, kinds, selector) {
  const data = new FormData(form);
  const [, , what, more] = kinds.find(([key]) => key === data.get("kind"));
  const replica = data.get("replica");
  const spec = { ...selector, ...what };
  if (more === "ms") spec.ms = Number(data.get("ms"));
  if (replica) spec.replica = replica;
  if (more !== "whole" && data.get("share") !== "100") spec.probability = Number(data.get("share")) / 100;
  if (what.effect !== "kill") spec.ttl_ms = Math.round(Number(data.get("seconds")) * 1000);
  return spec;
}

const number = (name, label, value, rules) => html`<label class="field">${label}
  <input name=${name} type="number" required value=${value} ...${rules} /></label>`;

/** Breaks something: a service, or a call between two. */
export function Inject({ kind, selector, replicas = [] }) {
  const kinds = KINDS[kind];
  const [chosen, choose] = useState(kinds[0][0]);
  const [state, setState] = useState({ busy: false, error: null });
  const more = kinds.find(([key]) => key === chosen)[3];
  const submit = async (event) => {
    event.preventDefault();
    const spec = specOf(event.target, kinds, selector);
    setState({ busy: true, error: null });
    try {
      await send("POST", "/console/api/faults", spec);
      await load();
      setState({ busy: false, error: null });
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  return html`<details class="inject"><summary>Inject a fault here</summary>
    <form class="form" onSubmit=${submit} aria-label="Inject a fault here">
      <label class="field">What breaks
        <select name="kind" value=${chosen} onChange=${(e) => choose(e.target.value)}>
          ${kinds.map(([key, text]) => html`<option key=${key} value=${key}>${text}</option>`)}</select></label>
      ${replicas.length > 1 && html`<label class="field">Where
        <select name="replica"><option value="">in every replica</option>
          ${replicas.map((id) => html`<option key=${id} value=${id}>in ${id}</option>`)}</select></label>`}
      <div class="pair">
        ${more === "ms" && number("ms", "By milliseconds", 300, { min: 1, max: 3600000 })}
        ${more !== "whole" && number("share", "Share in percent", 100, { min: 0.1, max: 100, step: "any" })}
        ${chosen !== "kill" && number("seconds", "For seconds", 30, { min: 1, max: 3600 })}</div>
      <${Trouble} error=${state.error} />
      <button class="primary" disabled=${state.busy}>${chosen === "kill" ? "Kill it" : "Inject this fault"}</button>
    </form></details>`;
}

const EFFECTS = {
  latency: (f) => `late by ${f.ms} ms`, error: (f) => `fail (${(f.code ?? "").replaceAll("_", " ")})`,
  drop: () => "lost", duplicate: () => "delivered twice", bandwidth: (f) => `at ${f.bytes_per_s} bytes/s`,
  reset: () => "reset", half_open: () => "half open", black_hole: () => "swallowed",
  slow_commit: (f) => `commits late by ${f.ms} ms`, slow_read: (f) => `reads late by ${f.ms} ms`,
  io_error: () => "commits fail", disk_full: () => "disk full", step: (f) => `set by ${f.ms} ms`,
  kill: () => "killed", stop: () => "stands still",
};
const SEAMS = {
  call: "calls", request: "requests", socket: "connections", storage: "data", events: "events",
  clock: "clock", process: "process",
};

/** A fault in plain words. */
function sentenceOf(fault) {
  const whom = fault.caller ? `${fault.caller} to ${fault.service ?? "anyone"}` : fault.replica ?? fault.service ?? "all";
  const share = fault.probability === undefined ? "" : `, ${+(fault.probability * 100).toFixed(1)} %`;
  return `${whom}: ${SEAMS[fault.seam]} ${EFFECTS[fault.effect]?.(fault) ?? fault.effect}${share}`;
}

function useTick() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, []);
}

function Running({ fault, read }) {
  const [state, setState] = useState({ busy: false, error: null });
  useTick();
  const left = Math.max(0, fault.left_ms - (performance.now() - read));
  useEffect(() => {
    if (left === 0) load();
  }, [left === 0]);
  const end = async () => {
    setState({ busy: true, error: null });
    try {
      await send("DELETE", `/console/api/faults/${encodeURIComponent(fault.id)}`);
      await load();
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  const text = sentenceOf(fault);
  return html`<li class="fault"><span><b>${text}</b>
      <span class="quiet"> in ${fault.replicas.join(", ")} · ${plural(fault.hits, "hit")} · ${Math.ceil(left / 1000)} s left</span>
      <${Trouble} error=${state.error} /></span>
    <button type="button" class="small" disabled=${state.busy} onClick=${end} aria-label=${`End: ${text}`}>End</button></li>`;
}

/** The faults that `meant` says, each with a button that ends it; nothing when there is none. */
export function RunningFaults({ meant = () => true }) {
  const { faults, read } = useFaults();
  const mine = (faults ?? []).filter(meant);
  if (mine.length === 0) return null;
  return html`<section class="faults" aria-label="Faults at work"><h3>Broken on purpose</h3>
    <ul class="rows">${mine.map((f) => html`<${Running} key=${f.id} fault=${f} read=${read} />`)}</ul></section>`;
}

/** Everything that is broken. */
export function Faults() {
  const { faults, error } = useFaults();
  return html`<div class="page"><h1>Faults</h1>
    <p class="lead">Each ends by itself at its time, whoever asked for it, and stands on the time axis below.
      To break something, choose a service or a call on the map.</p>
    <${Trouble} error=${error} retry=${load} />
    ${faults?.length === 0 && html`<${Empty} title="Nothing is broken"
      command="tradewind fault add request latency --service links --ms 300 --ttl 30s">
      Inject a fault on the map, or here:<//>`}
    <${RunningFaults} /></div>`;
}

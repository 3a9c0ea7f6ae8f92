// Small parts that several views share.

import { html, useEffect, useRef, useState } from "./dom.js";

const WORDS = {
  well: "well", strained: "strained", failing: "failing", down: "down", idle: "no traffic",
};

/** Health as a coloured dot with its word. */
export const Health = ({ health, quiet }) => html`
  <span class=${`health ${health}`}><i class="dot" aria-hidden="true"></i>
    <span class=${quiet ? "sr" : ""}>${WORDS[health] ?? health}</span></span>`;

export const healthWord = (health) => WORDS[health] ?? health;

/** What went wrong and what to do. */
export const Trouble = ({ error, retry }) => error && html`
  <div class="trouble" role="alert"><p>${error.message}</p>
    ${retry && html`<button type="button" onClick=${retry}>Try again</button>`}</div>`;

/** An empty place says how to fill it. */
export const Empty = ({ title, children, command }) => html`
  <div class="empty"><h2>${title}</h2><p>${children}</p>
    ${command && html`<${Command} text=${command} />`}</div>`;

/** A command with a button that copies it. */
export const Command = ({ text }) => html`
  <div class="command"><code>${text}</code><${Copy} text=${text} what="command" /></div>`;

export function Copy({ text, what }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      fallbackCopy(text);
    }
    setDone(true);
  };
  return html`<button type="button" class="small" onClick=${copy} aria-label=${`Copy ${what}`}
    >${done ? "Copied" : "Copy"}</button>`;
}

/** Pages that are not on localhost or https have no clipboard of their own. */
function fallbackCopy(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A line of recent values. Gaps stay gaps. */
export function Sparkline({ values, health, width = 150, height = 22 }) {
  const recent = (values ?? []).slice(-90);
  const top = Math.max(...recent.map((v) => v ?? 0), 1e-9);
  const step = width / 89;
  const offset = 90 - recent.length;
  const points = recent.map((v, i) =>
    v === null ? null : `${((i + offset) * step).toFixed(1)},${(height - 2 - (v / top) * (height - 5)).toFixed(1)}`);
  const lines = [];
  let line = [];
  for (const point of [...points, null]) {
    if (point) line.push(point);
    else if (line.length) lines.push(line.splice(0));
  }
  return html`<svg class=${`spark ${health ?? ""}`} viewBox=${`0 0 ${width} ${height}`}
    preserveAspectRatio="none" aria-hidden="true">
    ${lines.map((l) => html`<polyline points=${l.join(" ")} />`)}</svg>`;
}

/** Rows of a name and a value. */
export const Facts = ({ rows }) => html`<dl class="facts">
  ${rows.filter(Boolean).map(([name, value, tone]) => html`
    <div key=${name}><dt>${name}</dt><dd class=${tone ?? ""}>${value}</dd></div>`)}</dl>`;

/** A few choices side by side, one of them taken. */
export function Choice({ name, options, value, onChange, busy }) {
  const id = useRef(`choice-${Math.random().toString(36).slice(2)}`).current;
  return html`<div class="choice" role="radiogroup" aria-label=${name} aria-busy=${busy ? "true" : "false"}>
    ${options.map(([key, label]) => html`<label key=${key} class=${key === value ? "on" : ""}>
      <input type="radio" name=${id} value=${key} checked=${key === value}
        onChange=${() => onChange(key)} />${label}</label>`)}</div>`;
}

// The frame of the page: head line, navigation, the view of the URL, the time axis.

import { html, render, useEffect, useLayoutEffect, useState, useStore } from "./lib/dom.js";
import { keyNeeded, useKey } from "./lib/api.js";
import { live, lookAt, scene, watch } from "./lib/live.js";
import { A, route } from "./lib/route.js";
import { clock, millis, percent, rate } from "./lib/format.js";
import { Health } from "./lib/parts.js";
import { Axis } from "./views/axis.js";
import { Faults } from "./views/faults.js";
import { Knobs } from "./views/knobs.js";
import { Lab } from "./views/lab.js";
import { Link } from "./views/link.js";
import { Links } from "./views/links.js";
import { NewLink } from "./views/new-link.js";
import { Overview } from "./views/overview.js";
import { Palette, usePalette } from "./views/palette.js";
import { Trace, Traces } from "./views/traces.js";

const VIEWS = [
  [/^\/$/, "Map", () => html`<${Overview} />`],
  [/^\/services\/([^/]+)$/, "Map", (name) => html`<${Overview} service=${name} />`],
  [/^\/calls\/([^/]+)\/([^/]+)$/, "Map", (from, to) => html`<${Overview} from=${from} to=${to} />`],
  [/^\/links$/, "Links", () => html`<${Links} />`],
  [/^\/links\/new$/, "New link", () => html`<${NewLink} />`],
  [/^\/links\/([^/]+)$/, "Link", (id) => html`<${Link} id=${id} key=${id} />`],
  [/^\/design$/, "Design", () => html`<${Knobs} />`],
  [/^\/lab$/, "Lab", () => html`<${Lab} />`],
  [/^\/faults$/, "Faults", () => html`<${Faults} />`],
  [/^\/traces$/, "Traces", () => html`<${Traces} />`],
  [/^\/traces\/([0-9a-fA-F]{32})$/, "Trace", (id) => html`<${Trace} id=${id} key=${id} />`],
];

function view(path) {
  for (const [pattern, title, draw] of VIEWS) {
    const found = pattern.exec(path);
    if (found) return { title, draw: () => draw(...found.slice(1)) };
  }
  const draw = () => html`<div class="page"><h1>There is no such page</h1>
    <p>The address may be mistyped. <${A} to="/">Go to the map<//>, or press Ctrl K to find anything.</p></div>`;
  return { title: "Not found", draw };
}

function Head({ openPalette }) {
  const state = useStore(live);
  const now = scene(state);
  const about = now?.about;
  return html`<header>
    <${A} to="/" class="brand">Tradewind<//>
    ${about && html`<ul class="stands" aria-label="What it stands on">
      ${[["topology", about.topology], ["store", about.store], ["cache", about.cache], ["events", about.bus]]
        .map(([name, value]) => html`<li key=${name}>${name} <b>${value}</b></li>`)}</ul>`}
    <p class="totals" aria-live="off">${status(state, now)}</p>
    <button type="button" class="find" onClick=${openPalette} aria-keyshortcuts="Control+K">
      Find <kbd>Ctrl K</kbd></button>
  </header>`;
}

function status(state, now) {
  if (state.state === "lost") {
    return html`<span class="failing">The server does not answer. Trying again …</span>`;
  }
  if (!now) return "Measuring …";
  const t = now.totals;
  return [rate(t.rate), `p99 ${millis(t.p99_ms)}`, `${percent(t.errors)} errors`]
    .map((text) => html`<span key=${text}>${text}</span>`);
}

const PLACES = [
  ["/", "Map", (p) => p === "/" || p.startsWith("/services/") || p.startsWith("/calls/")],
  ["/links", "Links", (p) => p.startsWith("/links")],
  ["/design", "Design", (p) => p === "/design"],
  ["/lab", "Lab", (p) => p === "/lab"],
  ["/faults", "Faults", (p) => p === "/faults"],
  ["/traces", "Traces", (p) => p.startsWith("/traces")],
];

function Navigation() {
  const { path } = useStore(route);
  const now = scene(useStore(live));
  return html`<nav aria-label="Views">
    <ul>${PLACES.map(([to, name, here]) => html`<li key=${to}>
      <${A} to=${to} aria-current=${here(path) ? "page" : undefined}>${name}<//></li>`)}</ul>
    ${now && html`<div class="services"><h2>Services</h2>
      <ul>${now.services.map((s) => html`<li key=${s.name}>
        <${A} to=${`/services/${s.name}`} aria-current=${path === `/services/${s.name}` ? "page" : undefined}>
          <${Health} health=${s.health} quiet /><span class="name">${s.name}</span>
          <span class="replicas" title=${`${s.up} of ${s.replicas} replicas up`}>
            ${s.up === s.replicas ? s.up : `${s.up}/${s.replicas}`}</span><//></li>`)}</ul></div>`}
  </nav>`;
}

function KeyForm() {
  const submit = (event) => {
    event.preventDefault();
    useKey(new FormData(event.target).get("key"));
    location.reload();
  };
  return html`<form class="page narrow" onSubmit=${submit}>
    <h1>An API key is needed</h1>
    <p>This system listens for others too, so it wants to know who asks.
      Make a key with <code>tradewind key create NAME</code> and paste it here.
      It is kept in this tab only.</p>
    <label class="field">API key
      <input name="key" type="password" required autocomplete="off" placeholder="twk_…" /></label>
    <button class="primary">Use this key</button></form>`;
}

function PastBar() {
  const { at } = useStore(live);
  if (at === null) return null;
  return html`<div class="past" role="status">Showing ${clock(at)}
    <button type="button" class="small" onClick=${() => lookAt(null)}>Back to now</button></div>`;
}

function App() {
  const { path } = useStore(route);
  const locked = useStore(keyNeeded);
  const [palette, openPalette, closePalette] = usePalette();
  const [axisKey] = useState("axis");
  const { title, draw } = view(path);
  useLayoutEffect(() => {
    document.title = title === "Map" ? "Tradewind" : `${title} · Tradewind`;
  }, [title]);
  return html`<a class="skip" href="#main">Skip to the content</a>
    <${Head} openPalette=${openPalette} />
    <${Navigation} />
    <main id="main" tabindex="-1">${locked ? html`<${KeyForm} />` : draw()}</main>
    <${PastBar} />
    <${Axis} key=${axisKey} />
    ${palette && html`<${Palette} close=${closePalette} />`}`;
}

function Root() {
  useEffect(watch, []);
  return html`<${App} />`;
}

const root = document.getElementById("app");
root.textContent = "";
render(html`<${Root} />`, root);

// The list of links: search, filter, page by page. All of it stands in the URL.

import { html, useEffect, useLoad, useRef, useState, useStore } from "../lib/dom.js";
import { query } from "../lib/api.js";
import { count, date } from "../lib/format.js";
import { list, shown, stateOf } from "../lib/links.js";
import { A, go, route } from "../lib/route.js";
import { Empty, Trouble } from "../lib/parts.js";

const PAGE = 50;
const TYPING_MS = 200;

const STATES = [["", "every state"], ["active", "active"], ["disabled", "switched off"], ["expired", "expired"], ["exhausted", "used up"]];

export function Links() {
  const { search: asked } = useStore(route);
  const { search, status, sort, cursor, tag } = asked;
  const { data, error, loading, reload } = useLoad(
    (signal) => list({ search, status, sort, cursor, tag, limit: PAGE }, signal), [search, status, sort, cursor, tag]);
  const change = (more) => go(`/links${query({ search, status, sort, tag, ...more })}`, { replace: true });
  const filtered = Boolean(search || status || tag);
  return html`<div class="page wide"><div class="bar title"><h1>Links</h1>
      <${A} to="/links/new" class="button primary">New link<//></div>
    <form class="bar" role="search" onSubmit=${(e) => e.preventDefault()}>
      <${Search} value=${search ?? ""} change=${(text) => change({ search: text })} />
      <label class="inline">State <select value=${status ?? ""} onChange=${(e) => change({ status: e.target.value })}>
        ${STATES.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select></label>
      <label class="inline">Order <select value=${sort ?? ""} onChange=${(e) => change({ sort: e.target.value })}>
        <option value="">newest first</option><option value="clicks">most clicks first</option></select></label>
      ${tag && html`<span>tagged ${tag} <button type="button" class="link" onClick=${() => change({ tag: "" })}>show all</button></span>`}
    </form>
    <${Trouble} error=${error} retry=${reload} />
    ${!data && !error && html`<p class="quiet">Reading …</p>`}
    ${data?.items.length === 0 && (filtered || cursor
      ? html`<p class="quiet">No link matches. Try fewer letters, or <${A} to="/links">show all links<//>.</p>`
      : html`<${Empty} title="There are no links yet"
          command=${`curl -X POST ${location.origin}/api/links -H 'content-type: application/json' -d '{"url":"https://example.com/"}'`}>
          <${A} to="/links/new">Make the first one<//> here, or with:<//>`)}
    ${data?.items.length > 0 && html`<${Table} links=${data.items} busy=${loading} />`}
    <div class="bar pages">
      ${cursor && html`<button type="button" onClick=${() => change({})}>First page</button>`}
      ${data?.next_cursor && html`<button type="button" onClick=${() => go(`/links${query({ search, status, sort, tag, cursor: data.next_cursor })}`)}>Next page</button>`}
    </div></div>`;
}

function Search({ value, change }) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return undefined;
    const timer = setTimeout(() => {
      sent.current = text;
      change(text);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<input type="search" aria-label="Search links" placeholder="Search code, target, title, notes"
    value=${text} onInput=${(e) => setText(e.target.value)} />`;
}

const Table = ({ links, busy }) => html`<table class="list links" aria-busy=${busy ? "true" : "false"}>
  <thead><tr><th>Link</th><th>Leads to</th><th class="num">Clicks</th><th>State</th><th>Made</th></tr></thead>
  <tbody>${links.map((link) => html`<tr key=${link.id}>
    <td><${A} to=${`/links/${link.id}`} class="code">${shown(link.short_url)}<//>
      ${link.tags.length > 0 && html`<div class="quiet">${link.tags.join(", ")}</div>`}</td>
    <td class="target"><span title=${link.url}>${link.title ?? shown(link.url)}</span>
      ${link.title && html`<div class="quiet">${shown(link.url)}</div>`}</td>
    <td class="num" data-label="clicks">${count(link.clicks)}</td>
    <td class=${stateOf(link) === "active" ? "" : "strained"}>${stateOf(link)}</td>
    <td class="quiet">${date(link.created_at)}</td></tr>`)}</tbody></table>`;

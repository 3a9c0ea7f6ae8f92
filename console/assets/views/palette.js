// Ctrl K: find anything. A service, a view, a knob, a link, a trace id.

import { html, useEffect, useMemo, useRef, useState } from "../lib/dom.js";
import { get, query } from "../lib/api.js";
import { live } from "../lib/live.js";
import { go } from "../lib/route.js";
import { useKnobs, words } from "./knobs.js";

/** `[open, show, hide]`, with Ctrl K (and Cmd K) bound. */
export function usePalette() {
  const [open, set] = useState(false);
  useEffect(() => {
    const keys = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        set((o) => !o);
      }
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, []);
  return [open, () => set(true), () => set(false)];
}

const VIEWS = [
  ["Map", "/"], ["Links", "/links"], ["New link", "/links/new"], ["Design", "/design"],
  ["Lab: runs of experiments", "/lab"], ["Faults", "/faults"],
  ["Traces", "/traces"], ["Failed traces", "/traces?failed=true"], ["Slowest traces", "/traces?slowest=true"],
];

function useFound(text, knobs) {
  const [links, setLinks] = useState([]);
  useEffect(() => {
    if (text.length < 2) {
      setLinks([]);
      return undefined;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      get(`/api/links${query({ search: text, limit: 5 })}`, abort.signal)
        .then((page) => setLinks(page.items), () => setLinks([]));
    }, 150);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  return useMemo(() => {
    const wanted = text.toLowerCase();
    const now = live.get().now;
    const all = [
      ...VIEWS.map(([name, to]) => ["view", name, to]),
      ...(now?.services ?? []).map((s) => ["service", s.name, `/services/${s.name}`]),
      ...(knobs ?? []).map((k) => ["design", `${k.service} ${words(k.name)}: ${words(k.value)}`, "/design"]),
    ].filter(([, name]) => name.toLowerCase().includes(wanted));
    const trace = /^[0-9a-f]{32}$/i.test(text) ? [["trace", text, `/traces/${text.toLowerCase()}`]] : [];
    const found = links.map((l) => ["link", `${l.code} → ${l.title ?? l.url}`, `/links/${l.id}`]);
    return [...trace, ...all, ...found].slice(0, 12);
  }, [text, knobs, links]);
}

export function Palette({ close }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const { knobs } = useKnobs();
  const found = useFound(text.trim(), knobs);
  const dialog = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    return () => before?.focus?.();
  }, []);
  const choose = (item) => {
    if (!item) return;
    close();
    go(item[2]);
  };
  const keys = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : found.length - 1;
      setAt((n) => (found.length ? (n + by) % found.length : 0));
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(found[at]);
    }
  };
  return html`<dialog ref=${dialog} class="palette" aria-label="Find anything" onClose=${close}
    onClick=${(e) => e.target === dialog.current && close()}>
    <input type="text" role="combobox" aria-expanded="true" aria-controls="found" aria-label="Find anything"
      aria-activedescendant=${found[at] ? `found-${at}` : undefined} autofocus autocomplete="off" spellcheck="false"
      placeholder="A service, a link, a design choice, a trace id" value=${text} onKeyDown=${keys}
      onInput=${(e) => { setText(e.target.value); setAt(0); }} />
    <ul id="found" role="listbox" aria-label="Found">${found.map((item, i) => html`
      <li key=${item[0] + item[1]} id=${`found-${i}`} role="option" aria-selected=${i === at ? "true" : "false"}
        onPointerMove=${() => setAt(i)} onClick=${() => choose(item)}>
        <span class="quiet">${item[0]}</span>${item[1]}</li>`)}</ul>
    ${found.length === 0 && html`<p class="quiet pad">Nothing is called that. Try fewer letters.</p>`}</dialog>`;
}

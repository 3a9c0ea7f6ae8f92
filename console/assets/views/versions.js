// The versions of a link, and the way back to one.

import { html, useLoad, useState } from "../lib/dom.js";
import { date } from "../lib/format.js";
import { history, rollback } from "../lib/links.js";
import { Trouble } from "../lib/parts.js";
import { words } from "./knobs.js";

export function Versions({ link, saved }) {
  const { data, error, reload } = useLoad((signal) => history(link.id, signal), [link.id, link.version]);
  const [failed, setFailed] = useState(null);
  const back = async (version) => {
    setFailed(null);
    try {
      saved(await rollback(link.id, version));
    } catch (e) {
      setFailed(e);
    }
  };
  return html`<section><h2>History</h2><${Trouble} error=${error} retry=${reload} /><${Trouble} error=${failed} />
    <ol class="rows versions">${(data?.versions ?? []).map((v, i) => html`<li key=${v.version}>
      <span><b>${v.version}</b> ${what(v)}
        <span class="quiet"> ${date(v.at)} by ${v.by}</span></span>
      ${i === 0 ? html`<span class="quiet">now</span>`
        : html`<button type="button" class="small" onClick=${() => back(v.version)}
            aria-label=${`Go back to version ${v.version}`}>Go back</button>`}</li>`)}</ol></section>`;
}

const what = (v) => (v.version === 1 || v.changed.length === 0 ? "made" : `changed ${v.changed.map(words).join(", ")}`);

// One link: what it is, its clicks, its QR code; edit, switch off, delete, go back, explain.

import { html, useEffect, useLoad, useRef, useState } from "../lib/dom.js";
import { change, qr, qrPath, read, remove, shown, stateOf } from "../lib/links.js";
import { date } from "../lib/format.js";
import { A, go } from "../lib/route.js";
import { Copy, Facts, Trouble } from "../lib/parts.js";
import { Explain } from "./explain.js";
import { LinkForm } from "./link-form.js";
import { Stats } from "./stats.js";
import { Versions } from "./versions.js";

export function Link({ id }) {
  const { data, error, reload } = useLoad((signal) => read(id, signal), [id]);
  const [newer, setNewer] = useState(null);
  const link = newer ?? data;
  if (!link) {
    return html`<div class="page"><${Trouble} error=${error} retry=${reload} />
      ${error?.status === 404 && html`<p><${A} to="/links">Go to all links<//></p>`}
      ${!error && html`<p class="quiet">Reading …</p>`}</div>`;
  }
  return html`<div class="page wide">
    <p class="quiet"><${A} to="/links">Links<//></p>
    <div class="bar title"><h1 class="code">${shown(link.short_url)}</h1><${Copy} text=${link.short_url} what="short link" />
      <a class="button" href=${link.short_url} target="_blank" rel="noreferrer">Open</a></div>
    <${Target} link=${link} />
    <div class="columns"><div>
      <${Stats} link=${link} />
      <${Explain} link=${link} /></div>
      <div><${Qr} link=${link} key=${`${link.id}${link.code}`} />
        <${About} link=${link} />
        <${Edit} link=${link} saved=${setNewer} />
        <${Versions} link=${link} saved=${setNewer} key=${link.version} /></div></div></div>`;
}

function Target({ link }) {
  const state = stateOf(link);
  return html`<p class="leads">leads to <a href=${link.url} rel="noreferrer noopener">${link.url}</a>
    ${link.title && html` · ${link.title}`}
    ${state !== "active" && html` · <b class="strained">${state}</b>`}</p>`;
}

function Qr({ link }) {
  const { data, error } = useLoad((signal) => qr(link.id, signal), [link.id]);
  return html`<section class="qr"><h2>QR code</h2><${Trouble} error=${error} />
    ${data && html`<img alt=${`QR code of ${link.short_url}`} width="164" height="164"
      src=${`data:image/svg+xml,${encodeURIComponent(data)}`} />`}
    <p>${["svg", "png"].map((kind) => html`<a key=${kind} class="button small" href=${qrPath(link.id, kind)}
      download=${`${link.code}.${kind}`}>${kind.toUpperCase()}</a>`)}</p></section>`;
}

const About = ({ link }) => html`<section><h2>About</h2><${Facts} rows=${[
  ["made", `${date(link.created_at)} by ${link.created_by}`],
  link.version > 1 && ["changed", date(link.updated_at)],
  ["redirects with", String(link.status)],
  link.expires_at && ["ends", date(link.expires_at)],
  link.max_clicks !== null && ["clicks left", `${link.clicks_left} of ${link.max_clicks}`],
  link.has_password && ["password", "asked for"],
  link.tags.length > 0 && ["tags", link.tags.join(", ")],
  link.rules.length > 0 && ["rules", String(link.rules.length)],
  link.notes && ["notes", link.notes],
]} /></section>`;

/** What differs from the link; only that is sent, so that two editors do not undo each other. */
function differences(link, values) {
  const { password, ...rest } = values;
  const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
  const time = (a, b) => (a && b ? Date.parse(a) === Date.parse(b) || a.slice(0, 16) === b.slice(0, 16) : a === b);
  const changed = Object.entries(rest).filter(([name, value]) =>
    name === "expires_at" ? !time(value, link[name]) : !same(value, link[name]));
  if (password) changed.push(["password", password]);
  return Object.fromEntries(changed.filter(([name, v]) => v !== null || !["url", "code"].includes(name)));
}

function Edit({ link, saved }) {
  const [open, setOpen] = useState(false);
  const [error, setError] = useState(null);
  const button = useRef(null);
  const act = async (changes) => {
    setError(null);
    try {
      saved(await change(link.id, changes));
    } catch (e) {
      setError(e);
    }
  };
  const save = async (values) => {
    const changes = differences(link, values);
    if (Object.keys(changes).length) saved(await change(link.id, changes));
    setOpen(false);
  };
  const wasOpen = useRef(false);
  useEffect(() => {
    if (wasOpen.current && !open) button.current?.focus({ preventScroll: true });
    wasOpen.current = open;
  }, [open]);
  return html`<section><h2>Change it</h2>
    ${open
      ? html`<${LinkForm} link=${link} save=${save} label="Save the changes" cancel=${() => setOpen(false)} />`
      : html`<div class="bar"><button type="button" ref=${button} onClick=${() => setOpen(true)}>Edit</button>
          <button type="button" onClick=${() => act({ enabled: !link.enabled })}>
            ${link.enabled ? "Switch it off" : "Switch it on"}</button>
          ${link.has_password && html`<button type="button" onClick=${() => act({ password: null })}>Remove the password</button>`}
          <${Delete} link=${link} fail=${setError} /></div>`}
    <${Trouble} error=${error} /></section>`;
}

function Delete({ link, fail }) {
  const dialog = useRef(null);
  const gone = async () => {
    try {
      await remove(link.id);
      go("/links");
    } catch (error) {
      dialog.current.close();
      fail(error);
    }
  };
  return html`<button type="button" class="danger" onClick=${() => dialog.current.showModal()}>Delete</button>
    <dialog ref=${dialog} aria-labelledby="delete-title"><h2 id="delete-title">Delete ${link.code}?</h2>
      <p>Its history and its clicks go with it. Visitors will find nothing.</p>
      <div class="bar"><button type="button" class="danger" onClick=${gone}>Delete the link</button>
        <button type="button" autofocus onClick=${() => dialog.current.close()}>Keep it</button></div></dialog>`;
}

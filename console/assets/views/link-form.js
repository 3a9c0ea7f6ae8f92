// The form of a link, for a new one and for changes. Wrong fields are named where they stand.

import { html, useRef, useState } from "../lib/dom.js";
import { Trouble } from "../lib/parts.js";

const DEVICES = [["", "any device"], ["ios", "iPhone or iPad"], ["android", "Android"],
  ["mobile", "any phone"], ["desktop", "computer"], ["bot", "bot"]];

/** The fields that show what is wrong with them. */
const FIELDS = new Set(["url", "code", "title", "tags", "expires_at", "max_clicks", "expired_url", "password",
  "domain", "cache_control", "notes"]);

const toLocal = (moment) => {
  if (!moment) return "";
  const d = new Date(moment);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
};
const toMoment = (local) => (local ? new Date(local).toISOString() : null);

/** What the fields say, by the API's names; null for what is empty. */
function values(form, rules) {
  const data = new FormData(form);
  const text = (name) => data.get(name)?.trim() || null;
  return {
    url: text("url"), code: text("code"), domain: text("domain"), title: text("title"), notes: text("notes"),
    tags: (text("tags") ?? "").split(",").map((t) => t.trim()).filter(Boolean),
    expires_at: toMoment(text("expires_at")), expired_url: text("expired_url"),
    max_clicks: text("max_clicks") ? Number(text("max_clicks")) : null,
    status: Number(text("status")), cache_control: text("cache_control"),
    forward_query: data.get("forward_query") === "on", password: text("password"),
    rules: rules.filter((r) => r.url.trim()).map((r) => ({
      ...r.rest, url: r.url.trim(), devices: r.device ? [r.device] : r.many,
      languages: r.languages.split(",").map((l) => l.trim()).filter(Boolean),
    })),
  };
}

const ruleOf = ({ url, devices = [], languages = [], ...rest }) => ({
  key: Math.random(), url, rest, languages: languages.join(", "),
  device: devices.length === 1 ? devices[0] : "", many: devices.length > 1 ? devices : [],
});

/** `save` is given the values and answers when they are kept; what it throws is shown. */
export function LinkForm({ link, save, label, cancel }) {
  const [state, setState] = useState({ busy: false, error: null });
  const [rules, setRules] = useState(() => (link?.rules ?? []).map(ruleOf));
  const form = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    setState({ busy: true, error: null });
    try {
      await save(values(form.current, rules));
      setState({ busy: false, error: null });
    } catch (error) {
      setState({ busy: false, error });
      const wrong = Object.keys(error.fields ?? {})[0];
      form.current?.elements[wrong]?.focus();
    }
  };
  const wrong = state.error?.fields ?? {};
  const field = (name, text, props = {}, note = null) => html`<${Field} name=${name} text=${text}
    wrong=${wrong[name]} note=${note} props=${{ value: link?.[name] ?? "", ...props }} />`;
  return html`<form ref=${form} class="form" onSubmit=${submit} novalidate>
    ${field("url", "Where it leads", { type: "url", required: true, placeholder: "https://example.com/a/long/address", autofocus: !link })}
    <div class="pair">
      ${field("code", "Code", { placeholder: "random", pattern: "[A-Za-z0-9_-]{1,64}", autocapitalize: "off", spellcheck: "false" })}
      ${field("title", "Title", { placeholder: "for people; visitors do not see it" })}</div>
    ${field("tags", "Tags", { value: (link?.tags ?? []).join(", "), placeholder: "spring, newsletter" })}
    <details open=${Boolean(link)}><summary>More options</summary>
      <div class="pair">
        ${field("expires_at", "Ends at", { type: "datetime-local", value: toLocal(link?.expires_at) })}
        ${field("max_clicks", "Works for so many clicks", { type: "number", min: 1, placeholder: "any number" })}</div>
      ${field("expired_url", "Afterwards, lead to", { type: "url", placeholder: "nothing: answer 410 Gone" })}
      <div class="pair">
        <label class="field">Redirect with
          <select name="status">${[[302, "302, may change"], [301, "301, for good"], [307, "307, keeps the method"], [308, "308, for good, keeps the method"]]
            .map(([v, t]) => html`<option key=${v} value=${v} selected=${v === (link?.status ?? 302)}>${t}</option>`)}</select></label>
        ${field("password", "Password", { type: "password", autocomplete: "new-password", value: "",
          placeholder: link?.has_password ? "kept; type to replace it" : "none" })}</div>
      <div class="pair">
        ${field("domain", "Domain", { placeholder: "the usual one" })}
        ${field("cache_control", "Cache-Control", { placeholder: "the usual one" })}</div>
      <label class="check"><input type="checkbox" name="forward_query" checked=${link?.forward_query ?? false} />
        Append the visitor's query to the target</label>
      ${field("notes", "Notes")}
      <${Rules} rules=${rules} setRules=${setRules} />
    </details>
    <${Trouble} error=${named(wrong) ? MARKED : state.error} />
    <div class="bar"><button class="primary" disabled=${state.busy}>${state.busy ? "Saving …" : label}</button>
      ${cancel && html`<button type="button" onClick=${cancel}>Keep it as it was</button>`}</div></form>`;
}

const MARKED = { message: "Mend what is marked above, then try again." };

/** Whether every fault is shown at a field of its own. */
const named = (wrong) => {
  const names = Object.keys(wrong);
  return names.length > 0 && names.every((name) => FIELDS.has(name));
};

function Field({ name, text, props, wrong, note }) {
  const { value, ...rest } = props;
  return html`<label class=${wrong ? "field wrong" : "field"}>${text}
    <input name=${name} defaultValue=${value} aria-invalid=${wrong ? "true" : undefined}
      aria-describedby=${wrong ? `wrong-${name}` : undefined} ...${rest} />
    ${note && html`<small>${note}</small>`}
    ${wrong && html`<small id=${`wrong-${name}`} class="failing">${wrong}</small>`}</label>`;
}

function Rules({ rules, setRules }) {
  const edit = (key, more) => setRules((all) => all.map((r) => (r.key === key ? { ...r, ...more } : r)));
  return html`<fieldset><legend>Other targets for some visitors</legend>
    <p class="quiet">The first rule that matches wins.</p>
    ${rules.map((rule, i) => html`<div class="rule" key=${rule.key}>
      <label class="field">Device <select value=${rule.device} onChange=${(e) => edit(rule.key, { device: e.target.value, many: [] })}>
        ${DEVICES.map(([v, t]) => html`<option key=${v} value=${v}>${v === "" && rule.many.length ? rule.many.join(", ") : t}</option>`)}</select></label>
      <label class="field">Languages <input value=${rule.languages} placeholder="any; or de, fr"
        onInput=${(e) => edit(rule.key, { languages: e.target.value })} /></label>
      <label class="field grow">Leads to <input type="url" value=${rule.url}
        onInput=${(e) => edit(rule.key, { url: e.target.value })} /></label>
      <button type="button" onClick=${() => setRules((all) => all.filter((r) => r.key !== rule.key))}
        aria-label=${`Remove rule ${i + 1}`}>Remove</button></div>`)}
    <button type="button" onClick=${() => setRules((all) => [...all, ruleOf({ url: "" })])}>Add a rule</button></fieldset>`;
}

// Design choices, switched while the system runs.

import { html, store, useEffect, useState, useStore } from "../lib/dom.js";
import { get, send, sentence } from "../lib/api.js";
import { live } from "../lib/live.js";
import { A } from "../lib/route.js";
import { Choice, Empty, Trouble } from "../lib/parts.js";

const shared = store({ knobs: null, error: null });

async function load() {
  try {
    const { items } = await get("/console/api/knobs");
    shared.set({ knobs: items, error: null });
  } catch (error) {
    shared.set((s) => ({ ...s, error }));
  }
}

async function set(knob, value) {
  const path = `/console/api/knobs/${encodeURIComponent(knob.service)}/${encodeURIComponent(knob.name)}`;
  const changed = await send("POST", path, { value });
  const same = (k) => k.service === knob.service && k.name === knob.name;
  shared.set((s) => ({ ...s, knobs: s.knobs.map((k) => (same(k) ? changed : k)) }));
}

const changes = () => live.get().marks.findLast((m) => m.kind === "knob")?.id;

/** Every knob; read anew when a view opens, and when somebody switched one, here or elsewhere. */
export function useKnobs() {
  const { knobs, error } = useStore(shared);
  useEffect(() => {
    let seen = changes();
    load();
    return live.watch(() => {
      if (changes() === seen) return;
      seen = changes();
      load();
    });
  }, []);
  return { knobs, error, set, reload: load };
}

/** What a knob or a setting is called, in words. */
export const words = (name) => name.replaceAll("_", " ").replaceAll("-", " ");

/** One knob: its settings side by side, and what it trades. */
export function KnobRow({ knob, set: change, brief }) {
  const [state, setState] = useState({ busy: null, error: null });
  const choose = async (value) => {
    setState({ busy: value, error: null });
    try {
      await change(knob, value);
      setState({ busy: null, error: null });
    } catch (error) {
      setState({ busy: null, error });
    }
  };
  const label = words(knob.name);
  const note = knob.mixed
    ? "Replicas disagree at the moment; choose a setting to make them agree."
    : knob.value !== knob.default && !brief ? `Starts as ${words(knob.default)}.` : "";
  return html`<div class="knob">
    <div class="knob-head"><span class="knob-name">${label}</span>
      <${Choice} name=${label} options=${knob.allowed.map((v) => [v, words(v)])}
        value=${state.busy ?? (knob.mixed ? null : knob.value)} onChange=${choose} busy=${state.busy !== null} /></div>
    <p class="quiet">${sentence(knob.trades)}${note && ` ${note}`}</p>
    <${Trouble} error=${state.error} /></div>`;
}

export function Knobs() {
  const { knobs, error, set: change, reload } = useKnobs();
  const services = [...new Set((knobs ?? []).map((k) => k.service))];
  return html`<div class="page"><h1>Design</h1>
    <p class="lead">Each choice takes effect at once, in every replica, and stands on the time axis below.</p>
    <${Trouble} error=${error} retry=${reload} />
    ${!knobs && !error && html`<p class="quiet">Reading …</p>`}
    ${knobs?.length === 0 && html`<${Empty} title="There is nothing to switch" command="tradewind up --demo">
      No service that runs has a design choice. Start one that has:<//>`}
    ${services.map((service) => html`<section key=${service} class="group">
      <h2><${A} to=${`/services/${service}`}>${service}<//></h2>
      ${knobs.filter((k) => k.service === service)
        .map((k) => html`<${KnobRow} key=${k.name} knob=${k} set=${change} />`)}</section>`)}</div>`;
}

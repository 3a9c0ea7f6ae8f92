// What would happen to a visitor, and why, step by step. Counts no click.

import { html, useState } from "../lib/dom.js";
import { explain } from "../lib/links.js";
import { Trouble } from "../lib/parts.js";

const AGENTS = [
  ["this browser", () => navigator.userAgent],
  ["iPhone", () => "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"],
  ["Android", () => "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"],
  ["computer", () => "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"],
  ["bot", () => "Googlebot/2.1 (+http://www.google.com/bot.html)"],
];

const OUTCOMES = {
  redirect: "goes to", expired: "finds that the link has ended", exhausted: "finds that all clicks are used",
  disabled: "finds nothing: the link is switched off", password: "is asked for the password",
  preview: "gets a page without the target",
};

export function Explain({ link }) {
  const [state, setState] = useState({ answer: null, error: null });
  const submit = async (event) => {
    event.preventDefault();
    const data = new FormData(event.target);
    const visitor = { agent: AGENTS[Number(data.get("agent"))][1]() };
    const language = data.get("language").trim();
    if (language) visitor.language = language;
    if (data.get("time")) visitor.time = new Date(data.get("time")).toISOString();
    try {
      setState({ answer: await explain(link.id, visitor), error: null });
    } catch (error) {
      setState({ answer: null, error });
    }
  };
  const { answer, error } = state;
  return html`<section><h2>Where would a visitor go?</h2>
    <form class="bar" onSubmit=${submit}>
      <label class="inline">With <select name="agent" aria-label="With which device">${AGENTS.map(([name], i) => html`
        <option key=${name} value=${i}>${name}</option>`)}</select></label>
      <label class="inline">speaking <input name="language" size="8" placeholder="any" /></label>
      <label class="inline">at <input name="time" type="datetime-local" /></label>
      <button>Explain</button></form>
    <${Trouble} error=${error} />
    ${answer && html`<div class="explained" aria-live="polite">
      <p>A visitor like this <b>${OUTCOMES[answer.outcome] ?? answer.outcome}</b>
        ${answer.location && html` <span class="code">${answer.location}</span>`} (${answer.status}).
        Taken for: ${answer.device}${answer.bot ? ", a bot" : ""}.</p>
      <ol class="rows">${answer.steps.map((s) => html`<li key=${s.step}>
        <span><b>${s.step}</b> ${s.reason}</span><span class="quiet">${verdict(s)}</span></li>`)}</ol></div>`}</section>`;
}

const verdict = (s) =>
  s.step.startsWith("rule") ? (s.passed ? "fires" : "does not fire") : (s.passed ? "lets pass" : "stops here");

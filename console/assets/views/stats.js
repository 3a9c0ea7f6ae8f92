// The clicks of a link: over time, and by referrer, device and language.

import { html, useEffect, useLoad, useRef, useState } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { stats } from "../lib/links.js";
import { Choice, Trouble } from "../lib/parts.js";
import { draw } from "./chart.js";

const HOUR_MS = 3600000;
const REFRESH_MS = 5000;
const RANGES = {
  day: { label: "24 hours", ms: 24 * HOUR_MS, by: "hour" },
  week: { label: "7 days", ms: 7 * 24 * HOUR_MS, by: "hour" },
  month: { label: "30 days", ms: 30 * 24 * HOUR_MS, by: "day" },
  year: { label: "1 year", ms: 365 * 24 * HOUR_MS, by: "day" },
};

export function Stats({ link }) {
  const [range, setRange] = useState("day");
  const { ms, by } = RANGES[range];
  const { data, error, reload } = useLoad(
    (signal) => stats(link.id, { from: new Date(Date.now() - ms + HOUR_MS).toISOString(), by }, signal), [link.id, range]);
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) reload(); }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<section class="stats"><div class="bar title"><h2>Clicks</h2>
    <${Choice} name="Range" value=${range} onChange=${setRange}
      options=${Object.entries(RANGES).map(([key, r]) => [key, r.label])} /></div>
    <${Trouble} error=${error} retry=${reload} />
    ${data && html`<dl class="figs">${[
      ["in all", count(data.total_clicks)],
      ["in this time", count(data.clicks)],
      ["visitors", `${data.visitors_exact ? "" : "about "}${count(data.visitors)}`],
      ["bots, apart", count(data.bots)], ["HEAD, apart", count(data.heads)],
    ].map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <${Chart} series=${data.series} by=${by} />
    <div class="shares">
      <${Shares} title="Referrers" items=${data.referrers} />
      <${Shares} title="Devices" items=${data.devices} />
      <${Shares} title="Languages" items=${data.languages} /></div>`}</section>`;
}

/** The chart, and the same numbers as a table for those who do not see it. */
function Chart({ series, by }) {
  const box = useRef(null);
  const chart = useRef(null);
  const data = [series.map((p) => Date.parse(p.at) / 1000), series.map((p) => p.clicks)];
  useEffect(() => {
    let gone = false;
    draw(box.current, by).then((drawn) => {
      if (gone) drawn.destroy();
      else {
        chart.current = drawn;
        drawn.show(data);
      }
    }, () => { /* Without the chart the table is still there. */ });
    return () => {
      gone = true;
      chart.current?.destroy();
      chart.current = null;
    };
  }, [by]);
  useEffect(() => { chart.current?.show(data); }, [series]);
  const busy = series.filter((p) => p.clicks > 0);
  return html`<figure class="chart"><div ref=${box} aria-hidden="true"></div>
    <figcaption class="sr">Clicks ${by === "hour" ? "per hour" : "per day"}:
      ${busy.length === 0 ? " none in this time" : ""}
      <ul>${busy.map((p) => html`<li key=${p.at}>${p.at}: ${p.clicks}</li>`)}</ul></figcaption></figure>`;
}

function Shares({ title, items }) {
  const all = items.reduce((sum, i) => sum + i.clicks, 0);
  return html`<div><h3>${title}</h3>
    ${items.length === 0 && html`<p class="quiet">None yet.</p>`}
    <ul class="rows">${items.slice(0, 8).map((i) => html`<li key=${i.name}>
      <span class="share" title=${i.name}><i aria-hidden="true" style=${{ width: `${(i.clicks / all) * 100}%` }}></i><span>${i.name}</span></span>
      <span>${count(i.clicks)}</span></li>`)}</ul></div>`;
}

// The one place that knows uPlot. It is loaded when a chart is first shown.

const folder = new URL("../vendor/", import.meta.url);
const HEIGHT = 180;

let loading = null;

function load() {
  loading ??= new Promise((done, fail) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("uPlot.min.css", folder).href;
    const script = document.createElement("script");
    script.src = new URL("uPlot.iife.min.js", folder).href;
    script.onload = () => done(globalThis.uPlot);
    script.onerror = () => {
      loading = null;
      fail(new Error("the chart could not be loaded"));
    };
    document.head.append(style, script);
  });
  return loading;
}

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Bars of clicks in `box`: `{ show(data), destroy() }`. Follows the box's width and the theme. */
export async function draw(box, by) {
  const uPlot = await load();
  let plot = null;
  let data = [[], []];
  const make = () => {
    plot?.destroy();
    const line = { stroke: token("--line"), width: 1 };
    const axis = { stroke: token("--quiet"), font: "11px system-ui", grid: line, ticks: { show: false } };
    plot = new uPlot({
      width: Math.max(120, box.clientWidth), height: HEIGHT,
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      legend: { show: true, live: true },
      scales: { x: { range: (_, min, max) => [min, max + (by === "hour" ? 3600 : 86400)] }, y: { range: (_, __, max) => [0, Math.max(4, Math.ceil(max * 1.1))] } },
      axes: [{ ...axis, grid: { show: false }, space: 64, size: 26, values: (_, ticks) => ticks.map((t) => tick(t * 1000)) },
        { ...axis, size: 44, values: (_, ticks) => ticks.map((t) => (Number.isInteger(t) ? t : "")) }],
      series: [
        { label: by === "hour" ? "hour from" : "day", value: (_, s) => (s ? label(s * 1000, by) : "–") },
        { label: "clicks", value: (_, n) => n ?? "–", stroke: token("--well"), fill: token("--well-soft"), width: 1,
          paths: uPlot.paths.bars({ size: [0.8, 40], align: 1 }), points: { show: false } },
      ],
    }, data, box);
  };
  const tick = (ms) => {
    const far = data[0].at(-1) - data[0][0] > 3 * 86400;
    return (far ? day : time).format(ms);
  };
  make();
  const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(120, box.clientWidth), height: HEIGHT }));
  resize.observe(box);
  const theme = matchMedia("(prefers-color-scheme: light)");
  theme.addEventListener("change", make);
  return {
    show(next) {
      data = next;
      plot.setData(next);
    },
    destroy() {
      resize.disconnect();
      theme.removeEventListener("change", make);
      plot.destroy();
    },
  };
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const hour = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const label = (ms, by) => (by === "hour" ? hour : day).format(ms);

// Checks that run inside of the page. Each function stands alone: it is sent there as text.

/** Controls, pictures and pages without a name; ids that are there twice. */
export function nameFaults() {
  const faults = [];
  const shown = (e) => e.checkVisibility?.() ?? true;
  const byIds = (e) => (e.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean)
    .map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  const name = (e) => [e.getAttribute("aria-label"), byIds(e), e.getAttribute("alt"), e.title,
    ...[...(e.labels ?? [])].map((l) => l.textContent), ["INPUT", "SELECT"].includes(e.tagName) ? "" : e.textContent]
    .find((text) => text?.trim());
  for (const e of document.querySelectorAll("a[href], button, input, select, textarea, img, [role=slider], [role=radiogroup], dialog[open], aside, nav")) {
    if (shown(e) && !name(e)) faults.push(`no name: ${e.outerHTML.slice(0, 120)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) faults.push(`id twice: ${id}`);
  if (document.documentElement.lang !== "en") faults.push("the page names no language");
  if (!document.title) faults.push("the page has no title");
  if (document.querySelectorAll("h1").length !== 1) faults.push("the page needs exactly one h1");
  if (!document.querySelector("main")) faults.push("the page has no main part");
  return faults;
}

/** Texts whose contrast with what is behind them is below 4.5 (3 when large). */
export function contrastFaults() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return { r, g, b, a: a / 255 };
  };
  const over = (top, below) => {
    const mix = (x, y) => x * top.a + y * (1 - top.a);
    return { r: mix(top.r, below.r), g: mix(top.g, below.g), b: mix(top.b, below.b), a: 1 };
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour.a > 0) layers.push(colour);
      if (colour.a === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const faults = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !e.checkVisibility() || e.closest("svg, script, noscript, .sr, :disabled, option")) continue;
    const style = getComputedStyle(e);
    const below = behind(e);
    const [a, b] = [light(over(rgba(style.color), below)), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faults.push(`${ratio.toFixed(2)}: "${text.slice(0, 40)}" (${e.tagName}.${e.className})`);
  }
  return faults;
}

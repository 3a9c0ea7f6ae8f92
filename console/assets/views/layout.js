// Where the cards of the map stand. Depends on the names and edges alone, so nothing moves while
// figures change.

/** Columns by the longest way from a service that nobody calls; rows by the order of the names. */
export function layout(services, edges) {
  const names = services.map((s) => s.name).sort();
  const out = new Map(names.map((n) => [n, []]));
  const calls = edges.filter((e) => e.from !== e.to && out.has(e.from) && out.has(e.to));
  for (const { from, to, kind } of calls) if (kind === "call") out.get(from).push(to);
  const column = new Map(names.map((n) => [n, 0]));
  // As many rounds as there are services: enough for the longest way, and an end for circles.
  for (let round = 0; round < names.length; round += 1) {
    for (const name of names) {
      for (const to of out.get(name)) {
        if (column.get(to) < column.get(name) + 1 && column.get(name) + 1 < names.length) {
          column.set(to, column.get(name) + 1);
        }
      }
    }
  }
  for (const name of names) {
    const fed = calls.filter((e) => e.kind === "event" && e.to === name).map((e) => column.get(e.from));
    const called = calls.some((e) => e.kind === "call" && (e.to === name || e.from === name));
    if (fed.length && !called) column.set(name, Math.max(...fed) + 1);
  }
  const columns = [];
  for (const name of names) (columns[column.get(name)] ??= []).push(name);
  return columns.filter(Boolean);
}

const CARD = { width: 172, height: 80 };

/** Pixels of each card, within `width` and at least `height`. */
export function place(columns, width, height) {
  const rows = Math.max(1, ...columns.map((c) => c.length));
  const tall = Math.max(height, rows * (CARD.height + 36) + 72);
  const gap = columns.length > 1 ? (width - 64 - CARD.width) / (columns.length - 1) : 0;
  const spread = Math.min(gap, CARD.width + 190);
  const used = spread * (columns.length - 1) + CARD.width;
  const left = Math.max(32, (width - used) / 2);
  const at = new Map();
  columns.forEach((names, x) => names.forEach((name, y) => {
    const slot = (tall - 48) / names.length;
    at.set(name, { x: Math.round(left + x * spread), y: Math.round(24 + slot * (y + 0.5) - CARD.height / 2) });
  }));
  return { at, width, height: tall, card: CARD };
}

/** The line of an edge: out of the right side of one card into the left of the other. */
export function line(from, to, card, kind) {
  const start = { x: from.x + card.width, y: from.y + card.height / 2 };
  const end = { x: to.x, y: to.y + card.height / 2 };
  if (end.x > start.x) {
    const bend = (end.x - start.x) / 2;
    const path = `M${start.x},${start.y} C${start.x + bend},${start.y} ${end.x - bend},${end.y} ${end.x},${end.y}`;
    return { path, x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  }
  // Backwards, or within a column: around the right side.
  const back = { x: to.x + card.width, y: to.y + card.height / 2 + (kind === "event" ? 16 : -16) };
  const far = Math.max(start.x, back.x) + 70;
  const path = `M${start.x},${start.y} C${far},${start.y} ${far},${back.y} ${back.x},${back.y}`;
  return { path, x: far - 18, y: (start.y + back.y) / 2 };
}

"use strict";

const LANES = [
  { id: "serial in", name: "Serial", way: "to the board", brief: "to board", lane: "serial", direction: "in", rows: 3 },
  { id: "serial out", name: "Serial", way: "from the board", brief: "from board", lane: "serial", direction: "out", rows: 3 },
  { id: "mqtt out", name: "MQTT", way: "sent", brief: "sent", lane: "mqtt", direction: "out", rows: 3 },
  { id: "mqtt in", name: "MQTT", way: "received", brief: "received", lane: "mqtt", direction: "in", rows: 3 },
  { id: "websocket", name: "WebSocket", way: "both ways", brief: "both ways", lane: "websocket", rows: 2 },
  { id: "tls", name: "TLS", way: "both ways", brief: "both ways", lane: "tls", rows: 3 },
  { id: "tcp", name: "TCP", way: "on the wire", brief: "on wire", lane: "tcp", rows: 2 },
];
const NAMES = { serial: "Serial", mqtt: "MQTT", websocket: "WebSocket", tls: "TLS", tcp: "TCP" };
const ROW = 20, PILL = 17, LANE_PADDING = 5, AXIS = 38, HEAP = 88;
const WIDEST = 320, NARROWEST = 42, SHORTEST = 18, TEXT_PADDING = 6, TICK = 3;
/* Of a phone. */
const NARROW = 460;
const FOLD_UNIT = 150, LONG_GAP = 300000, PAGE_ROWS = 500;

/* What the file holds */

let about, events, heap, dropped, lanes;

function readFile() {
  about = JSON.parse(document.getElementById("about").textContent);
  const found = { events: [], heap: null, dropped: null };
  for (const line of document.getElementById("events").textContent.split("\n")) {
    // The last line of a killed board may be cut.
    let record;
    try { record = JSON.parse(line); } catch { continue; }
    if (record.at !== undefined) found.events.push(record);
    else if (record.heap) found.heap = record;
    else if (record.dropped) found.dropped = { ...record, after: found.events.length };
  }
  if (found.dropped) {
    const { after } = found.dropped;
    found.dropped.from = after ? found.events[after - 1].at : 0;
    found.dropped.to = after < found.events.length ? found.events[after].at : found.dropped.from;
  }
  ({ events, heap, dropped } = found);
  events.sort((a, b) => a.at - b.at);
  events.forEach((event, index) => { event.index = index; });
  addMeanings();
  linkCommands();
  events.forEach((event) => {
    event.text = [event.label, NAMES[event.lane], ...event.facts.flat()].join(" ").toLowerCase();
  });
  lanes = LANES.map((lane) => ({ ...lane, events: events.filter((event) => belongs(event, lane)) }))
    .filter((lane) => lane.events.length || lane.lane === "serial" || lane.lane === "mqtt");
}

/* What a failure means, by the reference; a stage of +MQTTERR by its number. */
const STAGES = ["looking up the name", "TCP", "TLS", "WebSocket", "CONNECT", "the session"];
const SERVERS_OWN = {
  "CMD FORMAT ERR": "the AT server knows no such command, or not in this form",
  "CMD PARSE ERR": "the AT server cannot read the parameters",
  "busy ...": "the AT server has dropped a line that came too early",
};

function addMeanings() {
  const codes = new Map(JSON.parse(document.getElementById("codes").textContent).codes
    .map((row) => [parseInt(row.code, 16), `${row.name}: ${row.when || row.reserved}`]));
  for (const event of events) {
    const code = event.label.match(/^(?:ERR CODE:|\+MQTTERR:\d+,)0x([0-9a-f]{8})(?:,([1-6]),)?/);
    const meaning = event.lane !== "serial" ? null : code ? codes.get(parseInt(code[1], 16)) : SERVERS_OWN[event.label];
    if (meaning) event.facts.push(["Means", meaning]);
    if (code && code[2]) event.facts.push(["Failed at", STAGES[code[2] - 1]]);
  }
}

/* Commands, what answered them, and what went over the network between. */
const MOST_BETWEEN = 24;

function linkCommands() {
  const commands = new Map(events.filter((event) => event.lane === "serial" && event.way === "in")
    .map((event) => [event.at, event]));
  for (const answer of events.filter((event) => event.asked !== undefined)) {
    const command = commands.get(answer.asked);
    if (!command) continue;
    answer.command = command;
    command.answer = answer;
    answer.facts.push(["Took", duration(answer.at - command.at)]);
  }
  for (const command of commands.values()) {
    if (!command.answer) continue;
    command.facts.push(["Answer after", duration(command.answer.at - command.at)]);
    command.between = events.slice(command.index + 1, command.answer.index).filter((event) => event.lane !== "serial");
    for (const event of command.between) event.command ??= command;
  }
}

function belongs(event, lane) {
  return event.lane === lane.lane && (!lane.direction || lane.direction === event.way);
}

/* Time and place: a time in µs, a length along the folded axis, a place in pixels */

const view = { folded: true, from: 0, to: 1, width: 0, gutter: 124 };
let knots = [];

function foldTime() {
  const times = [...new Set([0, ...events.map((event) => event.at), lastTime()])].sort((a, b) => a - b);
  let length = 0;
  knots = times.map((at, index) => {
    const gap = index ? at - times[index - 1] : 0;
    length += view.folded ? Math.log2(1 + gap / FOLD_UNIT) : gap;
    return { at, length };
  });
}

function lastTime() {
  const heapEnd = heap && heap.heap.length ? heap.heap.at(-1)[0] : 0;
  return Math.max(1, events.length ? events.at(-1).at : 0, heapEnd);
}

function between(value, from, to) {
  let low = 0, high = knots.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (knots[middle][from] <= value) low = middle; else high = middle;
  }
  const [a, b] = [knots[low], knots[high]];
  const share = b[from] > a[from] ? (value - a[from]) / (b[from] - a[from]) : 0;
  return a[to] + share * (b[to] - a[to]);
}

const lengthOf = (at) => between(at, "at", "length");
const timeOf = (length) => between(length, "length", "at");
const total = () => Math.max(knots.at(-1).length, 1e-6);
const plotWidth = () => Math.max(view.width - view.gutter - 14, 50);
const placeOf = (at) => view.gutter + 6 + (lengthOf(at) - view.from) / (view.to - view.from) * plotWidth();
const lengthAt = (x) => view.from + (x - view.gutter - 6) / plotWidth() * (view.to - view.from);

function show(from, to) {
  const whole = total(), margin = whole * 0.02 + 0.5;
  const width = Math.min(Math.max(to - from, whole * 1e-6, view.folded ? 2 : 50), whole + 2 * margin);
  view.from = Math.min(Math.max(from, -margin), whole + margin - width);
  view.to = view.from + width;
  draw();
}

const fit = () => show(-total() * 0.01, total() * 1.04);
const pan = (share) => show(view.from + share * (view.to - view.from), view.to + share * (view.to - view.from));

function zoom(factor, length = (view.from + view.to) / 2) {
  show(length - (length - view.from) * factor, length + (view.to - length) * factor);
}

/* Words */

function seconds(at, digits = 3) {
  return `${(at / 1e6).toFixed(digits)} s`;
}

function duration(microseconds) {
  if (microseconds < 1000) return `${microseconds} µs`;
  if (microseconds < 1e6) return `${(microseconds / 1000).toFixed(microseconds < 1e5 ? 1 : 0)} ms`;
  if (microseconds < 6e7) return seconds(microseconds, 1);
  return `${Math.floor(microseconds / 6e7)} min ${Math.round(microseconds % 6e7 / 1e6)} s`;
}

const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const arrow = (event) => (event.way === "in" ? "→ board" : "← board");
const matching = (event) => !filter || event.text.includes(filter);

/* Drawing */

const SVG = "http://www.w3.org/2000/svg";
const ruler = document.createElement("canvas").getContext("2d");
let chosen = null, filter = "", chart;

function put(parent, name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

const widths = new Map();

function widthOf(text) {
  if (!widths.has(text)) widths.set(text, ruler.measureText(text).width);
  return widths.get(text);
}

/* As much of a text as has room; first what many begin with is left out. */
function cut(whole, room) {
  if (widthOf(whole) <= room) return whole;
  const text = whole.replace(/^(✕ )?((AT)?\+MQTT|ERR CODE:0x0000)/, "$1…");
  if (widthOf(text) <= room) return text;
  let low = 0, high = text.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (widthOf(`${text.slice(0, middle)}…`) <= room) low = middle; else high = middle;
  }
  const short = `${text.slice(0, low)}…`.replace("……", "…");
  return low && short !== "…" ? short : "";
}

function labelOf(event) {
  const both = event.lane === "tls" || event.lane === "tcp" || event.lane === "websocket";
  const way = both ? (event.way === "in" ? "↓ " : "↑ ") : "";
  return `${event.tone === "bad" ? "✕ " : ""}${way}${event.label}`;
}

function draw() {
  view.width = chart.clientWidth;
  const narrow = view.width < NARROW;
  view.gutter = narrow ? 86 : view.width < 700 ? 84 : 124;
  ruler.font = `11px ${getComputedStyle(document.body).getPropertyValue("--mono")}`;
  chart.replaceChildren();
  const hatch = put(put(chart, "defs"), "pattern", {
    id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)",
  });
  put(hatch, "path", { d: "M0 0V6" });
  let top = AXIS;
  lanes.forEach((lane, index) => {
    lane.top = top;
    lane.height = lane.rows * ROW + 2 * LANE_PADDING;
    put(chart, "rect", { class: index % 2 ? "stripe" : "plain", x: 0, y: top, width: view.width, height: lane.height, fill: "none" });
    top += lane.height;
  });
  const bottom = top + (heap ? HEAP : 0);
  drawAxis(bottom);
  lanes.forEach(drawLane);
  if (heap) drawHeap(top);
  put(chart, "line", { class: "cross", x1: -9, x2: -9, y1: AXIS, y2: bottom });
  chart.setAttribute("height", bottom + 6);
  chart.style.height = `${bottom + 6}px`;
  drawOverview();
}

function drawAxis(bottom) {
  const axis = put(chart, "g", { class: "axis" });
  let free = view.gutter;
  for (const at of axisTimes()) {
    const x = placeOf(at), text = seconds(at, view.folded || view.to - view.from < 2e6 ? 4 : 2);
    if (x < view.gutter || x > view.width - 10) continue;
    put(axis, "line", { class: "rule", x1: x, x2: x, y1: 4, y2: bottom });
    if (x >= free && x + 52 < view.width) {
      put(axis, "text", { x: x + 3, y: 15 }, text);
      free = x + 84;
    }
  }
  if (view.folded) drawQuietTimes(bottom);
  put(axis, "line", { class: "rule", x1: view.gutter, x2: view.gutter, y1: 0, y2: bottom });
}

/* Round times, or times of events where the axis is folded. */
function axisTimes() {
  if (!view.folded) {
    const rough = (view.to - view.from) / (plotWidth() / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const first = Math.max(0, Math.ceil(view.from / step));
    return Array.from({ length: Math.max(0, Math.floor(view.to / step) - first + 1) }, (_, n) => (first + n) * step);
  }
  const times = [];
  let free = -Infinity;
  for (const knot of visibleKnots()) {
    const x = placeOf(knot.at);
    if (x < free) continue;
    times.push(knot.at);
    free = x + 84;
  }
  return times;
}

const visibleKnots = () => knots.filter((knot) => knot.length >= view.from && knot.length <= view.to);

function drawQuietTimes(bottom) {
  knots.forEach((knot, index) => {
    const gap = index ? knot.at - knots[index - 1].at : 0;
    if (gap < LONG_GAP || knot.length < view.from || knots[index - 1].length > view.to) return;
    const from = Math.max(placeOf(knots[index - 1].at) + 3, view.gutter), to = placeOf(knot.at) - 3;
    if (to - from < 3) return;
    put(chart, "rect", { class: "quiet", x: from, width: to - from, y: AXIS, height: bottom - AXIS });
    const text = duration(gap);
    if (to - from > widthOf(text) + 4) {
      put(chart, "text", { class: "gap", x: (from + to) / 2, y: AXIS - 7, "text-anchor": "middle" }, text);
    }
  });
}

function drawLane(lane) {
  put(chart, "line", { class: "rule", x1: 0, x2: view.width, y1: lane.top, y2: lane.top });
  putName(chart, lane.top + lane.height / 2, { class: "lane-name" }, lane.name);
  putName(chart, lane.top + lane.height / 2 + 16, { class: "lane-way" }, view.width < NARROW ? lane.brief : lane.way);
  const shown = lane.events.filter((event) => {
    const length = lengthOf(event.at);
    return length >= view.from && length <= view.to;
  });
  const marks = shown.map((event, index) => {
    const following = shown[index + lane.rows];
    return { event, x: placeOf(event.at), next: following ? placeOf(following.at) : view.width, pill: null };
  });
  const rows = Array.from({ length: lane.rows }, () => []);
  for (const important of [true, false]) {
    for (const mark of marks) {
      if (isImportant(mark.event) === important) mark.pill = placePill(mark, rows);
    }
  }
  const ticks = new Set();
  for (const { event, x, pill } of marks) {
    const place = `${Math.round(x / TICK)} ${event.tone}`;
    if (!pill && ticks.has(place) && event !== chosen) continue;
    ticks.add(place);
    drawMark(lane, event, x, pill);
  }
}

/* At the left of the chart; on a narrow one as much of it as the gutter holds. */
function putName(parent, middle, attributes, text) {
  const x = view.width < NARROW ? 4 : 14, label = put(parent, "text", { ...attributes, x, y: middle - 2 }, text);
  for (let length = text.length; length > 1 && label.getComputedTextLength() > view.gutter - x - 3; length--) {
    label.textContent = `${text.slice(0, length - 1)}…`;
  }
}

/* What gets its label before others. */
function isImportant(event) {
  return event === chosen || event.tone === "bad" || event.tone === "notable" || (event.tone === "good" && event.lane !== "serial");
}

/* In the first row that has room, as wide as the row is until its next event; none where there is no room. */
function placePill({ event, x, next }, rows) {
  const label = labelOf(event);
  for (const [row, taken] of rows.entries()) {
    const free = roomAt(x, taken);
    if (free < SHORTEST || free < Math.min(NARROWEST, widthOf(label) + 2 * TEXT_PADDING)) continue;
    const text = cut(label, Math.min(Math.max(next - x - 5, NARROWEST), WIDEST, free) - 2 * TEXT_PADDING);
    if (!text) continue;
    const width = Math.ceil(widthOf(text)) + 2 * TEXT_PADDING;
    taken.push({ from: x, to: x + width + 3 });
    return { row, text, width, x };
  }
  return x + NARROWEST > view.width - 6 ? placePillBefore(label, x, rows) : null;
}

/* From x to what stands there next in a row; nothing where something stands already. */
function roomAt(x, taken) {
  let end = view.width - 6;
  for (const { from, to } of taken) {
    if (from <= x && x < to) return 0;
    if (from > x && from - 3 < end) end = from - 3;
  }
  return end - x;
}

/* At the right edge a label stands before its event. */
function placePillBefore(label, x, rows) {
  for (const [row, taken] of rows.entries()) {
    if (taken.some(({ to }) => to > x)) continue;
    const free = x - Math.max(view.gutter + 4, ...taken.map(({ to }) => to));
    const text = cut(label, Math.min(free, WIDEST) - 2 * TEXT_PADDING);
    if (!text) continue;
    const width = Math.ceil(widthOf(text)) + 2 * TEXT_PADDING;
    taken.push({ from: x - width, to: x + 3 });
    return { row, text, width, x: x - width };
  }
  return null;
}

function drawMark(lane, event, x, pill) {
  const states = [event === chosen && "chosen", !matching(event) && "faded"].filter(Boolean);
  const mark = put(chart, "g", {
    class: ["mark", event.lane, event.tone, ...states].join(" "),
    "data-event": event.index, "data-lane": lane.id, "data-label": event.label,
  });
  const y = lane.top + LANE_PADDING + (pill ? pill.row * ROW : 0);
  put(mark, "line", { x1: x, x2: x, y1: pill ? y : lane.top + 2, y2: pill ? y + PILL : lane.top + LANE_PADDING });
  if (!pill) return;
  put(mark, "rect", { x: pill.x, y, width: pill.width, height: PILL, rx: 4 });
  put(mark, "text", { x: pill.x + TEXT_PADDING, y: y + 12.5 }, pill.text);
}

function drawHeap(top) {
  const group = put(chart, "g", { class: "heap" });
  const most = Math.max(1, ...heap.heap.map((time) => time[2]));
  const scale = Math.min(heap.limit, most * 1.25);
  const height = (bytes) => top + HEAP - 10 - bytes / scale * (HEAP - 26);
  put(group, "line", { class: "rule", x1: 0, x2: view.width, y1: top, y2: top });
  putName(group, top + HEAP / 2, { style: "font:600 13px var(--sans);fill:var(--ink)" }, "Heap");
  putName(group, top + HEAP / 2 + 16, {}, "in use");
  putName(group, top + HEAP / 2 + 31, {}, `of ${kilobytes(heap.limit)}`);
  drawCurve(group, height);
  const peak = heap.heap.find((time) => time[2] === most);
  const x = peak ? placeOf(peak[0]) : -1;
  if (x < view.gutter || x > view.width - 8) return;
  const left = x > view.width - 140;
  put(group, "circle", { class: "dot", cx: x, cy: height(most), r: 4 });
  put(group, "text", { x: left ? x - 8 : x + 8, y: height(most) - 4, "text-anchor": left ? "end" : "start" }, `peak ${kilobytes(most)}`);
}

function drawCurve(group, height) {
  const begin = timeOf(Math.max(view.from, 0)), end = timeOf(Math.min(view.to, total()));
  const first = Math.max(0, heap.heap.findLastIndex((time) => time[0] <= begin));
  const times = heap.heap.slice(first).filter((time) => time[0] <= end);
  if (!times.length) return;
  const place = (at) => Math.max(placeOf(at), view.gutter);
  let path = `M${place(times[0][0])} ${height(times[0][3])}`, spans = "";
  for (const [at, least, most, last] of times.slice(1)) {
    path += `H${place(at)}V${height(last)}`;
    spans += `M${place(at)} ${height(least)}V${height(most)}`;
  }
  const right = Math.min(placeOf(end), view.width - 8);
  path += `H${right}`;
  put(group, "path", { class: "area", d: `${path}V${height(0)}H${place(times[0][0])}Z` });
  put(group, "path", { class: "span", d: spans });
  put(group, "path", { class: "curve", d: path });
}

function drawOverview() {
  const overview = document.getElementById("overview"), width = plotWidth();
  overview.replaceChildren();
  const place = (length) => view.gutter + 6 + length / total() * width;
  const seen = new Set();
  for (const event of events) {
    const x = Math.round(place(lengthOf(event.at))), bad = event.tone === "bad";
    if (seen.has(`${x}${bad}`)) continue;
    seen.add(`${x}${bad}`);
    put(overview, "rect", { class: bad ? "whole bad" : "whole", x, y: bad ? 5 : 9, width: bad ? 2 : 1, height: bad ? 16 : 8 });
  }
  const from = Math.max(place(view.from), view.gutter), to = Math.min(place(view.to), view.width - 2);
  put(overview, "rect", { class: "window", x: from, y: 2.5, width: Math.max(to - from, 3), height: 21, rx: 4 });
}

/* Reading an event */

function whereOf(event) {
  return `${NAMES[event.lane]}, ${event.way === "in" ? "to the board" : "from the board"}, at ${seconds(event.at, 6)}`;
}

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  made.textContent = text;
  return made;
}

function choose(event, reveal = false) {
  chosen = event;
  const list = document.createElement("dl");
  for (const [name, value] of event.facts) {
    const pair = document.createElement("div");
    pair.append(element("dt", name), element("dd", value));
    list.append(pair);
  }
  document.getElementById("details").replaceChildren(
    element("h2", event.label), element("p", whereOf(event), { className: "where" }), list, ...linksOf(event));
  const length = lengthOf(event.at), width = view.to - view.from;
  if (reveal && (length < view.from || length > view.to - width * 0.1)) show(length - width / 2, length + width / 2);
  else draw();
  document.querySelectorAll("#rows tr").forEach((row) => row.classList.toggle("chosen", Number(row.dataset.event) === event.index));
}

/* The command that an event belongs to, what happened for it, its answer: each leads there. */
function linksOf(event) {
  const command = event.command || (event.answer && event);
  if (!command) return [];
  const related = [command, ...(command.between || []).slice(0, MOST_BETWEEN), command.answer].filter(Boolean);
  const list = element("ol", "", { className: "related" });
  for (const one of related) {
    const row = document.createElement("li"), link = element("button", labelOf(one));
    link.dataset.event = one.index;
    link.disabled = one === event;
    link.addEventListener("click", () => choose(one, true));
    row.append(element("span", one === command ? seconds(one.at, 6) : `+${duration(one.at - command.at)}`), link);
    list.append(row);
  }
  const more = (command.between || []).length - MOST_BETWEEN;
  return [list, ...(more > 0 ? [element("p", `and ${more} more events before the answer`, { className: "hint" })] : [])];
}

function step(by) {
  const list = events.filter(matching);
  const place = chosen ? list.findIndex((event) => event.index >= chosen.index) : -1;
  const next = list[Math.min(Math.max(place + by, 0), list.length - 1)];
  if (next) choose(next, true);
}

function showTip(event, x, y) {
  const tip = document.getElementById("tip");
  tip.hidden = !event;
  if (!event) return;
  const facts = event.facts.slice(0, 8).map(([name, value]) => element("span", `${name}: ${value}`));
  tip.replaceChildren(element("b", event.label), element("span", whereOf(event)), ...facts);
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
  tip.style.top = `${y + 20 + height > innerHeight ? Math.max(4, y - height - 12) : y + 20}px`;
}

/* The table */

let rowsShown = PAGE_ROWS;

function fillTable() {
  const list = events.filter(matching), rows = document.getElementById("rows");
  rows.replaceChildren(...list.slice(0, rowsShown).map((event, index) => {
    const row = document.createElement("tr");
    row.dataset.event = event.index;
    row.className = event === chosen ? `${event.tone} chosen` : event.tone;
    const since = index ? `+${duration(event.at - list[index - 1].at)}` : "";
    const more = event.facts.map(([name, value]) => `${name}: ${value}`).join(" · ");
    row.append(
      element("td", (event.at / 1e6).toFixed(6), { className: "time" }), element("td", since, { className: "time" }),
      element("td", NAMES[event.lane], { className: "lane" }), element("td", arrow(event), { className: "way" }),
      element("td", event.label, { className: "what" }), element("td", more, { className: "more" }));
    return row;
  }));
  document.getElementById("more").hidden = list.length <= rowsShown;
  document.getElementById("matches").textContent = filter ? `${list.length} of ${events.length}` : "";
}

function showPart(table) {
  document.getElementById("table").hidden = !table;
  document.getElementById("timeline").hidden = table;
  document.getElementById("show-table").setAttribute("aria-pressed", table);
  document.getElementById("show-timeline").setAttribute("aria-pressed", !table);
  if (table) fillTable(); else draw();
}

function setFolded(folded) {
  const from = timeOf(Math.max(view.from, 0)), to = timeOf(Math.min(view.to, total()));
  const all = view.from <= 0 && view.to >= total();
  view.folded = folded;
  document.getElementById("fold").setAttribute("aria-pressed", folded);
  foldTime();
  if (all) fit(); else show(lengthOf(from), lengthOf(to));
}

/* What the reader does */

const eventAt = (target) => events[target.closest?.("[data-event]")?.dataset.event];

function listenToPointers() {
  const pointers = new Map();
  let moved = false;
  chart.addEventListener("wheel", (wheel) => {
    wheel.preventDefault();
    if (wheel.shiftKey || Math.abs(wheel.deltaX) > Math.abs(wheel.deltaY)) pan((wheel.deltaX || wheel.deltaY) / 1200);
    else zoom(1.0016 ** wheel.deltaY, lengthAt(wheel.offsetX));
  }, { passive: false });
  chart.addEventListener("pointerdown", (down) => {
    pointers.set(down.pointerId, down.clientX);
    moved = false;
  });
  chart.addEventListener("pointermove", (move) => {
    if (pointers.has(move.pointerId)) {
      moved = drag(pointers, move) || moved;
      return;
    }
    point(move);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    chart.addEventListener(end, (up) => {
      const event = end === "pointerup" && !moved && eventAt(up.target);
      pointers.delete(up.pointerId);
      chart.classList.remove("dragging");
      if (end !== "pointerup") showTip(null);
      if (event) choose(event);
    });
  }
}

/* One pointer pans, two pull the time apart. */
function drag(pointers, move) {
  const before = pointers.get(move.pointerId), others = [...pointers].filter(([id]) => id !== move.pointerId);
  if (!others.length && Math.abs(move.clientX - before) < 4 && !chart.classList.contains("dragging")) return false;
  chart.classList.add("dragging");
  showTip(null);
  pointers.set(move.pointerId, move.clientX);
  if (others.length) {
    const other = others[0][1];
    const left = chart.getBoundingClientRect().left;
    const factor = Math.max(Math.abs(before - other), 8) / Math.max(Math.abs(move.clientX - other), 8);
    zoom(factor, lengthAt((other + move.clientX) / 2 - left));
  } else {
    pan((before - move.clientX) / plotWidth());
  }
  return true;
}

function point(move) {
  const x = move.offsetX, cross = chart.querySelector(".cross");
  const inside = x > view.gutter;
  cross.setAttribute("x1", inside ? x : -9);
  cross.setAttribute("x2", inside ? x : -9);
  showTip(eventAt(move.target) || null, move.clientX, move.clientY);
}

function listenToOverview() {
  const overview = document.getElementById("overview");
  const go = (pointer) => {
    const length = (pointer.offsetX - view.gutter - 6) / plotWidth() * total(), half = (view.to - view.from) / 2;
    show(length - half, length + half);
  };
  overview.addEventListener("pointerdown", (down) => { overview.setPointerCapture(down.pointerId); go(down); });
  overview.addEventListener("pointermove", (move) => { if (move.buttons) go(move); });
}

const KEYS = {
  ArrowLeft: () => pan(-0.15), ArrowRight: () => pan(0.15), "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1.4),
  0: fit, f: () => setFolded(!view.folded), n: () => step(1), p: () => step(-1),
  t: () => showPart(document.getElementById("table").hidden),
};

function listen() {
  const on = (id, does) => document.getElementById(id).addEventListener("click", does);
  on("show-timeline", () => showPart(false));
  on("show-table", () => showPart(true));
  on("zoom-in", KEYS["+"]);
  on("zoom-out", KEYS["-"]);
  on("fit", fit);
  on("fold", KEYS.f);
  on("more", () => { rowsShown += PAGE_ROWS; fillTable(); });
  document.getElementById("filter").addEventListener("input", (input) => {
    filter = input.target.value.trim().toLowerCase();
    rowsShown = PAGE_ROWS;
    fillTable();
    draw();
  });
  document.getElementById("rows").addEventListener("click", (click) => {
    const event = eventAt(click.target);
    if (event) choose(event, true);
  });
  addEventListener("keydown", (key) => {
    const action = KEYS[key.key.length === 1 ? key.key.toLowerCase() : key.key];
    if (!action || key.ctrlKey || key.metaKey || key.altKey || key.target.matches("input")) return;
    key.preventDefault();
    action();
  });
  addEventListener("resize", draw);
  listenToPointers();
  listenToOverview();
}

/* The beginning */

function introduce() {
  const bad = events.filter((event) => event.tone === "bad").length;
  const packets = events.filter((event) => event.lane === "mqtt").length;
  const parts = [
    ["", new Date(about.began).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })],
    [duration(lastTime()), ""], [events.length, "events"], [packets, "MQTT packets"],
    ...(heap ? [[kilobytes(Math.max(0, ...heap.heap.map((time) => time[2]))), "heap peak"]] : []),
    [bad, bad === 1 ? "sign of trouble" : "signs of trouble", bad ? "bad" : ""],
  ];
  document.getElementById("summary").replaceChildren(...parts.flatMap(([figure, name, className = ""], index) =>
    [index ? " · " : "", element("b", String(figure), { className }), figure === "" ? name : ` ${name}`]));
  document.title = `w800-sim ${about.options.join(" ")}`.trim();
  document.getElementById("options").textContent = `${document.title}  (version ${about.version})`;
  const note = document.getElementById("note");
  if (dropped) {
    const when = `between ${seconds(dropped.from)} and ${seconds(dropped.to)}`;
    const kept = `of a long session the first ${dropped.first} and the last ${dropped.last} are kept`;
    note.textContent = `${dropped.dropped} events ${when} are left out: ${kept}.`;
  } else if (!heap) {
    note.textContent = "The board was not stopped in order: there is no curve of the heap, and a long session lacks its end.";
  }
  note.hidden = !note.textContent;
}

addEventListener("DOMContentLoaded", () => {
  chart = document.getElementById("chart");
  readFile();
  introduce();
  foldTime();
  listen();
  fit();
});

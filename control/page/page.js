"use strict";
const { report, series, thinned } = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en-US");
const money = (text) => new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(Number(text));
const tone = (value) => (Number(value) > 0 ? "gain" : Number(value) < 0 ? "loss" : "zero");
const first = report.devices[0];
const software = report.devices.find((d) => d.name === "software");
const twin = report.devices.find((d) => d.name === "twin");
const called = { software: "Software", twin: "Simulated card" };

// -- elements -----------------------------------------------------------------------------------

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function table(target, head, rows, foot = []) {
  const cell = (tag) => (content) =>
    content instanceof Node ? make(tag, {}, content) : Array.isArray(content) ? make(tag, { class: content[1] }, content[0]) : make(tag, {}, String(content));
  target.replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map(cell("th")))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell("td"))))),
    ...(foot.length ? [make("tfoot", {}, ...foot.map((row) => make("tr", {}, ...row.map(cell("td")))))] : []),
  );
}

function bars(target, entries, nothing) {
  if (!entries.length) {
    target.replaceChildren(make("p", { class: "empty" }, nothing));
    return;
  }
  const most = Math.max(...entries.map(([, , count]) => count));
  const grid = make("div", { class: "bars" });
  for (const [name, about, count] of entries) {
    const bar = make("span", { class: "bar" });
    bar.style.width = `${(100 * count) / most}%`;
    grid.append(make("span", { class: "name" }, name, about ? make("em", {}, ` ${about}`) : null), make("span", {}, bar), make("span", { class: "count" }, number.format(count)));
  }
  target.replaceChildren(grid);
}

const chip = (text, kind = "") => make("span", { class: `chip ${kind}` }, text);

// -- what happened, in words ---------------------------------------------------------------------

function clock(ns) {
  const seconds = Math.floor(ns / 1e9);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

$("subtitle").textContent = `${report.input.description} · ${number.format(report.input.messages)} messages · ${report.input.stocks.length} ${report.input.stocks.length === 1 ? "stock" : "stocks"} · ${clock(report.input.first_ns)} to ${clock(report.input.last_ns)}`;

function verdict() {
  const target = $("verdict");
  const parity = report.parity;
  if (!parity) {
    target.append(make("strong", {}, `${called[first.name]} only`), make("span", {}, "Run with --device both to hold it against the other path."));
    return;
  }
  target.className = parity.agree ? "good" : "bad";
  const compared = `${number.format(parity.outputs_compared)} order packets, ${number.format(parity.events_compared)} events, ${parity.counters_compared} counters, ${parity.snapshots_compared} snapshots compared`;
  target.append(make("strong", {}, parity.agree ? "✓ Simulated card and software agree, order for order" : "✗ Simulated card and software differ"), make("span", {}, compared));
  if (!parity.agree) target.append(make("pre", {}, JSON.stringify(parity.first_difference, null, 2)));
}

function card(name, value, unit, more, kind = "") {
  const text = make("div", { class: `value ${kind}` }, value, unit ? make("small", {}, ` ${unit}`) : null);
  return make("div", { class: "card" }, make("div", { class: "name" }, name), text, more ? make("div", { class: "more" }, more) : null);
}

const rounded = (value) => (value >= 100 ? number.format(Math.round(value)) : String(Math.round(value * 10) / 10));

function cards() {
  const o = first.orders, f = first.feed;
  const fills = first.symbols.reduce((sum, s) => sum + s.fills, 0);
  const shares = first.symbols.reduce((sum, s) => sum + s.bought + s.sold, 0);
  const list = [
    card("P&L", money(first.pnl), "", "realised and marked", tone(first.pnl)),
    card("Orders sent", number.format(o.new + o.replace + o.cancel), "", `${number.format(o.new)} new, ${number.format(o.replace)} replaced`),
    card("Fills", number.format(fills), "", `${number.format(shares)} shares`),
    card("Refused", number.format(o.refused), "", "by the risk gate"),
    card("Gaps", number.format(f.gaps), "", f.gaps ? `${number.format(f.recovered)} recovered` : "feed A and B made one"),
  ];
  if (twin?.latency) {
    const mhz = twin.clock?.mhz;
    list.push(card("Trigger to order, card", rounded(twin.latency.median), "cycles", mhz ? `${rounded((twin.latency.median * 1000) / mhz)} ns at ${rounded(mhz)} MHz routed` : "clock not routed yet"));
  }
  if (software?.timing.latency) list.push(card("Software", rounded(software.timing.latency.median), "ns per input", `${rounded(software.timing.messages_per_second / 1e6)} million messages/s`));
  $("cards").append(...list);
}

function positions() {
  const rows = first.symbols.map((s) => [s.stock, number.format(s.position), [number.format(s.bought), "buy"], [number.format(s.sold), "sell"], number.format(s.fills),
    number.format(s.orders_sent), number.format(s.orders_refused), s.open_orders.length, money(s.mark), money(s.cash), [money(s.pnl), tone(s.pnl)], [s.blocked_by.join(", ").replaceAll("_", " ") || "nothing", "left"]]);
  const sum = (pick) => number.format(first.symbols.reduce((total, s) => total + pick(s), 0));
  table($("positions"), ["Stock", "Position", "Bought", "Sold", "Fills", "Orders", "Refused", "Open", "Mark", "Cash", "P&L", ["Blocked by", "left"]], rows,
    [["All", "", sum((s) => s.bought), sum((s) => s.sold), sum((s) => s.fills), sum((s) => s.orders_sent), sum((s) => s.orders_refused), sum((s) => s.open_orders.length), "", money(first.cash), [money(first.pnl), tone(first.pnl)], ""]]);
}

function orders() {
  const o = first.orders;
  const rows = [["New", o.new, "Accepted", o.accepted], ["Replace", o.replace, "Replaced", o.replaced], ["Cancel", o.cancel, "Cancelled", o.cancelled], ["", "", "Executions", o.executed], ["Refused by the gate", o.refused, "Rejected by the exchange", o.rejected + o.cancel_rejected]];
  table($("orders"), ["Sent", "", ["Answered", "left"], ""], rows.map(([a, n, b, m]) => [a, n === "" ? "" : number.format(n), [b, "left"], number.format(m)]));
}

function feed() {
  const f = first.feed;
  const rows = [["Frames", f.frames], ["Packets, feed A", f.packets_a], ["Packets, feed B", f.packets_b], ["Packets, recovery", f.packets_recovery], ["Seen already", f.packets_duplicate],
    ["Held, ahead of sequence", f.packets_held], ["Dropped, no slot to hold them", f.packets_dropped], ["Gaps declared", f.gaps], ["Messages that they missed", f.lost], ["Gaps recovered", f.recovered], ["Gaps given up", f.abandoned],
    ["Trust lost", f.trust_lost], ["Trust regained", f.trust_regained], ["Messages in sequence", f.messages]];
  table($("feed"), ["", ""], rows.map(([name, value]) => [name, value ? number.format(value) : ["0", "zero"]]));
  $("feed").querySelector("thead").remove();
}

const ITCH = { A: "add", F: "add, attributed", E: "executed", C: "executed at a price", X: "cancel", D: "delete", U: "replace", P: "trade", Q: "cross", B: "broken", I: "imbalance", R: "directory", H: "trading action", Y: "Reg SHO", L: "participant", S: "system event", V: "MWCB level", W: "MWCB status", K: "IPO", J: "LULD", h: "operational halt", N: "retail", O: "direct listing" };

function books() {
  const depth = 5;
  const ladder = (s) => {
    const rows = [...s.asks.slice(0, depth).reverse().map((l) => ["ask", l]), ...s.bids.slice(0, depth).map((l) => ["bid", l])];
    const most = Math.max(1, ...rows.map(([, l]) => l.quantity));
    const own = new Map(s.open_orders.map((o) => [`${o.side === "buy" ? "bid" : "ask"}${o.price}`, o.remaining]));
    const body = rows.map(([side, l]) => {
      const fill = make("span", { class: "fill" });
      fill.style.width = `${(100 * l.quantity) / most}%`;
      const ours = own.get(side + l.price);
      return make("tr", { class: side }, make("td", { class: side === "bid" ? "buy" : "sell" }, money(l.price)), make("td", {}, ours ? chip(`ours ${number.format(ours)}`) : ""), make("td", {}, l.orders), make("td", { class: "depth" }, fill, number.format(l.quantity)));
    });
    const head = make("thead", {}, make("tr", {}, ...["Price", "", "Orders", "Shares"].map((t) => make("th", {}, t))));
    return make("div", { class: "book" }, make("h3", {}, s.stock, " ", s.trusted ? chip("trusted", "good") : chip("untrusted", "bad")), rows.length ? make("table", {}, head, make("tbody", {}, ...body)) : make("p", { class: "empty" }, "empty"));
  };
  $("books").append(...first.symbols.map(ladder));
}

function devices() {
  const per = (pick) => report.devices.map(pick);
  const rows = [
    ["Events", ...per((d) => number.format(d.events))],
    ["Order packets", ...per((d) => number.format(d.outputs))],
    ["Events, SHA-256", ...per((d) => d.events_sha256.slice(0, 16) + "…")],
    ["Order packets, SHA-256", ...per((d) => d.outputs_sha256.slice(0, 16) + "…")],
    ["Inside the device", ...per((d) => `${d.timing.seconds.toFixed(2)} s`)],
    ["Messages per second", ...per((d) => number.format(Math.round(d.timing.messages_per_second)))],
    ["Clock cycles", ...per((d) => (d.timing.cycles ? number.format(d.timing.cycles) : "–"))],
    ...[...new Set(report.devices.flatMap((d) => Object.keys(d.identity)))].map((key) => [key.replaceAll("_", " "), ...per((d) => String(d.identity[key] ?? "–"))]),
  ];
  table($("devices"), ["", ...report.devices.map((d) => called[d.name])], rows);
  const names = Object.keys(first.counters).filter((name) => report.devices.some((d) => d.counters[name]));
  table($("counters"), ["Counter", ...report.devices.map((d) => called[d.name])], names.map((name) => [name, ...per((d) => number.format(d.counters[name]))]));
  $("configuration").textContent = JSON.stringify(report.configuration, null, 2);
  $("footer").textContent = `Hairpin ${report.version} · ${report.created} · ${report.schema} · this page asks nobody for anything`;
}

// -- plots --------------------------------------------------------------------------------------

const root = document.documentElement;
const color = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
const config = { displaylogo: false, responsive: true, modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };
const font = () => ({ family: getComputedStyle(document.body).fontFamily, size: 12, color: color("soft") });
const axis = (more = {}) => ({ gridcolor: color("grid"), linecolor: color("line"), zerolinecolor: color("line"), automargin: true, tickfont: { color: color("soft") }, ...more });
const paper = () => ({ modebar: { bgcolor: "rgba(0,0,0,0)", color: color("faint"), activecolor: color("ink") }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: font(), hoverlabel: { bgcolor: color("surface"), bordercolor: color("line"), font: { ...font(), color: color("ink") } } });
const dates = (at) => at.map((ns) => ns / 1e6); // ms: the axis is a date whose day is hidden

let chosen = report.input.stocks.find((stock) => series[stock]?.fills.at.length) ?? report.input.stocks[0];

function market() {
  const s = series[chosen];
  if (!s) return;
  const steps = (name, line, key, more = {}) => ({ x: dates(line.at), y: line.value, name, mode: "lines", line: { shape: "hv", ...key }, hovertemplate: "%{y}", connectgaps: false, ...more });
  const fills = (side, symbol, name, hue) => {
    const at = s.fills.at.map((_, i) => i).filter((i) => s.fills.side[i] === side);
    return {
      x: at.map((i) => s.fills.at[i] / 1e6), y: at.map((i) => s.fills.price[i]), customdata: at.map((i) => s.fills.quantity[i]), name, mode: "markers",
      marker: { symbol, color: hue, size: at.map((i) => Math.min(6 + Math.sqrt(s.fills.quantity[i]) / 4, 13)), line: { color: color("surface"), width: 1 } },
      hovertemplate: `${name} %{customdata} at %{y}<extra></extra>`,
    };
  };
  const traces = [
    steps("market bid", s.bid, { color: color("faint"), width: 1 }),
    steps("market ask", s.ask, { color: color("faint"), width: 1 }, { fill: "tonexty", fillcolor: color("band") }),
    steps("our bid", s.our_bid, { color: color("buy"), width: 1.3 }),
    steps("our ask", s.our_ask, { color: color("sell"), width: 1.3 }),
    fills(0, "triangle-up", "bought", color("buy")),
    fills(1, "triangle-down", "sold", color("sell")),
    { ...steps("position", s.position, { color: color("accent"), width: 1.5 }), yaxis: "y2", fill: "tozeroy", fillcolor: color("band"), showlegend: false, hovertemplate: "%{y} shares" },
    { ...steps("P&L", s.pnl, { color: color("good"), width: 1.5 }), yaxis: "y3", showlegend: false, hovertemplate: "%{y:.2f}" },
  ];
  if (s.fills.at.length === 0) traces.splice(4, 2);
  const shapes = s.untrusted.map(([begin, end]) => ({ type: "rect", xref: "x", yref: "paper", x0: begin / 1e6, x1: end / 1e6, y0: 0, y1: 1, fillcolor: color("bad"), opacity: 0.13, line: { width: 0 }, layer: "below" }));
  const title = (text) => ({ text, font: { size: 12, color: color("soft") }, standoff: 8 });
  const layout = {
    ...paper(), margin: { l: 64, r: 16, t: 34, b: 36 }, hovermode: "x unified", uirevision: chosen, shapes,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", traceorder: "normal", font: { color: color("soft") } },
    xaxis: axis({ type: "date", anchor: "y3", tickformatstops: [{ dtickrange: [null, 1000], value: "%H:%M:%S.%L" }, { dtickrange: [1000, 60000], value: "%H:%M:%S" }, { dtickrange: [60000, null], value: "%H:%M" }], hoverformat: "%H:%M:%S.%f", showspikes: true, spikemode: "across", spikethickness: 1, spikecolor: color("faint"), spikedash: "dot", showgrid: true }),
    yaxis: axis({ domain: [0.42, 1], title: title("price"), tickformat: ",.2f" }),
    yaxis2: axis({ domain: [0.22, 0.37], title: title("shares"), zeroline: true }),
    yaxis3: axis({ domain: [0, 0.17], title: title("P&L"), zeroline: true, tickformat: ",.0f" }),
  };
  Plotly.react("market", traces, layout, config);
  const note = ["Bands: market bid to ask. Lines in colour: where our quotes rested. Triangles: our fills."];
  if (s.untrusted.length) note.push("Shaded red: the book was not trusted, so nothing was quoted.");
  if (thinned[chosen]) note.push(`Drawn from ${number.format(thinned[chosen])} points: of each stretch of time the first, lowest, highest and last, so that no extreme is lost.`);
  $("market-note").textContent = note.join(" ");
}

function tabs() {
  const list = $("stocks");
  list.replaceChildren(...report.input.stocks.filter((stock) => series[stock]).map((stock) => {
    const button = make("button", { type: "button", role: "tab", "aria-selected": stock === chosen ? "true" : "false" }, stock);
    button.addEventListener("click", () => { chosen = stock; tabs(); market(); });
    return button;
  }));
}

function latencies() {
  const shown = [];
  if (twin?.latency) shown.push([twin, twin.latency, "sell"]);
  if (software?.timing.latency) shown.push([software, software.timing.latency, "buy"]);
  const target = $("latencies");
  if (!shown.length) {
    target.replaceChildren(make("p", { class: "empty" }, "Nothing was measured."));
    return;
  }
  if (!target.childElementCount) {
    for (const [device, d] of shown) {
      const mhz = device.clock?.mhz;
      const said = (value) => `${rounded(value)} ${d.unit}${mhz ? ` (${rounded((value * 1000) / mhz)} ns)` : ""}`;
      const quantiles = [["least", d.minimum], ["median", d.median], ["99 %", d.p99], ["99.9 %", d.p999], ["most", d.maximum]];
      target.append(make("div", {}, make("h3", {}, called[device.name]), make("div", { class: "quantiles" }, ...quantiles.map(([name, value]) => make("span", {}, `${name} `, make("b", {}, said(value))))),
        make("div", { class: "plot", id: `latency-${device.name}` }), make("p", { class: "note" }, d.what + (device.clock ? ` ${device.clock.source}` : ""))));
    }
  }
  for (const [device, d, hue] of shown) {
    const edges = d.histogram.map(([edge]) => edge);
    const counts = d.histogram.map(([, count]) => count);
    const integers = d.unit === "cycles";
    const layout = {
      ...paper(), margin: { l: 64, r: 16, t: 12, b: 44 }, bargap: integers ? 0.15 : 0.02, showlegend: false,
      xaxis: axis({ title: { text: d.unit, font: { size: 12 }, standoff: 6 }, type: integers ? "linear" : "log", dtick: integers && edges.length < 24 ? 1 : undefined, ...(integers ? {} : { tickmode: "array", ...ticks(edges) }) }),
      yaxis: axis({ title: { text: "how many", font: { size: 12 }, standoff: 8 }, type: "log", range: [Math.log10(0.7), Math.log10(Math.max(...counts) * 1.6)], tickformat: ",d", dtick: 1 }),
    };
    const widths = integers ? undefined : edges.map((edge, i) => (edges[i + 1] ?? edge * 1.1) - edge);
    const trace = { type: "bar", x: edges, y: counts, width: widths, offset: integers ? undefined : 0, marker: { color: color(hue), line: { width: 0 } }, hovertemplate: `%{x} ${d.unit}: %{y}<extra></extra>` };
    Plotly.react(`latency-${device.name}`, [trace], layout, config);
  }
}

function ticks(edges) {
  const values = [];
  for (let decade = Math.floor(Math.log10(edges[0])); decade <= Math.ceil(Math.log10(edges[edges.length - 1])); decade++) for (const step of [1, 2, 5]) values.push(step * 10 ** decade);
  const inside = values.filter((v) => v >= edges[0] * 0.9 && v <= edges[edges.length - 1] * 1.2);
  return { tickvals: inside, ticktext: inside.map((v) => (v < 1000 ? String(Number(v.toPrecision(2))) : `${number.format(v)}`)) };
}

// -- light and dark -----------------------------------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");
let forced = new URLSearchParams(location.search).get("theme");
function paint() {
  root.dataset.theme = forced ?? (dark.matches ? "dark" : "light");
  market();
  latencies();
}
dark.addEventListener("change", paint);
$("theme").addEventListener("click", () => {
  forced = root.dataset.theme === "dark" ? "light" : "dark";
  paint();
});

root.dataset.theme = forced ?? (dark.matches ? "dark" : "light");
verdict();
cards();
positions();
orders();
bars($("rejects"), Object.entries(first.rejects).sort((a, b) => b[1] - a[1]).map(([name, count]) => [name.replaceAll("_", " "), "", count]), "No order was refused.");
feed();
bars($("messages"), Object.entries(first.feed.by_type).sort((a, b) => b[1] - a[1]).map(([type, count]) => [type, ITCH[type] ?? "", count]), "No messages came.");
books();
devices();
tabs();
paint();

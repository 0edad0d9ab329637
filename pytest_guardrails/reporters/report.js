"use strict";
(() => {
  const PAGE = 200;
  const MOST_PRINTED = 20;
  const KINDS = ["", "mark", "del", "ins"];
  const THEMES = ["automatic", "light", "dark"];
  const data = JSON.parse(document.getElementById("data").textContent);
  const string = (index) => data.strings[index];
  const set = (index) => data.sets[index].map(string);
  const root = document.documentElement;
  const body = document.getElementById("rows");
  const more = document.getElementById("more");
  const search = document.getElementById("search");
  const theme = document.getElementById("theme");
  const controls = document.getElementById("controls");
  const heads = [...document.querySelectorAll(".cases th[data-key]")];
  const choosers = [...controls.querySelectorAll("[data-group]")];
  const severities = ["critical", "high", "medium", "low"];
  const chosen = { status: "", severity: "", outcome: "", guardrail: "", tag: "", words: [] };
  const order = { key: "", down: false };
  let shown = [];
  let limit = PAGE;

  const cases = data.rows.map((row, index) => ({
    index,
    status: data.states[row[0]],
    outcome: data.outcomes[row[1]],
    severity: string(row[2]),
    id: row[12] ?? string(row[3]) + row[4],
    name: row[4] || row[12] || string(row[3]),
    expected: string(row[5]),
    got: string(row[6]),
    where: string(row[7]) + (row[8] ? ":" + row[8] : ""),
    tags: row[9],
    acted: row[10],
    took: row[11],
    detail: data.details[index],
    text: "",
  }));

  // Texts of cases reach the page as text nodes only.
  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  const bdi = (text) => make("bdi", {}, text);
  const slug = (state) => state.replaceAll(" ", "-");
  const count = (number) => number.toLocaleString("en");
  const link = (item) => "#case=" + encodeURIComponent(item.id);
  const time = (micros) => (micros < 0 ? "" : `${(micros / 1000).toFixed(2)} ms`);

  // What is shown: chosen, searched, sorted

  function textOf(item) {
    item.text ||= [item.status, item.outcome, item.severity, item.id, item.expected, item.got, item.where]
      .concat(set(item.tags), set(item.acted), item.detail ? item.detail.reasons : [])
      .join("\n")
      .toLowerCase();
    return item.text;
  }

  function matches(item) {
    return (
      (!chosen.status || item.status === chosen.status) &&
      (!chosen.severity || item.severity === chosen.severity) &&
      (!chosen.outcome || item.outcome === chosen.outcome) &&
      (!chosen.guardrail || set(item.acted).includes(chosen.guardrail)) &&
      (!chosen.tag || set(item.tags).includes(chosen.tag)) &&
      chosen.words.every((word) => textOf(item).includes(word))
    );
  }

  function rank(item, key) {
    if (key === "status") return data.states.indexOf(item.status);
    if (key === "severity") return (severities.indexOf(item.severity) + severities.length + 1) % (severities.length + 1);
    if (key === "tags") return set(item.tags).join(", ");
    return item[key];
  }

  function sorted(items) {
    if (!order.key) return items;
    const keyed = items.map((item) => [rank(item, order.key), item]);
    const sign = order.down ? -1 : 1;
    keyed.sort(([one, first], [other, second]) => {
      const way = typeof one === "number" ? one - other : one < other ? -1 : one > other ? 1 : 0;
      return sign * way || first.index - second.index;
    });
    return keyed.map(([, item]) => item);
  }

  // A row, and the trace that opens under it

  function cell(name, ...children) {
    return make("td", { role: "cell", class: name }, ...children);
  }

  function rowOf(item) {
    const opener = make("button", { type: "button", "aria-expanded": "false" }, bdi(item.name));
    return make(
      "tr",
      { role: "row", class: slug(item.status), "data-case": item.index },
      cell("status", item.status),
      cell("severity", bdi(item.severity)),
      cell("case", opener, make("small", {}, bdi(item.where))),
      cell("expected", bdi(item.expected)),
      cell("got", bdi(item.got)),
      cell("tags", bdi(set(item.tags).join(", "))),
      cell("took", time(item.took)),
    );
  }

  function textNode(parts) {
    const pre = make("pre", { dir: "auto" });
    if (typeof parts === "string") {
      pre.append(parts);
      return pre;
    }
    for (let at = 0; at < parts.length; at += 2) {
      const kind = KINDS[parts[at]];
      pre.append(kind ? make(kind, {}, parts[at + 1]) : parts[at + 1]);
    }
    return pre;
  }

  function entryOf([label, text, became]) {
    const name = make("span", { class: "label" }, bdi(label));
    if (became === undefined) return make("div", { class: "said" }, name, textNode(text));
    const side = (title, parts) => make("div", {}, make("p", { class: "side" }, title), textNode(parts));
    const pair = make("div", { class: "pair" }, side("sent", text), side("received", became));
    return make("div", { class: "said" }, name, pair);
  }

  function share(part) {
    const SVG = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("class", "share");
    drawing.setAttribute("viewBox", "0 0 80 8");
    drawing.setAttribute("aria-hidden", "true"); // the time stands beside it
    for (const [name, width] of [["whole", 80], ["column", 80 * Math.min(1, part)]]) {
      const bar = document.createElementNS(SVG, "rect");
      bar.setAttribute("class", name);
      bar.setAttribute("width", String(width));
      bar.setAttribute("height", "8");
      drawing.append(bar);
    }
    return drawing;
  }

  function stepOf([kind, title, said, took, entries], total) {
    const head = make("div", { class: "step" }, make("b", {}, bdi(title)), " ", make("span", {}, said));
    if (took !== null) {
      const name = `${(took * 1000).toFixed(2)} ms`;
      head.append(" ", make("span", { class: "time" }, name));
      if (total > 0 && kind !== "caller" && kind !== "deny") {
        head.append(share(took / total));
      }
    }
    return make("li", { class: kind }, head, ...entries.map(entryOf));
  }

  function pairs(items) {
    return make("dl", { class: "facts" }, ...items.map(([name, ...text]) => make("div", {}, make("dt", {}, bdi(name)), make("dd", {}, ...text))));
  }

  function detailOf(item) {
    const parts = [];
    const { reasons, facts, steps, more: others } = item.detail || { reasons: [], facts: [], steps: [], more: [] };
    if (reasons.length) parts.push(make("ul", { class: "reasons" }, ...reasons.map((text) => make("li", {}, bdi(text)))));
    const total = steps.length ? Math.max(...steps.map((step) => step[3] ?? 0)) : 0;
    if (steps.length) parts.push(make("ol", { class: "trace", "aria-label": "Trace" }, ...steps.map((step) => stepOf(step, total))));
    if (!item.detail) parts.push(make("p", {}, "This page keeps the traces of the worst cases; report.json has this one."));
    else if (!steps.length) parts.push(make("p", {}, "No trace: the guard did not run."));
    for (const [title, rows] of others) {
      parts.push(make("h3", {}, title), pairs(rows.map(([name, text]) => [name, bdi(text)])));
    }
    const known = [["outcome", item.outcome], ...facts].filter(([, text]) => text).map(([name, text]) => [name, bdi(text)]);
    known.push(["link", make("a", { href: link(item) }, bdi(item.id))]);
    parts.push(pairs(known));
    return make("tr", { class: "detail", role: "row" }, make("td", { colspan: String(heads.length), role: "cell" }, ...parts));
  }

  const openerOf = (row) => row.querySelector("button[aria-expanded]");
  const isOpen = (row) => openerOf(row).getAttribute("aria-expanded") === "true";

  function toggle(row) {
    const open = isOpen(row);
    openerOf(row).setAttribute("aria-expanded", String(!open));
    if (open) row.nextElementSibling.remove();
    else row.after(detailOf(cases[row.dataset.case]));
  }

  // The table

  const rowsShown = () => [...body.querySelectorAll("tr[data-case]")];

  function addRows() {
    const from = rowsShown().length;
    body.append(...shown.slice(from, limit).map(rowOf));
    const now = Math.min(limit, shown.length);
    more.hidden = now === shown.length;
    more.textContent = `Show ${count(Math.min(PAGE, shown.length - now))} more`;
    const of = shown.length === cases.length ? "" : ` that match, of ${count(cases.length)}`;
    const by = order.key ? `by ${heads.find((head) => head.dataset.key === order.key).textContent}` : "worst first";
    document.getElementById("showing").textContent = shown.length
      ? `${count(now)} of ${count(shown.length)} cases${of}, ${by}`
      : `No case matches, of ${count(cases.length)}`;
  }

  function render(first) {
    limit = PAGE;
    shown = sorted(cases.filter(matches));
    const at = shown.indexOf(first);
    if (at >= limit) shown.unshift(...shown.splice(at, 1));
    for (const chooser of choosers) {
      const value = chosen[chooser.dataset.group];
      if (chooser.tagName === "SELECT") chooser.value = value;
      else chooser.setAttribute("aria-pressed", String(value === chooser.dataset.value));
    }
    for (const head of heads) {
      const way = head.dataset.key === order.key ? (order.down ? "descending" : "ascending") : "none";
      head.setAttribute("aria-sort", way);
    }
    body.replaceChildren();
    addRows();
  }

  function clear() {
    for (const group of Object.keys(chosen)) chosen[group] = "";
    chosen.words = [];
    search.value = "";
  }

  function openLinked() {
    if (!location.hash.startsWith("#case=")) return;
    let id = location.hash.slice(6);
    try {
      id = decodeURIComponent(id);
    } catch {
      // A link that somebody typed: look for it as it stands.
    }
    const item = cases.find((one) => one.id === id);
    if (!item) return;
    clear();
    render(item);
    const row = body.querySelector(`tr[data-case="${item.index}"]`);
    toggle(row);
    row.scrollIntoView({ block: "start" });
    openerOf(row).focus({ preventScroll: true });
  }

  // Mouse and keys

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-case]");
    const selecting = !event.target.closest("button") && String(getSelection());
    if (row && !selecting) toggle(row);
  });
  for (const chooser of choosers) {
    const { group, value } = chooser.dataset;
    chooser.addEventListener(chooser.tagName === "SELECT" ? "change" : "click", () => {
      chosen[group] = chooser.tagName === "SELECT" ? chooser.value : chosen[group] === value ? "" : value;
      render();
    });
  }
  for (const head of heads) {
    const sorter = make("button", { type: "button", class: "sort" }, head.textContent);
    head.replaceChildren(sorter);
    sorter.addEventListener("click", () => {
      const { key } = head.dataset; // up, down, and as it was
      const again = order.key === key;
      order.key = again && order.down ? "" : key;
      order.down = again && order.key !== "";
      render();
    });
  }
  search.addEventListener("input", () => {
    chosen.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    render();
  });
  document.getElementById("clear").addEventListener("click", () => {
    clear();
    render();
  });
  more.addEventListener("click", () => {
    limit += PAGE;
    addRows();
  });

  function move(by) {
    const rows = rowsShown();
    let here = document.activeElement.closest("tr");
    if (here && !here.dataset.case) here = here.previousElementSibling;
    const at = here ? rows.indexOf(here) + by : 0;
    const next = rows[Math.max(0, Math.min(rows.length - 1, at))];
    if (!next) return;
    openerOf(next).focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function escape() {
    if (document.activeElement === search) {
      if (search.value) {
        search.value = "";
        chosen.words = [];
        render();
      } else search.blur();
      return;
    }
    let row = document.activeElement.closest("#rows tr");
    if (row && !row.dataset.case) row = row.previousElementSibling;
    if (row && isOpen(row)) {
      toggle(row);
      openerOf(row).focus();
    } else {
      clear();
      render();
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      event.preventDefault();
      escape();
      return;
    }
    if (event.target.closest("input, select, textarea")) return;
    if (event.key === "/") {
      event.preventDefault();
      search.focus();
    } else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
  });
  controls.addEventListener("submit", (event) => event.preventDefault());

  // Light and dark: as the system says, until somebody chooses

  function dress(name) {
    if (name === "light" || name === "dark") root.dataset.theme = name;
    else delete root.dataset.theme;
    theme.textContent = `Theme: ${THEMES.includes(name) ? name : "automatic"}`;
  }

  function remembered(name) {
    try {
      if (name === undefined) return localStorage.getItem("guardrails-theme");
      localStorage.setItem("guardrails-theme", name);
    } catch {
      // A browser that keeps nothing for this page: the choice lasts as long as the page.
    }
    return name;
  }

  theme.addEventListener("click", () => {
    const name = THEMES[(THEMES.indexOf(root.dataset.theme ?? "automatic") + 1) % THEMES.length];
    dress(name);
    remembered(name);
  });
  dress(remembered());
  theme.hidden = false;

  // Print: what is open, and the traces of the worst cases

  const opened = [];
  addEventListener("beforeprint", () => {
    const bad = rowsShown().filter((row) => !isOpen(row) && cases[row.dataset.case].detail?.reasons.length);
    for (const row of bad.slice(0, MOST_PRINTED)) {
      toggle(row);
      opened.push(() => isOpen(row) && toggle(row));
    }
  });
  addEventListener("afterprint", () => {
    for (const undo of opened.splice(0)) undo();
  });

  controls.hidden = false;
  addEventListener("hashchange", openLinked);
  render();
  root.className = "";
  openLinked();
})();

"use strict";
(() => {
  const FIRST = 50; // rows that are laid out before anybody asks for more
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
  let limit = FIRST;
  let details; // of the first cases: half of the page, which nobody reads before a case is opened or searched

  // Cases are numbers, and what is known of them stands in columns: ten thousand objects would cost more than the rest.
  const columns = data.columns;
  const number = columns.status.length;
  const idOf = (index) => data.ids[index] ?? string(columns.prefix[index]) + columns.name[index];
  const nameOf = (index) => columns.name[index] || idOf(index);
  const texts = [];

  const caseAt = (index) => ({
    index,
    status: data.states[columns.status[index]],
    outcome: data.outcomes[columns.outcome[index]],
    severity: string(columns.severity[index]),
    id: idOf(index),
    name: nameOf(index),
    expected: string(columns.expected[index]),
    got: string(columns.got[index]),
    where: string(columns.file[index]) + (columns.line[index] ? ":" + columns.line[index] : ""),
    tags: set(columns.tags[index]),
    acted: set(columns.acted[index]),
    took: columns.took[index],
  });

  // A number is a text's index; below zero it is a number itself, -1 for 0.
  function unpacked(value) {
    if (Array.isArray(value)) return value.map(unpacked);
    if (value === null) return null;
    return value < 0 ? -1 - value : details.strings[value];
  }

  function known(index) {
    details ??= JSON.parse(document.getElementById("details").textContent);
    const found = details.cases[index];
    if (!found) return undefined;
    const [reasons, facts, steps, more] = unpacked(found);
    return { reasons, facts, steps, more };
  }

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

  function textOf(index) {
    if (texts[index] === undefined) {
      const item = caseAt(index);
      texts[index] = [item.status, item.outcome, item.severity, item.id, item.expected, item.got, item.where]
        .concat(item.tags, item.acted, known(index)?.reasons ?? [])
        .join("\n")
        .toLowerCase();
    }
    return texts[index];
  }

  function matching() {
    const { status, severity, outcome, guardrail, tag, words } = chosen;
    const having = (value) => data.sets.map((members) => members.some((member) => string(member) === value));
    const [withGuardrail, withTag] = [having(guardrail), having(tag)];
    const tests = [
      status && ((index) => data.states[columns.status[index]] === status),
      severity && ((index) => string(columns.severity[index]) === severity),
      outcome && ((index) => data.outcomes[columns.outcome[index]] === outcome),
      guardrail && ((index) => withGuardrail[columns.acted[index]]),
      tag && ((index) => withTag[columns.tags[index]]),
      words.length && ((index) => words.every((word) => textOf(index).includes(word))),
    ].filter(Boolean);
    const every = Array.from({ length: number }, (_, index) => index);
    return tests.length ? every.filter((index) => tests.every((test) => test(index))) : every;
  }

  function rank(index, key) {
    if (key === "status") return columns.status[index];
    if (key === "took") return columns.took[index];
    if (key === "severity") {
      return (severities.indexOf(string(columns.severity[index])) + severities.length + 1) % (severities.length + 1);
    }
    if (key === "tags") return set(columns.tags[index]).join(", ");
    return key === "name" ? nameOf(index) : string(columns[key][index]);
  }

  function sorted(indexes) {
    if (!order.key) return indexes;
    const keys = [];
    for (const index of indexes) keys[index] = rank(index, order.key);
    const sign = order.down ? -1 : 1;
    return indexes.sort((first, second) => {
      const [one, other] = [keys[first], keys[second]];
      const way = typeof one === "number" ? one - other : one < other ? -1 : one > other ? 1 : 0;
      return sign * way || first - second;
    });
  }

  // A row, and the trace that opens under it

  function cell(name, ...children) {
    return make("td", { role: "cell", class: name }, ...children);
  }

  function rowOf(index) {
    const item = caseAt(index);
    const opener = make("button", { type: "button", "aria-expanded": "false" }, bdi(item.name));
    return make(
      "tr",
      { role: "row", class: slug(item.status), "data-case": item.index },
      cell("status", item.status),
      cell("severity", bdi(item.severity)),
      cell("case", opener, make("small", {}, bdi(item.where))),
      cell("expected", bdi(item.expected)),
      cell("got", bdi(item.got)),
      cell("tags", bdi(item.tags.join(", "))),
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
      const name = time(took);
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

  function detailOf(index) {
    const parts = [];
    const item = caseAt(index);
    const detail = known(index);
    const { reasons, facts, steps, more: others } = detail || { reasons: [], facts: [], steps: [], more: [] };
    if (reasons.length) parts.push(make("ul", { class: "reasons" }, ...reasons.map((text) => make("li", {}, bdi(text)))));
    const total = steps.length ? Math.max(...steps.map((step) => step[3] ?? 0)) : 0;
    if (steps.length) parts.push(make("ol", { class: "trace", "aria-label": "Trace" }, ...steps.map((step) => stepOf(step, total))));
    if (!detail) parts.push(make("p", {}, "This page keeps the traces of the worst cases; report.json has this one."));
    else if (!steps.length) parts.push(make("p", {}, "No trace: the guard did not run."));
    for (const [title, rows] of others) {
      parts.push(make("h3", {}, title), pairs(rows.map(([name, text]) => [name, bdi(text)])));
    }
    const told = [["outcome", item.outcome], ...facts].filter(([, text]) => text).map(([name, text]) => [name, bdi(text)]);
    told.push(["link", make("a", { href: link(item) }, bdi(item.id))]);
    parts.push(pairs(told));
    return make("tr", { class: "detail", role: "row" }, make("td", { colspan: String(heads.length), role: "cell" }, ...parts));
  }

  const openerOf = (row) => row.querySelector("button[aria-expanded]");
  const isOpen = (row) => openerOf(row).getAttribute("aria-expanded") === "true";

  function toggle(row) {
    const open = isOpen(row);
    openerOf(row).setAttribute("aria-expanded", String(!open));
    if (open) row.nextElementSibling.remove();
    else row.after(detailOf(Number(row.dataset.case)));
  }

  // The table

  const rowsShown = () => [...body.querySelectorAll("tr[data-case]")];

  function addRows() {
    const from = rowsShown().length;
    body.append(...shown.slice(from, limit).map(rowOf));
    const now = Math.min(limit, shown.length);
    more.hidden = now === shown.length;
    more.textContent = `Show ${count(Math.min(PAGE, shown.length - now))} more`;
    const of = shown.length === number ? "" : ` that match, of ${count(number)}`;
    const by = order.key ? `by ${heads.find((head) => head.dataset.key === order.key).textContent}` : "worst first";
    document.getElementById("showing").textContent = shown.length
      ? `${count(now)} of ${count(shown.length)} cases${of}, ${by}`
      : `No case matches, of ${count(number)}`;
  }

  function render(first) {
    limit = FIRST;
    shown = sorted(matching());
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
    let index = 0;
    while (index < number && idOf(index) !== id) index += 1;
    if (index === number) return;
    clear();
    render(index);
    const row = body.querySelector(`tr[data-case="${index}"]`);
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
  function showMore() {
    limit += PAGE;
    addRows();
  }

  more.addEventListener("click", showMore);

  function move(by) {
    let rows = rowsShown();
    let here = document.activeElement.closest("tr");
    if (here && !here.dataset.case) here = here.previousElementSibling;
    const at = here ? rows.indexOf(here) + by : 0;
    if (at === rows.length && at < shown.length) {
      showMore();
      rows = rowsShown();
    }
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
    const bad = rowsShown().filter((row) => !isOpen(row) && known(row.dataset.case)?.reasons.length);
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

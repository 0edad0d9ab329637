"use strict";
(() => {
  const PAGE = 200;
  const data = JSON.parse(document.getElementById("data").textContent);
  const string = (index) => data.strings[index];
  const body = document.getElementById("rows");
  const more = document.getElementById("more");
  const search = document.getElementById("search");
  const buttons = [...document.querySelectorAll("#controls button")];
  const chosen = { status: "", outcome: "", words: [] };
  let shown = [];
  let limit = PAGE;

  const cases = data.rows.map((row, index) => ({
    index,
    status: data.states[row[0]],
    outcome: data.outcomes[row[1]],
    severity: string(row[2]),
    id: row[10] ?? string(row[3]) + row[4],
    name: row[4] || row[10] || string(row[3]),
    expected: string(row[5]),
    got: string(row[6]),
    where: string(row[7]) + (row[8] ? ":" + row[8] : ""),
    tags: string(row[9]),
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

  const slug = (state) => state.replaceAll(" ", "-");
  const count = (number) => number.toLocaleString("en");
  const link = (item) => "#case=" + encodeURIComponent(item.id);

  function textOf(item) {
    item.text ||= [item.status, item.outcome, item.severity, item.id, item.expected, item.got, item.where, item.tags]
      .concat(item.detail ? item.detail.reasons : [])
      .join("\n")
      .toLowerCase();
    return item.text;
  }

  function matches(item) {
    return (
      (!chosen.status || item.status === chosen.status) &&
      (!chosen.outcome || item.outcome === chosen.outcome) &&
      chosen.words.every((word) => textOf(item).includes(word))
    );
  }

  function cell(name, text) {
    return make("td", { role: "cell", class: name }, text);
  }

  function rowOf(item) {
    const opener = make("button", { type: "button", "aria-expanded": "false" }, item.name);
    return make(
      "tr",
      { role: "row", class: slug(item.status), "data-case": item.index },
      cell("status", item.status),
      cell("severity", item.severity),
      make("td", { role: "cell", class: "case" }, opener),
      cell("expected", item.expected),
      cell("got", item.got),
      cell("where", item.where),
      cell("tags", item.tags),
    );
  }

  function stepOf([kind, title, said, texts]) {
    const lines = texts.map(([label, text]) =>
      make("div", { class: "said" }, make("span", { class: "label" }, label), make("pre", { dir: "auto" }, text)),
    );
    const head = make("div", { class: "step" }, make("b", {}, make("bdi", { dir: "ltr" }, title)), " ", make("span", {}, said));
    return make("li", { class: kind }, head, ...lines);
  }

  function detailOf(item) {
    const parts = [];
    const { reasons, facts, steps } = item.detail || { reasons: [], facts: [], steps: [] };
    if (reasons.length) parts.push(make("ul", { class: "reasons" }, ...reasons.map((text) => make("li", {}, text))));
    if (steps.length) parts.push(make("ol", { class: "trace" }, ...steps.map(stepOf)));
    if (!item.detail) parts.push(make("p", {}, "This page keeps the traces of the worst cases; report.json has this one."));
    else if (!steps.length) parts.push(make("p", {}, "No trace: the guard did not run."));
    const pairs = [["outcome", item.outcome], ...facts].filter(([, text]) => text);
    const list = pairs.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, make("bdi", { dir: "ltr" }, text))));
    const where = make("a", { href: link(item) }, make("bdi", { dir: "ltr" }, item.id));
    list.push(make("div", {}, make("dt", {}, "link"), make("dd", {}, where)));
    parts.push(make("dl", { class: "facts" }, ...list));
    return make("tr", { class: "detail", role: "row" }, make("td", { colspan: "7", role: "cell" }, ...parts));
  }

  function toggle(row) {
    const opener = row.querySelector("button");
    const open = opener.getAttribute("aria-expanded") === "true";
    opener.setAttribute("aria-expanded", String(!open));
    if (open) row.nextElementSibling.remove();
    else row.after(detailOf(cases[row.dataset.case]));
  }

  function addRows() {
    const from = body.querySelectorAll("tr[data-case]").length;
    body.append(...shown.slice(from, limit).map(rowOf));
    const now = Math.min(limit, shown.length);
    more.hidden = now === shown.length;
    more.textContent = `Show ${count(Math.min(PAGE, shown.length - now))} more`;
    const of = shown.length === cases.length ? "" : ` that match, of ${count(cases.length)}`;
    document.getElementById("showing").textContent = shown.length
      ? `${count(now)} of ${count(shown.length)} cases${of}, worst first`
      : `No case matches, of ${count(cases.length)}`;
  }

  function render(first) {
    limit = PAGE;
    shown = cases.filter(matches);
    const at = shown.indexOf(first);
    if (at >= limit) shown.unshift(...shown.splice(at, 1));
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(chosen[button.dataset.group] === button.dataset.value));
    }
    body.replaceChildren();
    addRows();
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
    chosen.status = chosen.outcome = search.value = "";
    chosen.words = [];
    render(item);
    const row = body.querySelector(`tr[data-case="${item.index}"]`);
    toggle(row);
    row.scrollIntoView({ block: "start" });
    row.querySelector("button").focus({ preventScroll: true });
  }

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-case]");
    const selecting = !event.target.closest("button") && String(getSelection());
    if (row && !selecting) toggle(row);
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const { group, value } = button.dataset;
      chosen[group] = chosen[group] === value ? "" : value;
      render();
    });
  }
  search.addEventListener("input", () => {
    chosen.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    render();
  });
  more.addEventListener("click", () => {
    limit += PAGE;
    addRows();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input")) return;
    event.preventDefault();
    search.focus();
  });
  document.getElementById("controls").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("controls").hidden = false;
  addEventListener("hashchange", openLinked);
  render();
  document.documentElement.className = "";
  openLinked();
})();

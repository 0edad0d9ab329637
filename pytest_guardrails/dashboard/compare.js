"use strict";
(() => {
  const { sound, versions } = JSON.parse(document.getElementById("data").textContent);
  const [before, after] = ["before", "after"].map((id) => document.getElementById(id));
  const Z = 1.959963984540054;

  // Names of a history reach the page as text nodes only.
  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  const isolated = (text) => make("bdi", {}, text);
  const count = (number) => number.toLocaleString("en");

  function wilson(hits, total) {
    const p = hits / total;
    const z2 = Z * Z;
    const centre = (p + z2 / (2 * total)) / (1 + z2 / total);
    const half = (Z / (1 + z2 / total)) * Math.sqrt((p * (1 - p)) / total + z2 / (4 * total * total));
    return [hits ? Math.max(0, centre - half) : 0, hits < total ? Math.min(1, centre + half) : 1];
  }

  // Two significant digits of whichever is smaller, the share or what is left to 100 %, as on the other pages.
  function share(value) {
    const rest = Math.min(value, 1 - value);
    const digits = rest > 0 ? Math.max(0, 1 - Math.floor(Math.log10(100 * rest))) : 0;
    return `${Number((100 * value).toFixed(digits))} %`;
  }

  function rate(hits, total) {
    if (!total) return { said: "unknown (0 of 0)" };
    const [low, high] = wilson(hits, total);
    return { value: hits / total, said: `${share(hits / total)} (${count(hits)} of ${count(total)}; 95 %: ${share(low)} to ${share(high)})` };
  }

  const duration = (s) => (s >= 1 ? `${Number(s.toPrecision(3))} s` : `${Number((1000 * s).toPrecision(3))} ms`);
  const time = (s) => (s === null ? { said: "unknown" } : { value: s, said: duration(s) });

  const METRICS = [
    ["FPR", ([tp, fp, tn]) => rate(fp, fp + tn), true],
    ["recall", ([tp, , , fn]) => rate(tp, tp + fn), true],
    ["error rate", ([tp, fp, tn, fn, error]) => rate(error, tp + fp + tn + fn + error), true],
    ["latency p50", (figures) => time(figures[5]), false],
    ["latency p95", (figures) => time(figures[6]), false],
    ["latency p99", (figures) => time(figures[7]), false],
  ];

  function change(one, other, isRate) {
    if (one?.value === undefined || other?.value === undefined) return "–";
    const difference = other.value - one.value;
    const sign = difference > 0 ? "+" : "−";
    if (isRate) {
      return difference ? `${sign}${Number((100 * Math.abs(difference)).toPrecision(3))} points` : "±0 points";
    }
    return difference ? sign + duration(Math.abs(difference)) : "±0";
  }

  function rowsOf(population, one, other) {
    const head = make("tr", {}, make("th", { scope: "rowgroup", colspan: 4 }, isolated(population)));
    const rows = METRICS.map(([name, of, isRate]) => {
      const [left, right] = [one, other].map((figures) => figures && of(figures));
      const cells = [left?.said ?? "not measured", right?.said ?? "not measured", change(left, right, isRate)];
      return make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((text) => make("td", {}, text)));
    });
    return [head, ...rows];
  }

  function doubts(one, other) {
    const found = [];
    if (one.suite !== other.suite) found.push("The two judged different suites: their figures speak of different cases.");
    for (const version of new Set([one, other])) {
      if (!sound.includes(version.status)) found.push(`${version.name} was ${version.status}: its figures are in doubt.`);
    }
    return found;
  }

  function titleOf(version) {
    return make("th", { scope: "col" }, isolated(version.name), make("br", {}), `${version.time}, ${version.status}`);
  }

  function render() {
    const [one, other] = [versions[before.value], versions[after.value]];
    const [left, right] = [one, other].map((version) => new Map(version.populations.map(([name, ...rest]) => [name, rest])));
    const head = make("tr", {}, make("th", { scope: "col" }, "figure"));
    head.append(titleOf(one), titleOf(other), make("th", { scope: "col" }, "change"));
    const names = [...new Set([...left.keys(), ...right.keys()])];
    const bodies = names.map((name) => make("tbody", {}, ...rowsOf(name, left.get(name), right.get(name))));
    document.getElementById("figures").replaceChildren(make("thead", {}, head), ...bodies);
    const said = doubts(one, other).map((text) => make("p", { class: "doubt" }, isolated(text)));
    document.getElementById("said").replaceChildren(...said);
    history.replaceState(null, "", `#${new URLSearchParams({ before: one.name, after: other.name })}`);
  }

  function choose(select, name, otherwise) {
    const found = versions.findIndex((version) => version.name === name);
    select.value = String(found < 0 ? otherwise : found);
  }

  for (const select of [before, after]) {
    select.append(...versions.map((version, index) => make("option", { value: index }, `${version.name}, ${version.time}`)));
    select.addEventListener("change", render);
  }
  document.getElementById("swap").addEventListener("click", () => {
    [before.value, after.value] = [after.value, before.value];
    render();
  });
  const asked = new URLSearchParams(location.hash.slice(1));
  choose(before, asked.get("before"), Math.min(1, versions.length - 1));
  choose(after, asked.get("after"), 0);
  document.getElementById("choice").hidden = false;
  render();
})();

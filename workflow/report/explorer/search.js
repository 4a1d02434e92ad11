// The search field: completion over drugs, ids, MoAs and features.

const COMPLETIONS = 12;
let entries = null;

function entriesOf() {
  const list = [];
  for (let i = 0; i < study.n; i++) list.push({ text: nameOf(i), also: names.pert_id[i], kind: "drug", value: i });
  study.moas.forEach((text, value) => list.push({ text, also: "", kind: "MoA", value }));
  study.features.kept.forEach((value) => list.push({ text: study.features.names[value], also: "", kind: "feature", value }));
  for (const entry of list) entry.low = `${entry.text}\n${entry.also}`.toLowerCase();
  return list;
}

// Those that begin with the words, then those that have them, then, where there is none, those that look alike.
function complete(words) {
  entries = entries || entriesOf();
  const sought = words.trim().toLowerCase();
  if (!sought) return [];
  const ranked = [[], [], []];
  for (const entry of entries) {
    const at = entry.low.indexOf(sought);
    if (at < 0) continue;
    const begins = at === 0 || entry.low[at - 1] === "\n";
    const whole = begins && (entry.low.length === sought.length || entry.low[at + sought.length] === "\n" || at > 0 && entry.low.length === at + sought.length);
    ranked[whole ? 0 : begins ? 1 : 2].push(entry);
    if (ranked[0].length + ranked[1].length >= 4 * COMPLETIONS) break;
  }
  const found = ranked.flat().slice(0, COMPLETIONS);
  return found.length ? found : alike(sought);
}

const pairsOf = (text) => new Set(range(Math.max(0, text.length - 1)).map((i) => text.slice(i, i + 2)));

function alike(sought) {
  const wanted = pairsOf(sought);
  const scored = entries.map((entry) => {
    const own = pairsOf(entry.text.toLowerCase());
    let shared = 0;
    for (const pair of wanted) if (own.has(pair)) shared += 1;
    return { entry, score: (2 * shared) / (wanted.size + own.size) };
  });
  const close = scored.filter((one) => one.score >= 0.5).sort((a, b) => b.score - a.score).slice(0, 5);
  return close.map(({ entry }) => ({ ...entry, guess: true }));
}

function openSearch(field, list, choose) {
  let found = [], active = -1;
  const close = () => { list.hidden = true; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
  const take = (entry) => { close(); field.value = entry.text; choose(entry); };
  const mark = (i) => {
    active = i;
    [...list.children].forEach((item, j) => item.setAttribute("aria-selected", String(i === j)));
    if (i < 0 || !found.length) return;
    field.setAttribute("aria-activedescendant", list.children[i].id);
    list.children[i].scrollIntoView({ block: "nearest" });
  };
  const update = () => {
    found = complete(field.value);
    const items = found.map((entry, i) => {
      const item = node("li", {}, node("span", {}, entry.text), node("span", { class: "kind" }, (entry.guess ? "did you mean: " : "") + entry.kind));
      Object.assign(item, { id: `found-${i}`, role: "option" });
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(entry); });
      return item;
    });
    list.replaceChildren(...(items.length || !field.value.trim() ? items : [node("li", { role: "option", "aria-selected": "false" }, "nothing by this name")]));
    list.hidden = !list.children.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    mark(found.length ? 0 : -1);
  };
  field.addEventListener("input", update);
  field.addEventListener("focus", () => { field.select(); if (field.value) update(); });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && active >= 0 && !list.hidden) take(found[active]);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) { event.preventDefault(); mark((active + step + found.length) % found.length); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target.tagName !== "INPUT") { event.preventDefault(); field.focus(); }
  });
}

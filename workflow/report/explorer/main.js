// What is chosen, and how it is shown: every change goes through show().

const state = { map: null, drug: null, community: null, moa: null, feature: null, lasso: null, colour: "community" };
const COLOURS = { community: "community", moa: "MoA", feature: "feature", proposal: "proposal", activity: "activity", stability: "stability" };
const by = (id) => document.getElementById(id);
let turn_ = 0; // of the calls of show(): only the last one may draw

async function show(change) {
  const mine = ++turn_;
  const before = { ...state };
  Object.assign(state, change);
  const map = await openMap(state.map);
  if (mine !== turn_) return;
  chart.map = map;
  if (before.map !== state.map) look(fit(map.info.box));
  if (change.view) look(change.view);
  if (!(await paintMap(map, mine))) return;
  drawCommunities(map, state.colour === "community", chosenCommunity(map));
  drawChosen(map, state.drug, []);
  describe(map);
  remember();
  if (!change.first) await details(map, mine);
}

// Draw the points, unless they are there already as they should be; false where another call has come in between.
async function paintMap(map, mine) {
  const key = JSON.stringify([state.map, state.colour, state.feature, state.moa, state.lasso, isDark()]);
  if (key === chart.painted) return true;
  const paint = await colouring(map);
  if (mine !== turn_) return false;
  drawMap(map, paint);
  by("legend").replaceChildren(...paint.legend);
  chart.painted = key;
  return true;
}

// What needs more blocks than the map: the nearest drugs, and the panel.
async function details(map, mine) {
  await detailsOf(map);
  const nearest = state.drug !== null && state.drug < map.n ? nearestOf(map, state.drug) : [];
  const content = await panel(map);
  if (mine !== turn_) return;
  drawChosen(map, state.drug, nearest);
  by("panel").replaceChildren(...content.filter(Boolean));
  by("status").textContent = `${content[0].textContent}, map ${map.name}`;
  if (state.drug === null) return;
  const last = await everywhere(state.drug); // of all maps, which may take a while
  if (mine === turn_) by("panel").append(last);
}

function panel(map) {
  if (state.drug !== null) return drugPanel(map, state.drug);
  if (state.lasso) return lassoPanel(map, state.lasso.filter((drug) => drug < map.n));
  if (state.community) return communityPanel(map, state.community);
  if (state.moa !== null) return moaPanel(map, state.moa);
  return state.colour === "feature" ? featurePanel(map, state.feature) : welcome();
}

const chosenCommunity = (map) => (state.drug !== null ? map.community[state.drug] : state.community);

// --- colours ---

async function colouring(map) {
  const legendOf = (...children) => [node("span", {}, ...children)];
  let paint;
  if (state.colour === "community") {
    const number = Uint8Array.from(map.community, (c) => (c ? 1 + ((c - 1) % HUES) : 0));
    const count = map.members.size - (map.members.has(0) ? 1 : 0);
    paint = { number, palette: [css("point"), ...range(HUES).map(hue)], legend: legendOf(`${count} communities. ${HUES} hues repeat, so the larger ones are numbered, and outlined around most of their members where these lie together.`) };
  } else if (state.colour === "moa") {
    paint = moaPaint(map);
  } else {
    paint = scale(map, await valuesOf(map));
  }
  const lasso = state.lasso || (state.moa !== null && state.colour !== "moa" ? drugsOfMoa(state.moa) : []);
  const marks = lasso.filter((drug) => drug < map.n).map((drug) => ({ drug, marker: "square", colour: css("ring") }));
  paint.marks = [...(paint.marks || []), ...marks];
  if (study.n_placed && map.n === study.n) paint.legend.push(node("span", {}, "△ placed on the finished map"));
  return paint;
}

function moaPaint(map) {
  const largest = range(study.moas.length).sort((a, b) => study.size[b] - study.size[a] || a - b).slice(0, 10);
  const shown = state.moa === null || largest.includes(state.moa) ? largest : [state.moa, ...largest.slice(0, 9)];
  const kinds = Object.keys(MARKERS);
  const marks = [], legend = [];
  shown.forEach((moa, i) => {
    const chosen = state.moa === null || state.moa === moa;
    const sign = node("span", { "aria-hidden": "true" }, MARKERS[kinds[i]][0]);
    sign.style.color = MARKED[i];
    legend.push(node("span", {}, sign, link(study.moas[moa], { moa, drug: null, community: null, lasso: null })));
    if (chosen) for (const drug of drugsOfMoa(moa)) if (drug < map.n) marks.push({ drug, marker: kinds[i], colour: MARKED[i] });
  });
  return { number: new Uint8Array(map.n), palette: [css("point")], marks, legend };
}

// The values that the map is coloured by: one for each drug, their ends, what they are, the palette.
async function valuesOf(map) {
  if (state.colour === "feature") {
    const what = `${study.features.names[state.feature]}: robust standard deviations from the median drug`;
    return { values: await featureValues(state.feature), ends: [-4, 4], what, palette: diverging() };
  }
  if (state.colour === "stability") {
    const kept = (await detailsOf(map)).kept || [];
    return { values: Float32Array.from(kept, (v) => (v === UNKNOWN ? NaN : v)), ends: [0, 100], what: "% of a drug's companions that stay with it in reruns", palette: rising() };
  }
  if (state.colour === "activity") {
    const values = Float32Array.from(study.activity.values, (v) => v ?? NaN);
    return { values, ends: [0, 1], what: study.activity.what.replaceAll("_", " "), palette: rising() };
  }
  const { what, of } = study.proposed, values = new Float32Array(study.n).fill(NaN);
  for (const row of study.proposals) if (of(row) !== null) values[row.drug] = Math.max(of(row), values[row.drug] || 0);
  const known = values.filter((v) => !Number.isNaN(v));
  return { values, ends: what === "probability" ? [0, 1] : [known.reduce((a, b) => Math.min(a, b), Infinity), known.reduce((a, b) => Math.max(a, b), -Infinity)], what: `${what} of a drug's best proposal`, palette: rising() };
}

function scale(map, { values, ends: [low, high], what, palette }) {
  const place = (v) => 1 + Math.round(((Math.max(low, Math.min(high, v)) - low) / (high - low || 1)) * (STEPS - 1));
  const number = new Uint8Array(map.n), above = new Float32Array(map.n).fill(-1);
  const middle = low < 0 ? (low + high) / 2 : low;
  for (let i = 0; i < map.n && i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    number[i] = place(values[i]);
    above[i] = Math.abs(values[i] - middle);
  }
  const bar = node("span", { class: "scale", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(to right, ${palette.join(",")})`;
  const legend = [node("span", {}, what), node("span", {}, digits(low), bar, digits(high)), node("span", {}, "faint grey: not known")];
  return { number, palette: [css("line"), ...palette], above, legend };
}

// --- controls ---

function describe(map) {
  const together = map.info.together;
  const words = [`${map.info.evidence}.`];
  if (together) words.push(`${chance(together.p_value)[0]} Drugs of one MoA share a community ${chance(together.p_value)[1]}.`);
  const warning = inSample(map) ? node("b", {}, "In-sample: drugs of one MoA were pulled together. ") : null;
  by("note").replaceChildren(...[warning, words.join(" ").replace(/^in-sample: /, "").replace(/^./, (letter) => letter.toUpperCase())].filter(Boolean));
  by("maps").value = state.map;
  by("colours").value = state.colour;
}

// The fragment reopens the view; a drug goes by its id, and a lasso is not kept.
function remember() {
  const kept = new URLSearchParams({ map: state.map, colour: state.colour });
  if (state.drug !== null) kept.set("drug", names.pert_id[state.drug]);
  if (state.community) kept.set("community", state.community);
  if (state.moa !== null) kept.set("moa", study.moas[state.moa]);
  if (state.feature !== null) kept.set("feature", study.features.names[state.feature]);
  if (chart.home && view().some((value, i) => Math.abs(value - chart.home[i]) > 1e-6)) kept.set("view", view().map((value) => value.toFixed(2)).join(","));
  history.replaceState(null, "", `#${kept}`);
}

function recalled() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const place = (list, key) => { const at = kept.has(key) ? list.indexOf(kept.get(key)) : -1; return at < 0 ? null : at; };
  const feature = place(study.features.names, "feature");
  const found = {
    map: study.maps.includes(kept.get("map")) ? kept.get("map") : study.main, colour: kept.get("colour") in COLOURS ? kept.get("colour") : "community",
    drug: place(names.pert_id, "drug"), moa: place(study.moas, "moa"), community: Number(kept.get("community")) || null,
    feature: study.features.kept.includes(feature) ? feature : null, lasso: null,
  };
  if (!possible(found.colour, found)) found.colour = "community";
  const box = (kept.get("view") || "").split(",").map(Number);
  if (box.length === 4 && box.every(Number.isFinite) && box[0] < box[2] && box[1] < box[3]) found.view = box;
  return found;
}

function possible(colour, { feature } = state) {
  if (colour === "feature") return feature !== null;
  if (colour === "proposal") return study.proposed !== null;
  if (colour === "activity") return study.activity !== null;
  return colour !== "stability" || study.maps.some((name) => has(`${name}/kept`));
}

function chooseColour(colour) {
  if (colour === "feature" && state.feature === null) show({ colour, feature: study.features.kept[0] });
  else show({ colour });
}

function choose({ kind, value }) {
  if (kind === "drug") show({ drug: value, community: null, moa: null, lasso: null });
  else if (kind === "MoA") show({ moa: value, drug: null, community: null, lasso: null, colour: "moa" });
  else show({ colour: "feature", feature: value, drug: null, community: null, moa: null, lasso: null });
  if (kind === "drug") bringIntoView(value);
}

async function bringIntoView(drug) {
  const map = await openMap(state.map), [left, bottom, right, top] = view();
  const [x, y] = [map.x[drug], map.y[drug]];
  if (x < left || x > right || y < bottom || y > top) look(fit(map.info.box));
}

function hover(drug, at) {
  const tip = by("tip");
  tip.hidden = drug === null;
  if (drug === null) return;
  const community = chart.map.community[drug];
  tip.replaceChildren(node("strong", {}, nameOf(drug)), moaText(drug), node("br", {}), community ? `community ${community}` : "no community", isPlaced(drug) ? ", placed" : "");
  const box = by("chart").getBoundingClientRect();
  tip.style.left = `${Math.min(box.left + at.sx + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.max(4, Math.min(box.top + at.sy + 14, innerHeight - tip.offsetHeight - 8))}px`;
}

function lassoed(drugs) {
  pressLasso(false);
  show({ lasso: drugs.length ? drugs : null, drug: null, community: null, moa: null });
}

function pressLasso(on) {
  useLasso(on);
  by("lasso").setAttribute("aria-pressed", String(on));
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

function openControls() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dressed = (theme) => { setTheme(theme); dress(); show({}); };
  dark.addEventListener("change", () => dressed(dark.matches ? "dark" : "light"));
  by("theme").addEventListener("click", () => dressed(isDark() ? "light" : "dark"));
  by("maps").append(...study.maps.map((name) => node("option", { value: name }, name)));
  by("maps").addEventListener("change", () => show({ map: by("maps").value, community: null }));
  by("colours").append(...Object.keys(COLOURS).filter((colour) => possible(colour, { feature: 0 })).map((colour) => node("option", { value: colour }, COLOURS[colour])));
  by("colours").addEventListener("change", () => chooseColour(by("colours").value));
  const press = { "zoom-in": () => zoom(0.7), "zoom-out": () => zoom(1 / 0.7), whole: () => look(fit(chart.map.info.box)), lasso: () => pressLasso(by("lasso").getAttribute("aria-pressed") === "false") };
  for (const kind of ["png", "svg"]) press[kind] = async () => download(`map_${state.map}.${kind}`, await picture(kind));
  for (const [id, action] of Object.entries(press)) by(id).addEventListener("click", action);
  const keys = { ArrowLeft: () => move(-0.15, 0), ArrowRight: () => move(0.15, 0), ArrowUp: () => move(0, 0.15), ArrowDown: () => move(0, -0.15), "+": press["zoom-in"], "-": press["zoom-out"], 0: press.whole };
  by("chart").addEventListener("keydown", (event) => { if (keys[event.key]) { event.preventDefault(); keys[event.key](); } });
  openSearch(by("search"), by("found"), choose);
  window.addEventListener("hashchange", () => show(recalled()));
}

function moved() {
  drawCommunities(chart.map, state.colour === "community", chosenCommunity(chart.map));
  remember();
}

function about() {
  const { names: all, kept } = study.features;
  const left = all.filter((_, i) => !kept.includes(i));
  by("about").textContent = `Data set ${study.dataset}. ${kept.length} of ${all.length} features can be looked at one by one${left.length ? `, the community-specific and the most variable ones; signatures are made from all. Left out, for the size of the page: ${left.join(", ")}.` : "."}`;
}

async function start() {
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  await Promise.all([openStudy(), loadBokeh()]);
  by("simulated").hidden = !study.simulated;
  const number = (value) => (typeof value === "number" ? value : null);
  const first = study.proposals.find((row) => row.moas.length);
  const hasShare = study.proposals.some((row) => number(row.moas[0]?.[1]) !== null);
  study.proposed = !first ? null : hasShare ? { what: "probability", of: (row) => number(row.moas[0]?.[1]) }
    : number(first.details.evidence) === null ? null : { what: "evidence", of: (row) => number(row.details.evidence) };
  await openChart(by("chart"), { hover, choose: (drug) => show({ drug, community: null, moa: null, lasso: null }), lasso: lassoed, moved });
  const wanted = recalled();
  chart.map = await openMap(wanted.map);
  chart.home = fit(chart.map.info.box);
  openControls();
  await show({ ...wanted, first: true });
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
  about();
  await show({});
}

start().catch((error) => {
  by("note").textContent = `The page cannot be shown: ${error.message}. It needs a browser of 2023 or later.`;
  throw error;
});
